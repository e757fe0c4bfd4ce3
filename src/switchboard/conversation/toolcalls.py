"""Tool calls of a call: each answered exactly once, dangerous ones only after the caller agreed.

A `confirm` tool is never run on its first request. It is answered at once with the question to
ask; the same request (same canonical arguments), made after a later turn of the caller that *we*
judged as consent, runs it, once, within the window. No words from that turn, no consent.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from switchboard.conversation.commands import (
    AddToolOutput,
    ClearTimer,
    Command,
    NoteTool,
    RunTool,
    SetTimer,
    ToolState,
)
from switchboard.conversation.consent import Verdict, judge
from switchboard.conversation.events import ToolAnswered, ToolOutcome, ToolRequested
from switchboard.conversation.rules import Rules

CONSENT = "consent"
HOLD = "hold:"


@dataclass(slots=True)
class Card:
    """What is shown and kept of one tool call. A proposal and its later run share one."""

    id: str
    name: str
    arguments: str
    began_ms: float
    question: str | None = None

    def note(
        self, state: ToolState, *, result: str | None = None, duration_ms: float | None = None
    ) -> NoteTool:
        question = self.question if state is ToolState.ASKING else None
        return NoteTool(
            self.id, self.name, self.arguments, state, self.began_ms, result, duration_ms, question
        )


@dataclass(slots=True)
class Open:
    """A call that the model waits for."""

    card: Card
    reply_id: str


@dataclass(slots=True)
class Proposal:
    """A dangerous call that waits for the caller's word."""

    card: Card
    reply_id: str
    expires_at: float
    asked: bool = False
    """The question reached the caller."""
    waiting: set[str] = field(default_factory=set[str])
    """Turns of the caller, begun after the question, whose words are not known yet."""
    agreed: bool = False
    held: ToolRequested | None = None
    """The repeated request, while those words are awaited."""


