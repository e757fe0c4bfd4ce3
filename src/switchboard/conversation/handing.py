"""How a caller is handed to a human: once the agent was heard to say so, and never twice at once.

                                  ┌─▶ transferred: the call is over
asked ──heard──▶ gone ──(answered)┴─▶ briefing ──heard──▶ joining ──▶ handed over: the call is over
  └─ the caller speaks    └─ busy, no answer, declined … ──▶ the tool says so, and the agent goes on
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, cast

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddNote,
    ClearTimer,
    HandOver,
    RingHuman,
    RunTool,
    SetTimer,
    TransferCall,
)
from switchboard.conversation.events import LineOutcome, LineTold, ToolAnswered, ToolOutcome
from switchboard.conversation.replies import Running, Wanted, Why
from switchboard.conversation.rules import Human
from switchboard.conversation.stage import Stage
from switchboard.conversation.wishing import Wishing

TIMER: Final = "handing"
MAX_REASON: Final = 300


class Step(Enum):
    ASKED = auto()
    """The agent wants it, and was not heard to say so yet."""
    GONE = auto()
    """The line is at it; the caller waits."""
    BRIEFING = auto()
    """The human has answered and is told what it is about; the caller does not hear it."""
    JOINING = auto()


@dataclass(slots=True)
class Errand:
    """One caller on the way to one human."""

    call_id: str
    """The tool call that the model waits for."""
    human: Human
    reason: str
    warm: bool
    """The human is rung while the caller waits, and briefed."""
    reply_id: str
    """The reply in which the agent asked for it: it may say so."""
    said: bool
    began: float
    step: Step = Step.ASKED
    ordered: bool = False
    """By an operator, not by the agent's tool."""


