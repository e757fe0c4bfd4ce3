"""An operator speaks with the caller in the agent's place, and gives the call back.

talking ──TakenOver──▶ taken ──HandedBack──▶ the agent is told, and goes on
                         │  ╲ OperatorAway ──a few seconds──▶ the same, with one apology
                         └─ the caller is still heard and written down; no reply is asked for
"""

from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import AddNote, ClearTimer, Floor, HoldReplies, SetTimer
from switchboard.conversation.endings import Endings
from switchboard.conversation.floor import Cue
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.renewing import Renewing
from switchboard.conversation.replies import FLEETING, Wanted, Why
from switchboard.conversation.stage import Stage, Turn
from switchboard.conversation.tooling import Tooling
from switchboard.conversation.wishing import Wishing

TIMER: Final = "desk"
_STALE: Final = FLEETING | {Why.HANDING, Why.DICTATED, Why.WARNING, Why.NOBODY}
"""What the agent was about to say, and what no one will want to hear from it afterwards."""
_SETTLED: Final = frozenset({Why.TAKEN, Why.TYPED, Why.RETRY})
"""What the operator has answered meanwhile."""


class Operating:
    def __init__(
        self,
        stage: Stage,
        endings: Endings,
        hearing: Hearing,
        tooling: Tooling,
        renewing: Renewing,
        wishing: Wishing,
    ) -> None:
        self._stage = stage
        self._endings = endings
        self._hearing = hearing
        self._tooling = tooling
        self._renewing = renewing
        self._wishing = wishing
        self._by = ""
        self._since = 0.0
        self._announcing = False
        """The agent is to say, or says, that a person has taken over."""
        self._reply_id = ""

    @property
    def impossible(self) -> str | None:
        """Why nobody can take this call over now, in words for the operator."""
        if self._stage.rules.service_plays:
            return wording.NO_MOUTH
        return wording.ON_THE_WAY if self._stage.gone else None

    @property
    def open(self) -> bool:
        """The operator's voice may go to the caller now."""
        stage = self._stage
        return stage.taken and stage.listening_to_operator and not self._announcing

    def taken_over(self, by: str) -> None:
        stage = self._stage
        if self.impossible:
            return
        self._by = by
        stage.emit(ClearTimer(TIMER))
        if stage.taken:
            return  # back in time, or another in their place
        stage.taken = True
        self._since = stage.now
        self._hearing.barge_in(by_service=False)
        self._endings.put_off()
        self._tooling.withdraw_questions()
        self._wishing.taken()
        stage.replies.drop(_STALE)
        stage.owed = False
        stage.turn = Turn(typed=stage.turn.typed)
        stage.emit(ClearTimer("owed"), ClearTimer("silence"), HoldReplies(True))
        stage.notice("taken_over", wording.TAKEN_OVER)
        if stage.rules.taken_over:
            self._announcing, self._reply_id = True, ""
            line = wording.notice(stage.rules.taken_over)
            stage.replies.want_first(Wanted(Why.TAKEN, line, allow_tools=False))

    def away(self) -> None:
        """The operator's line was lost. They have a moment to come back."""
        stage = self._stage
        if stage.taken:
            stage.emit(SetTimer(TIMER, stage.now + stage.rules.desk_s))

    def timer(self) -> None:
        self.handed_back(None, lost=True)

    def handed_back(self, summary: str | None, *, lost: bool = False) -> None:
        """`summary`: what was said meanwhile, where the operator says so."""
        stage = self._stage
        if not stage.taken:
            return
        stage.taken = self._announcing = False
        stage.replies.drop(_SETTLED)
        told = wording.meanwhile(self._by, stage.now - self._since, summary, lost=lost)
        stage.emit(ClearTimer(TIMER), HoldReplies(False), AddNote(stage.new_id("desk"), told))
        stage.notice("handed_back", wording.AGENT_AGAIN)
        self._renewing.handed_back()
        self._endings.resume()
        if self._endings.leaving is None:
            words = wording.OPERATOR_LOST if lost else wording.HANDED_BACK
            stage.replies.want(Wanted(Why.BACK, words))
        stage.await_caller()

    def session_ready(self) -> None:
        """A new session answers by itself, until it is told not to."""
        if self._stage.taken:
            self._stage.emit(HoldReplies(True))

    def look(self) -> None:
        """Follow what the agent still has to say, and give it no floor beyond that."""
        stage = self._stage
        if not stage.taken:
            return
        if self._announcing:
            self._follow()
        waiting = stage.floor in (Floor.AGENT, Floor.THINKING) and not self._announcing
        if waiting and stage.replies.free and not stage.settling.pending:
            stage.cue(Cue.AGENT_SILENT)

    def _follow(self) -> None:
        stage = self._stage
        for running in stage.replies.running.values():
            if running.wanted is not None and running.wanted.why is Why.TAKEN:
                self._reply_id = running.reply_id
        asked = stage.replies.asked
        to_come = stage.replies.next_is(Why.TAKEN) or (asked and asked[1].why is Why.TAKEN)
        sounds = any(
            item.reply_id == self._reply_id and not item.cut and not item.heard_out
            for item in stage.gate.sounding.values()
        )
        running = self._reply_id in stage.replies.running
        if not (to_come or running or sounds):
            self._announcing = False
