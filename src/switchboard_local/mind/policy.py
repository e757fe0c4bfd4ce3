"""What the mind does with a turn of the caller's, and with what the tools answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from switchboard_local.mind import knowledge, results, wording
from switchboard_local.mind.acts import (
    Act,
    answer,
    corrects,
    given_name,
    recognise,
    wants_more,
    without_taken_back,
)
from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.choosing import FIT, Chooser
from switchboard_local.mind.farewell import hang_up_tool
from switchboard_local.mind.lexicon import asks, content
from switchboard_local.mind.parts import Call, Say, Thought
from switchboard_local.mind.router import Candidate
from switchboard_local.mind.smalltalk import Manners
from switchboard_local.mind.state import Choice, Ran, State, Task
from switchboard_local.mind.tasks import Desk
from switchboard_local.mind.text import words
from switchboard_local.mind.turn import Filled

_CORRECTED = 3
"""How many calls back a correction may reach."""


@dataclass
class Policy:
    """Decides one conversation, turn by turn. Changes the state it is given."""

    desk: Desk
    chooser: Chooser
    manners: Manners
    facts: Sequence[str] = field(default_factory=list[str])
    forced: str = ""
    """A tool that must be chosen."""

    def heard(self, state: State, text: str) -> list[Thought]:
        """Answers a turn of the caller's."""
        if self.forced and not (state.task or state.consent):
            return self.desk.begin(state, self.forced, text)
        act = recognise(text)
        offered, state.offered = state.offered, False
        if act is Act.DISTRESS:  # whatever was under way can wait
            state.consent = state.task = state.choice = None
            return self._social(state, text, act)
        if act is not Act.SILENCE:
            state.failures = 0 if act else state.failures
        thoughts = self._open_matter(state, text, act)
        if thoughts is None:
            thoughts = self._fresh(state, text, act, offered=offered)
        return thoughts

    def _open_matter(self, state: State, text: str, act: Act | None) -> list[Thought] | None:
        """Goes on with what is open; `None` when the turn is about something else."""
        if state.consent:
            return self._consent(state, text, act)
        if state.task and state.task.checking:
            return self._checked(state, text, act)
        if state.task and state.task.asking:
            return self._answered(state, text, act)
        if state.choice:
            return self._chosen(state, text, act)
        if state.rest:
            return self._rest(state, text)
        return None

    def _fresh(self, state: State, text: str, act: Act | None, *, offered: bool) -> list[Thought]:
        if offered and act is None and self._is_no(text):
            act = Act.DONE
        said = answer(text)
        if offered and act is None and said and said.yes and not said.rest:
            return [Say("Of course."), Say("What would you like to do?")]
        if act:
            return self._social(state, text, act)
        if said and said.yes and not said.rest:
            state.offered = True
            return [Say("Is there anything else I can do for you?")]
        changed = self._correction(state, text)
        return changed if changed is not None else self.request(state, text)

    def _is_no(self, text: str) -> bool:
        said = answer(text)
        return said is not None and not said.yes and not said.rest

    # ── a dangerous call waits for a yes ──

    def _consent(self, state: State, text: str, act: Act | None) -> list[Thought] | None:
        waiting = state.consent
        assert waiting is not None
        said = answer(text)
        if act in {Act.REPEAT, Act.WAIT, Act.SILENCE}:
            return [Say("Take your time." if act is Act.WAIT else state.question)]
        if said and said.yes and not said.rest.startswith("but "):
            state.consent = None
            return [Call(waiting.tool, waiting.arguments)]
        tool = self.desk.tools.get(waiting.tool)
        changed = (
            self.desk.change(
                state, waiting.given, tool, without_taken_back(said.rest if said else text)
            )
            if tool
            else {}
        )
        if changed and act is not Act.NEVER_MIND and (said or corrects(text)):
            return self._call_changed(state, waiting, changed)
        if said or act in {Act.NEVER_MIND, Act.GOODBYE, Act.DONE}:
            return self._refused(state, said.rest if said else "", act)
        return self._aside(state, text, state.question)

    def _call_changed(self, state: State, ran: Ran, changed: Mapping[str, Filled]) -> list[Thought]:
        state.consent = None
        state.task = Task(
            ran.tool, "", {**ran.given, **{name: one.value for name, one in changed.items()}}
        )
        state.task.unsure = {name for name, one in changed.items() if one.unsure}
        return self.desk.proceed(state)

    def _refused(self, state: State, rest: str, act: Act | None) -> list[Thought]:
        state.consent, state.last = None, None
        if act in {Act.GOODBYE, Act.DONE}:
            return self._social(state, "", act)
        state.offered = True
        new = self.chooser.sure(rest) if rest else None
        if new:
            return [Say("All right, I will leave that."), *self.request(state, rest)]
        return [
            Say("All right, I have not done it."),
            Say("Is there anything else I can do for you?"),
        ]

    def _aside(self, state: State, text: str, question: str) -> list[Thought] | None:
        """Something else in the midst of a question: a request, a remark, or nothing we know."""
        act = recognise(text)
        if act and act not in {Act.SILENCE, Act.REPEAT}:
            return [*self._social(state, text, act), Say(question)]
        if self.chooser.sure(text):
            state.consent = state.task = state.choice = None
            return None
        fact = (
            knowledge.best_fact(text, self.facts, self.desk.likeness)
            if asks(" ".join(words(text)))
            else None
        )
        if fact:
            return [Say(fact.text), Say(question)]
        return [Say("Please say yes or no."), Say(question)] if state.consent else [Say(question)]

    # ── a value was read back ──

    def _checked(self, state: State, text: str, act: Act | None) -> list[Thought] | None:
        task = state.task
        assert task is not None
        said = answer(text)
        if act is Act.NEVER_MIND:
            return self._drop(state)
        if said and said.yes:
            task.unsure.discard(task.checking)
            return self.desk.proceed(state)
        checked = task.checking
        task.arguments.pop(checked, None)
        task.unsure.discard(checked)
        task.asking, task.checking = checked, ""
        given = said.rest if said else text
        if given and self.desk.answer(state, without_taken_back(given)):
            return self.desk.proceed(state)
        return self.desk.ask_again(state)

    # ── an argument was asked for ──

    def _answered(self, state: State, text: str, act: Act | None) -> list[Thought] | None:
        task = state.task
        assert task is not None
        tool = self.desk.tools[task.tool]
        slot = tool.slot(task.asking)
        if slot is None:
            return None
        common = self._while_asking(state, text, act, wording.question(slot))
        if common is not None:
            return common
        if self._leaves(state, text):
            state.task = None
            return None
        if corrects(text) and task.arguments:
            changed = self.desk.change(state, task.arguments, tool, without_taken_back(text))
            given = {n: f.value for n, f in changed.items() if n in task.arguments}
            if given and task.asking not in changed:
                task.arguments.update(given)
                return [Say(wording.question(slot))]
        if self.desk.answer(state, text):
            return self.desk.proceed(state)
        if self.chooser.sure(text):
            state.task = None
            return None
        fact = (
            knowledge.best_fact(text, self.facts, self.desk.likeness)
            if asks(" ".join(words(text)))
            else None
        )
        return [Say(fact.text), Say(wording.question(slot))] if fact else self.desk.ask_again(state)

    def _while_asking(
        self, state: State, text: str, act: Act | None, question: str
    ) -> list[Thought] | None:
        """Turns that are no answer to a question for an argument."""
        if act is Act.NEVER_MIND:
            return self._drop(state)
        if act is Act.UNKNOWN:
            return [
                Say(self._needed(state)),
                Say("You can tell me when you have it, or ask for something else."),
            ]
        if act is Act.WAIT:
            return [Say("Take your time.")]
        if act in {Act.REPEAT, Act.SILENCE, Act.SLOWER}:
            return [
                Say(
                    question if act is not Act.SILENCE else f"Sorry, I did not hear you. {question}"
                )
            ]
        if act in {Act.GOODBYE, Act.DONE}:
            return self._social(state, text, act)
        if act and act not in {Act.NAME, Act.THANKS, Act.GREETING}:
            return [*self._social(state, text, act), Say(question)]
        return None

    def _needed(self, state: State) -> str:
        assert state.task is not None
        tool = self.desk.tools[state.task.tool]
        slot = tool.slot(state.task.asking)
        what = wording.thing(slot) if slot else "that"
        return f"I need the {what} to {wording.phrase(tool)}."

    def _leaves(self, state: State, text: str) -> bool:
        """Whether the turn, though asked something, plainly wants something else."""
        assert state.task is not None
        best = self.chooser.sure(text)
        said = " ".join(words(text))
        opening = re.match(
            r"(?:(?:actually|no|wait|sorry|oh|instead) )*(?:can|could|i want|i would like|i need|"
            r"how|what|when|where|do|show|tell|let us|please)\b",
            said,
        )
        return best is not None and best.tool.name != state.task.tool and bool(opening)

    def _drop(self, state: State) -> list[Thought]:
        state.task = state.choice = None
        state.agenda.clear()
        state.offered = True
        return [
            Say("All right, I will leave that."),
            Say("Is there anything else I can do for you?"),
        ]

    # ── the agent asked which of two or three tools is meant ──

    def _chosen(self, state: State, text: str, act: Act | None) -> list[Thought] | None:
        choice = state.choice
        assert choice is not None
        tools = [self.desk.tools[name] for name in choice.tools]
        if act is Act.NEVER_MIND:
            return self._drop(state)
        if act in {Act.REPEAT, Act.SILENCE}:
            return [Say(self._choice_question(tools))]
        if act in {Act.GOODBYE, Act.DONE}:
            return self._social(state, text, act)
        picked = self.chooser.pick(tools, text)
        if picked:
            return self.desk.begin(state, picked.name, f"{choice.text}. {text}")
        state.choice = None
        said = answer(text)
        if said and not said.yes and not said.rest:
            state.offered = False
            return [Say("All right."), Say("What would you like to do?")]
        return None

    def _choice_question(self, tools: Sequence[Tool]) -> str:
        return wording.choose_between(tools)

    # ── the rest of a list ──

    def _rest(self, state: State, text: str) -> list[Thought] | None:
        rest, state.rest = state.rest, ()
        said = answer(text)
        if wants_more(text):
            return [Say(sentence) for sentence in rest]
        if said and not said.yes and not said.rest:
            state.offered = True
            return [Say("All right."), Say("Is there anything else I can do for you?")]
        return None

    # ── something new ──

    def _correction(self, state: State, text: str) -> list[Thought] | None:
        """A turn that takes back a part of what was done, or asks the same of another."""
        said = " ".join(words(text))
        also = re.match(
            r"(?:and|what about|how about|and what about|and for|same for|and the)\b", said
        )
        short = bool(also) and len(said.split()) <= 5
        failed = bool(state.ran) and bool(results.error_of(state.ran[-1].output))
        if not (corrects(text) or also or failed):
            return None
        if self.chooser.sure(text) and not (corrects(text) or short):
            return None
        for ran in state.ran[: -_CORRECTED - 1 : -1]:
            tool = self.desk.tools.get(ran.tool)
            changed = (
                self.desk.change(state, ran.given, tool, without_taken_back(text)) if tool else {}
            )
            if changed:
                return self._call_changed(state, ran, changed)
        return None

    def request(self, state: State, text: str) -> list[Thought]:
        """Finds the tool that a request means, and starts on it."""
        several = self.chooser.several(text)
        if several:
            state.agenda = several[1:]
            text = several[0]
        ranked = self.chooser.rank(state, text)
        fact = self._fact(text, ranked)
        if fact:
            return [Say(fact)]
        near = self.chooser.candidates(ranked)
        if not near:
            return self._no_tool(state, text)
        state.failures = 0
        if len(near) == 1 and (
            near[0].strength >= FIT or not self.chooser.rash(near[0].tool, text)
        ):
            return self.desk.begin(state, near[0].tool.name, text)
        state.choice = Choice(tuple(one.tool.name for one in near), text)
        return [Say(wording.choose_between([one.tool for one in near]))]

    def _fact(self, text: str, ranked: Sequence[Candidate]) -> str:
        """A sentence of the instructions that answers the question better than a tool would."""
        if not asks(" ".join(words(text))):
            return ""
        fact = knowledge.best_fact(text, self.facts, self.desk.likeness)
        strength = ranked[0].strength if ranked else 0.0
        return fact.text if fact and fact.score > max(0.62, strength) else ""

    def _no_tool(self, state: State, text: str) -> list[Thought]:
        fact = knowledge.best_fact(text, self.facts, self.desk.likeness)
        if fact:
            return [Say(fact.text)]
        state.failures += 1
        tools = list(self.desk.tools.values())
        if len(content(words(text))) < 2 and state.failures < 2:
            return [Say("Sorry, I did not quite get that."), Say("What can I do for you?")]
        return [Say("I am afraid I cannot help with that."), Say(wording.abilities(tools, 3))]

    # ── turns that need no tool ──

    def _social(self, state: State, text: str, act: Act) -> list[Thought]:
        if act in {Act.GOODBYE, Act.DONE}:
            return self._leave(state)
        if act is Act.REPEAT:
            return [Say(state.said or "I have not said anything yet.")]
        if act is Act.NAME:
            state.caller = given_name(text)
        state.offered = act in {Act.THANKS, Act.NEVER_MIND}
        return [Say(sentence) for sentence in self.manners.reply(act, state)]

    def _leave(self, state: State) -> list[Thought]:
        state.task = state.choice = None
        farewell = Say("Thank you for calling. Goodbye.")
        tool = hang_up_tool(tuple(self.desk.tools.values()))
        return [farewell, Call(tool[0], tool[1])] if tool else [farewell]

    # ── what the tools answered ──

    def answered(self, state: State, ran: Ran) -> list[Thought]:
        """Puts a tool's answer into words."""
        asked = results.confirmation_in(ran.output)
        if asked:
            state.consent, state.question = ran, asked
            return [Say(asked)]
        if ran.tool == (hang_up_tool(tuple(self.desk.tools.values())) or ("",))[0]:
            return []
        reason = results.error_of(ran.output)
        if reason:
            return self._failed(reason, ran)
        told = results.tell(ran.output, self.desk.today, ran.given)
        state.rest = told.rest
        return [Say(sentence) for sentence in told.sentences]

    def _failed(self, reason: str, ran: Ran) -> list[Thought]:
        tool = self.desk.tools.get(ran.tool)
        text = reason.strip()
        text = text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")
        given = [slot for slot in tool.required if slot.name in ran.given] if tool else []
        way_on = "Would you like to try something else?"
        if given:
            way_on = (
                f"You can give me another {wording.thing(given[0])}, or ask for something else."
            )
        return [Say("I am sorry, that did not work."), Say(text), Say(way_on)]

    def next_on_agenda(self, state: State) -> list[Thought]:
        """Goes on with the next request of the same turn."""
        if state.task or state.consent or state.choice or not state.agenda:
            return []
        return self.request(state, state.agenda.pop(0))