class Handing:
    def __init__(
        self, stage: Stage, wishing: Wishing, answered: Callable[[ToolAnswered], None]
    ) -> None:
        """`answered` takes the tool's result to the model."""
        self._wishing = wishing
        self._stage = stage
        self._answered = answered
        self._errand: Errand | None = None

    @property
    def under_way(self) -> bool:
        return self._errand is not None

    def requested(self, asked: RunTool, reply_id: str, *, spoke: bool) -> None:
        """The agent's tool. `spoke`: something of the same reply is heard, or will be."""
        stage, rules = self._stage, self._stage.rules
        if self._errand is not None:
            self.refuse(asked.call_id, wording.ALREADY_HANDING)
            return
        name, reason = _read(asked.arguments)
        human = rules.humans.get(name)
        if human is None:
            self.refuse(asked.call_id, wording.nobody_called(rules.humans))
            return
        if human.at_console and rules.service_plays:
            self.refuse(asked.call_id, wording.NO_HUMANS)
            return
        if human.at_console:
            self._wishing.requested(asked.call_id, human, reason)
            return
        if stage.speaking:
            self.refuse(asked.call_id, wording.CALLER_SPOKE)
            return
        warm = asked.name == rules.bring_in_tool
        self._errand = Errand(asked.call_id, human, reason, warm, reply_id, spoke, stage.now)
        stage.emit(SetTimer(TIMER, stage.now + rules.goodbye_s))

    def ordered(self, human: Human) -> None:
        """By an operator, who is told by notices what becomes of it. No tool call waits for it."""
        stage, rules = self._stage, self._stage.rules
        if self._errand is not None or not stage.present:
            stage.tell_operator("not_handed", wording.NOT_NOW)
            return
        if human.at_console:
            self._wishing.ring(human, "")
            return
        warm = rules.bring_in_tool is not None
        call_id = stage.new_id("order")
        errand = Errand(call_id, human, "", warm, "", stage.taken, stage.now, ordered=True)
        self._errand = errand
        if stage.taken:  # the operator has said so
            self._go_on(errand)
            return
        words = wording.handing(warm=warm)
        stage.replies.want(Wanted(Why.HANDING, words, allow_tools=False))
        stage.emit(SetTimer(TIMER, stage.now + rules.goodbye_s))

    def refuse(self, call_id: str, why: str) -> None:
        """It cannot be, and nothing was done."""
        output = json.dumps({"status": "not_done", "say": why}, ensure_ascii=False)
        self._answered(ToolAnswered(call_id, output, ToolOutcome.FAILED, 0.0))

    def call_off(self, why: str) -> None:
        """Whoever speaks before it has begun is not sent away."""
        errand = self._errand
        if errand is not None and errand.step is Step.ASKED:
            self._stage.replies.drop(frozenset({Why.HANDING}))
            self._over()
            if errand.ordered:
                self._stage.tell_operator("not_handed", wording.CALLED_OFF)
            else:
                self.refuse(errand.call_id, why)

    # -- the agent's words ----------------------------------------------------------------------

    def reply_sounds(self, reply_id: str) -> None:
        if self._errand and reply_id == self._errand.reply_id:
            self._errand.said = True

    def reply_done(self, running: Running, *, unsaid: bool) -> None:
        """`unsaid`: it ended before a word of it was said, or will be tried again."""
        errand = self._errand
        if errand is None or errand.said:
            return
        if running.wanted and running.wanted.why in (Why.HANDING, Why.BRIEFING):
            errand.said = not unsaid
            if unsaid:
                self._stage.replies.want(running.wanted)
        elif running.reply_id == errand.reply_id and errand.step is Step.ASKED:
            says = Wanted(Why.HANDING, wording.handing(warm=errand.warm), allow_tools=False)
            self._stage.replies.want(says)

    def agent_silent(self) -> None:
        """Everything was heard: what was to be said first has been."""
        if self._errand and self._errand.said:
            self._go_on(self._errand)

    def timer(self) -> None:
        """Nothing came of what was to be said first. Nobody waits for it any longer."""
        if self._errand:
            self._go_on(self._errand)

    # -- the line -------------------------------------------------------------------------------

    def told(self, event: LineTold) -> str | None:
        """What the line did. Why the call is over, if that ends it."""
        errand = self._errand
        if errand is None or event.call_id != errand.call_id:
            return None
        if errand.step not in (Step.GONE, Step.JOINING):
            return None
        if event.outcome is not LineOutcome.DONE:
            self._back(errand, event.outcome)
            return None
        if errand.step is Step.GONE and errand.warm:
            self._brief(errand, apart=event.apart)
            return None
        self._over()
        self._answer(errand, ToolOutcome.OK, status="done")
        return "handed_over" if errand.warm else "transferred"

    def _go_on(self, errand: Errand) -> None:
        stage = self._stage
        if errand.step is Step.ASKED:
            errand.step = Step.GONE
            stage.gone = stage.gate.deaf = True
            command = RingHuman if errand.warm else TransferCall
            stage.emit(ClearTimer(TIMER), ClearTimer("silence"))
            stage.emit(command(errand.call_id, errand.human))
        elif errand.step is Step.BRIEFING:
            errand.step = Step.JOINING
            stage.replies.drop(frozenset({Why.BRIEFING}))
            stage.emit(ClearTimer(TIMER), HandOver(errand.call_id))

    def _brief(self, errand: Errand, *, apart: bool) -> None:
        """The human is there. What is meant for them is said only where the caller cannot hear;
        that the call is recorded, in any case."""
        stage = self._stage
        errand.step, errand.said = Step.BRIEFING, False
        recorded = stage.may_record
        if not apart and not recorded:
            self._go_on(errand)
            return
        # Whatever waits was meant for the caller; should they come back, it is asked for anew.
        stage.replies.queue.clear()
        words = (
            wording.briefing(errand.human.name, errand.reason, recorded=recorded)
            if apart
            else wording.recorded(errand.human.name)
        )
        stage.replies.want(Wanted(Why.BRIEFING, words, allow_tools=False))
        stage.emit(SetTimer(TIMER, stage.now + stage.rules.goodbye_s))

    def _back(self, errand: Errand, outcome: LineOutcome) -> None:
        """The caller is the agent's again, who says what has happened."""
        stage = self._stage
        self._over()
        stage.gone = stage.gate.deaf = False
        said = wording.not_handed(outcome, errand.human.name)
        if errand.ordered:
            stage.tell_operator("not_handed", wording.not_reached(outcome, errand.human.name))
            if not stage.taken:
                stage.emit(AddNote(stage.new_id("note"), f"({said})"))
                stage.replies.want(Wanted(Why.WHISPER))
        else:
            self._answer(errand, ToolOutcome.FAILED, status=outcome.value, say=said)
        stage.await_caller()  # should the answer be no news to the model

    def _over(self) -> None:
        self._errand = None
        self._stage.emit(ClearTimer(TIMER))

    def _answer(self, errand: Errand, outcome: ToolOutcome, **answer: str) -> None:
        took_ms = (self._stage.now - errand.began) * 1_000
        output = json.dumps(answer, ensure_ascii=False)
        self._answered(ToolAnswered(errand.call_id, output, outcome, took_ms))


def _read(arguments: str) -> tuple[str, str]:
    """Who is wanted, and why. Empty where the model did not say."""
    try:
        given: object = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return "", ""
    known = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    human, reason = known.get("human"), known.get("reason")
    name = human if isinstance(human, str) else ""
    words = reason if isinstance(reason, str) else ""
    # JSON may smuggle in half a surrogate pair, which no socket can carry.
    return name, " ".join(words.encode("utf-8", "replace").decode().split())[:MAX_REASON]