@dataclass(slots=True)
class ToolCalls:
    rules: Rules
    open: dict[str, Open] = field(default_factory=dict[str, Open])
    """Unanswered calls by call id."""
    proposals: dict[tuple[str, str], Proposal] = field(
        default_factory=dict[tuple[str, str], Proposal]
    )
    _seen: set[str] = field(default_factory=set[str])

    @property
    def running(self) -> bool:
        return bool(self.open)

    def batch_open(self, reply_id: str) -> bool:
        """Whether another call of the same reply is still unanswered."""
        return any(call.reply_id == reply_id for call in self.open.values())

    def is_new(self, call_id: str) -> bool:
        """Whether this call was never seen before: a service may name it twice."""
        if call_id in self._seen:
            return False
        self._seen.add(call_id)
        return True

    def request(self, event: ToolRequested, now: float, at_ms: float) -> list[Command]:
        """Run it, ask first, hold it until the caller's words are known, or refuse it."""
        card = Card(event.call_id, event.name, event.arguments, at_ms)
        if len(self.open) >= self.rules.max_tools_at_once:
            self.open[event.call_id] = Open(card, event.reply_id)
            return self._answer(event.call_id, ToolState.FAILED, error="Too many tools at once.")
        rule = self.rules.tools.get(event.name)
        if rule is None or rule.confirm is None:
            return self._run(event, card)
        if rule.accepts and not rule.accepts(event.arguments):
            return self._run(event, card)  # only to be refused in words, before it does anything
        return self._confirm(event, card, rule.confirm, now)

    def answered(self, event: ToolAnswered) -> list[Command]:
        """Hand a result to the model. A second answer to the same call goes nowhere."""
        if (call := self.open.pop(event.call_id, None)) is None:
            return []
        state = ToolState.DONE if event.outcome is ToolOutcome.OK else ToolState.FAILED
        return [
            AddToolOutput(event.call_id, event.output),
            call.card.note(state, result=event.output, duration_ms=event.duration_ms),
        ]

    def spoke(self, reply_id: str) -> None:
        """A reply reached the caller: it carries the questions asked before it."""
        for proposal in self.proposals.values():
            if proposal.reply_id != reply_id:
                proposal.asked = True

    def turn_began(self, item_id: str) -> None:
        """The caller speaks or types: perhaps the answer to the newest question."""
        for proposal in self._newest():
            if proposal.asked:
                proposal.waiting.add(item_id)

    def turn_words(self, item_id: str, words: str, now: float) -> list[Command]:
        """The words of a caller's turn; empty where they could not be had."""
        verdict = judge(words, self.rules.yes_words, self.rules.no_words)
        commands: list[Command] = []
        for proposal in [p for p in self.proposals.values() if item_id in p.waiting]:
            proposal.waiting.discard(item_id)
            commands += self._take_verdict(proposal, verdict, now)
        return commands

    def decide(self, card_id: str, agreed: bool, now: float) -> list[Command] | None:
        """A button, a key or an operator decided. `None` if there is no such open question."""
        for proposal in self.proposals.values():
            if proposal.card.id == card_id and not (agreed and proposal.agreed):
                proposal.waiting.clear()
                return self._take_verdict(proposal, Verdict.YES if agreed else Verdict.NO, now)
        return None

    def asking(self) -> str | None:
        """The card of the newest question, which a telephone key would answer."""
        return next((p.card.id for p in self._newest() if p.asked), None)

    def held(self) -> list[str]:
        """The calls that wait for the words of a turn."""
        return [p.held.call_id for p in self.proposals.values() if p.held]

    def hold_over(self, call_id: str, now: float) -> list[Command]:
        """The words did not come in time: no consent, so the question stands."""
        for proposal in self.proposals.values():
            if proposal.held and proposal.held.call_id == call_id:
                held, proposal.held = proposal.held, None
                return self._ask_again(proposal, held, now)
        return []

    def expire(self, now: float) -> list[Command]:
        """Forget questions that nobody answered."""
        commands: list[Command] = []
        for key, proposal in list(self.proposals.items()):
            if proposal.expires_at <= now:
                del self.proposals[key]
                commands.append(proposal.card.note(ToolState.ABANDONED))
                if proposal.held:
                    commands += self._answer_held(proposal.held, "expired")
        return [*commands, *self._arm()]

    def withdraw(self) -> list[Command]:
        """The questions that were asked are asked no more: nothing agrees to them now."""
        commands: list[Command] = []
        for key, proposal in list(self.proposals.items()):
            del self.proposals[key]
            commands.append(proposal.card.note(ToolState.ABANDONED))
            if proposal.held:
                commands += self._answer_held(proposal.held, "withdrawn")
        return [*commands, *self._arm()]

    def abandon(self) -> list[Command]:
        """The call is over: say of every unanswered call that it was left."""
        notes: list[Command] = [call.card.note(ToolState.ABANDONED) for call in self.open.values()]
        notes += [p.card.note(ToolState.ABANDONED) for p in self.proposals.values()]
        self.open.clear()
        self.proposals.clear()
        return notes

    # -- within ---------------------------------------------------------------------------------

    def _run(self, event: ToolRequested, card: Card) -> list[Command]:
        self.open[event.call_id] = Open(card, event.reply_id)
        return [
            RunTool(event.call_id, event.name, event.arguments),
            card.note(ToolState.RUNNING),
        ]

    def _confirm(
        self, event: ToolRequested, card: Card, template: str, now: float
    ) -> list[Command]:
        key = (event.name, canonical(event.arguments))
        proposal = self.proposals.get(key)
        if proposal is None or proposal.expires_at <= now:
            card.question = fill(template, event.arguments)
            proposal = Proposal(card, event.reply_id, now + self.rules.consent_window_s)
            self.proposals[key] = proposal
            return self._ask_again(proposal, event, now)
        # Whoever has agreed and speaks again may be taking it back: those words come first.
        if proposal.agreed and not proposal.waiting:
            del self.proposals[key]
            return self._run(event, proposal.card)
        if proposal.waiting and proposal.held is None:
            proposal.held = event
            self.open[event.call_id] = Open(proposal.card, event.reply_id)
            return [SetTimer(HOLD + event.call_id, now + self.rules.consent_wait_s)]
        return self._ask_again(proposal, event, now)

    def _ask_again(self, proposal: Proposal, event: ToolRequested, now: float) -> list[Command]:
        proposal.asked = proposal.agreed = False
        proposal.waiting.clear()
        proposal.reply_id = event.reply_id
        proposal.expires_at = now + self.rules.consent_window_s
        self.open[event.call_id] = Open(proposal.card, event.reply_id)
        answer = {"status": "confirm", "say": proposal.card.question}
        return [*self._answer(event.call_id, ToolState.ASKING, **answer), *self._arm()]

    def _take_verdict(self, proposal: Proposal, verdict: Verdict, now: float) -> list[Command]:
        key = next(k for k, p in self.proposals.items() if p is proposal)
        held, proposal.held = proposal.held, None
        if verdict is Verdict.NO:
            del self.proposals[key]
            note = proposal.card.note(ToolState.DECLINED)
            return [note, *(self._answer_held(held, "declined") if held else []), *self._arm()]
        if verdict is Verdict.YES or proposal.agreed:
            proposal.agreed = True
            if held is None or proposal.waiting:
                proposal.held = held
                return []
            del self.proposals[key]
            self.open.pop(held.call_id, None)
            return [ClearTimer(HOLD + held.call_id), *self._run(held, proposal.card)]
        if held is None:
            return []
        return [ClearTimer(HOLD + held.call_id), *self._ask_again(proposal, held, now)]

    def _answer_held(self, held: ToolRequested, status: str) -> list[Command]:
        said = "The caller did not agree, so nothing was done."
        self.open.pop(held.call_id, None)
        output = json.dumps({"status": status, "say": said})
        return [ClearTimer(HOLD + held.call_id), AddToolOutput(held.call_id, output)]

    def _answer(self, call_id: str, state: ToolState, **answer: str | None) -> list[Command]:
        """Answer a call ourselves."""
        call = self.open.pop(call_id)
        output = json.dumps(answer, ensure_ascii=False)
        result = output if state is ToolState.FAILED else None
        return [AddToolOutput(call_id, output), call.card.note(state, result=result)]

    def _newest(self) -> list[Proposal]:
        """The proposals of the newest reply that made any: asked, and agreed to, in one."""
        if not self.proposals:
            return []
        newest = max(self.proposals.values(), key=lambda p: p.expires_at).reply_id
        return [p for p in self.proposals.values() if p.reply_id == newest]

    def _arm(self) -> list[Command]:
        if not self.proposals:
            return [ClearTimer(CONSENT)]
        return [SetTimer(CONSENT, min(p.expires_at for p in self.proposals.values()))]


def canonical(arguments: str) -> str:
    """The same arguments in the same words, whatever their order or spacing."""
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments


def fill(template: str, arguments: str) -> str:
    """The question with the arguments in their places; a missing one leaves a plain "it"."""
    try:
        values: Any = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        values = {}
    known = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
    filled = re.sub(r"\{(\w+)\}", lambda m: str(known.get(m[1], "it"))[:80], template)
    # JSON may smuggle in half a surrogate pair, which no socket can carry.
    return filled.encode("utf-8", "replace").decode()
