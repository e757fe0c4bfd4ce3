"""How a call ends: politely, once the goodbye was heard; in time; within its budget."""

from dataclasses import dataclass

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddToolOutput,
    ClearTimer,
    EndCall,
    Floor,
    NoteUsage,
    RunTool,
    SetTimer,
)
from switchboard.conversation.events import LineTold, ToolRequested, Usage
from switchboard.conversation.handing import Handing
from switchboard.conversation.money import cost_usd
from switchboard.conversation.playing import Playing
from switchboard.conversation.replies import Running, Wanted, Why
from switchboard.conversation.stage import Stage, Turn

OPERATOR = "operator"
"""An operator ends the call."""
BUDGET_WARNING = 0.8
"""The share of the budget at which the caller is told."""
DAY_BUDGET = "day_budget"
"""Why a call ends that the day's budget is used up for."""


@dataclass(slots=True)
class Leaving:
    """The call is to end once the goodbye was heard."""

    reason: str
    forced: bool
    """Not to be talked out of: the time or the money is up, or the server stops."""
    reply_id: str | None = None
    """The reply in which the agent hung up: it may hold the goodbye."""
    said: bool = False
    instructions: str | None = None
    """What the goodbye is to say, where the house says it."""


class Endings:
    def __init__(self, stage: Stage, playing: Playing, handing: Handing) -> None:
        self._stage = stage
        self._handing = handing
        self._playing = playing
        self._silences = 0
        self._warned = False
        self.cost_usd = 0.0
        self.leaving: Leaving | None = None
        self._put_off: tuple[str, str] | None = None
        """Why the call is to end once an operator has given it back, and the goodbye for it."""

    def call_began(self) -> None:
        rules = self._stage.rules
        limit = self._stage.began + rules.max_call_s
        self._stage.emit(SetTimer("limit", limit))
        warn = limit - rules.warn_before_s
        if 0 < rules.warn_before_s < rules.max_call_s and warn >= self._stage.now:
            self._stage.emit(SetTimer("warn", warn))

    def timer(self, name: str) -> None:
        match name:
            case "warn":
                self._warn(wording.time_left(self._stage.rules.warn_before_s))
            case "limit":
                self.leave("max_duration", wording.TIME_UP)
            case "reattach":
                self.end("caller_lost")
            case "goodbye" if self._stage.taken:
                pass  # whoever has the call ends it
            case "goodbye":
                self.end(self.leaving.reason if self.leaving else "ended")
            case "silence":
                self._caller_silent()
            case _:
                pass

    def caller_acts(self) -> None:
        """A sign of life: an unforced hang-up is called off, and so is a transfer."""
        self._silences = 0
        self._handing.call_off(wording.CALLER_SPOKE)
        if self.leaving and not self.leaving.forced:
            self.leaving = None
            self._stage.replies.drop(frozenset({Why.GOODBYE}))
            self._stage.emit(ClearTimer("goodbye"))

    def agent_hangs_up(self, event: ToolRequested) -> None:
        """The agent's own tool: the line stays open until its goodbye was heard."""
        stage = self._stage
        stage.emit(AddToolOutput(event.call_id, '{"status": "ok"}'))
        if self.leaving or self._handing.under_way or stage.taken:
            return
        spoke = self._spoke(event.reply_id)
        self.leaving = Leaving("agent_ended", False, event.reply_id, said=spoke)
        stage.emit(SetTimer("goodbye", stage.now + stage.rules.goodbye_s))

    def leave(self, reason: str, instructions: str, *, forced: bool = True) -> None:
        """End the call after a goodbye, or after `goodbye_s` without one."""
        if self.leaving and self.leaving.forced:
            return
        if self._stage.taken:
            self._put_off = self._put_off or (reason, instructions)
            self._stage.tell_operator("put_off", wording.PUT_OFF)
            return
        self._handing.call_off(wording.CALL_ENDS)
        self.leaving = Leaving(reason, forced, instructions=instructions)
        self._stage.replies.want(Wanted(Why.GOODBYE, instructions, allow_tools=False))
        self._stage.emit(SetTimer("goodbye", self._stage.now + self._stage.rules.goodbye_s))

    def put_off(self) -> None:
        """An operator has the call: a goodbye that must be is said once it is given back."""
        self._handing.call_off(wording.IS_TAKEN)
        leaving, self.leaving = self.leaving, None
        if leaving and leaving.forced and leaving.instructions:
            self._put_off = (leaving.reason, leaving.instructions)
            self._stage.tell_operator("put_off", wording.PUT_OFF)
        self._stage.replies.drop(frozenset({Why.GOODBYE}))
        self._stage.emit(ClearTimer("goodbye"))

    def resume(self) -> None:
        """The agent has the call again."""
        put_off, self._put_off = self._put_off, None
        if put_off is not None:
            self.leave(*put_off)

    def agent_hands(self, asked: RunTool, reply_id: str) -> None:
        """The agent wants a human to have the caller: once it was heard to say so."""
        if self.leaving or self._stage.taken:
            why = wording.CALL_ENDS if self.leaving else wording.IS_TAKEN
            self._handing.refuse(asked.call_id, why)
            return
        self._handing.requested(asked, reply_id, spoke=self._spoke(reply_id))

    def line_told(self, event: LineTold) -> None:
        """What the line did. A caller who is with a human is no caller of ours any more."""
        if (reason := self._handing.told(event)) is not None:
            self.end(reason)

    def order_human(self, name: str) -> None:
        """An operator has the caller handed to somebody."""
        human = self._stage.rules.humans.get(name)
        if human is not None and self.leaving is None:
            self._handing.ordered(human)

    def requested(self, reason: str, politely: bool) -> None:
        if self._stage.taken and reason == OPERATOR:
            self.end(reason)  # who has the call says goodbye in person
        elif politely and self._stage.ready and self._stage.present:
            self.leave(reason, wording.DAY_OVER if reason == DAY_BUDGET else wording.STOPPING)
        else:
            self.end(reason)

    def reply_sounds(self, reply_id: str) -> None:
        self._handing.reply_sounds(reply_id)
        if self.leaving and reply_id == self.leaving.reply_id:
            self.leaving.said = True

    def reply_done(self, running: Running, *, unsaid: bool) -> None:
        """`unsaid`: it ended before a word of it was said, or will be tried again."""
        self._handing.reply_done(running, unsaid=unsaid)
        leaving = self.leaving
        if leaving is None or leaving.said:
            return
        if running.wanted and running.wanted.why is Why.GOODBYE:
            leaving.said = not unsaid
            if unsaid:
                self._stage.replies.want(running.wanted)
        elif running.reply_id == leaving.reply_id:
            goodbye = Wanted(Why.GOODBYE, wording.GOODBYE, allow_tools=False)
            self._stage.replies.want(goodbye)

    def agent_silent(self) -> bool:
        """Everything was heard. Whether that ends the call."""
        if self.leaving and self.leaving.said:
            self.end(self.leaving.reason)
        else:
            self._handing.agent_silent()
        return self._stage.ended

    def spend(self, reply_id: str, usage: Usage) -> None:
        rules = self._stage.rules
        cost = cost_usd(usage, rules.price) if rules.price else None
        self._stage.emit(NoteUsage(reply_id, usage, cost))
        self.cost_usd += cost or 0.0
        if rules.budget_usd is None:
            return
        if self.cost_usd >= rules.budget_usd:
            self.leave("budget", wording.TIME_UP)
        elif self.cost_usd >= rules.budget_usd * BUDGET_WARNING:
            self._warn(wording.BUDGET_NEARLY_SPENT)

    def end(self, reason: str) -> None:
        """Nothing is waited for any more."""
        if not self._stage.ended:
            self._stage.ended = True
            self._stage.gate.close()
            self._stage.emit(EndCall(reason))

    def _spoke(self, reply_id: str) -> bool:
        """Whether this reply has said something: aloud, or in words that nobody has to hear."""
        stage = self._stage
        written = stage.settling.kept.intersection(stage.settling.messages.get(reply_id, ()))
        aloud = any(item.reply_id == reply_id for item in stage.gate.sounding.values())
        return aloud or bool(written) or self._playing.sounds(reply_id)

    def _warn(self, instructions: str) -> None:
        if not self._warned:
            self._warned = True
            if self._stage.taken:
                self._stage.tell_operator("nearly_over", wording.NEARLY_OVER)
                return
            self._stage.replies.want(Wanted(Why.WARNING, instructions, allow_tools=False))

    def _caller_silent(self) -> None:
        stage = self._stage
        if stage.floor is not Floor.NOBODY or not stage.listening:
            return
        if self._silences >= stage.rules.reprompts:
            self.leave("silence", wording.SILENCE_GOODBYE, forced=False)
            return
        self._silences += 1
        stage.turn = Turn(typed=stage.turn.typed)  # a prompt is no answer: it has no latency
        stage.replies.want(Wanted(Why.SILENCE, wording.SILENCE, allow_tools=False))
