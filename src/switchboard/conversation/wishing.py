"""A caller's wish for a human rings in the operators' console, while the agent goes on talking.

ringing ─┬─ an operator takes the call over
         ├─ withdrawn: the caller no longer wants it
         └─ nobody is there, or comes in time: the agent says so, and offers what the profile says
"""

import json
from collections.abc import Callable
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddNote,
    ClearTimer,
    NoteWish,
    RingConsole,
    SetTimer,
    WishState,
)
from switchboard.conversation.events import ToolAnswered, ToolOutcome
from switchboard.conversation.replies import Wanted, Why
from switchboard.conversation.rules import Human
from switchboard.conversation.stage import Stage

TIMER: Final = "wish"


class Wishing:
    def __init__(self, stage: Stage, answered: Callable[[ToolAnswered], None]) -> None:
        """`answered` takes the tool's result to the model."""
        self._stage = stage
        self._answered = answered
        self._human: Human | None = None
        self._reason = ""

    @property
    def rings(self) -> bool:
        return self._human is not None

    def requested(self, call_id: str, human: Human, reason: str) -> None:
        """The agent's tool."""
        self.ring(human, reason)
        output = json.dumps({"status": "ringing", "say": wording.RINGING}, ensure_ascii=False)
        self._answered(ToolAnswered(call_id, output, ToolOutcome.OK, 0.0))

    def ring(self, human: Human, reason: str) -> bool:
        """Whether it rings from now on, and did not before."""
        stage = self._stage
        if self.rings or stage.taken:
            return False
        self._human, self._reason = human, reason
        stage.emit(SetTimer(TIMER, stage.now + human.rings_s), RingConsole())
        self._note(human, WishState.RINGING)
        stage.notice("ringing", wording.IS_RINGING)
        return True

    def taken(self) -> None:
        """An operator has the call."""
        self._over(WishState.TAKEN)

    def withdrawn(self) -> None:
        """The caller no longer wants it. The agent hears of that as of something said."""
        if self._over(WishState.WITHDRAWN):
            self._stage.emit(AddNote(self._stage.new_id("wish"), wording.WISH_WITHDRAWN))
            self._stage.notice("wish_withdrawn", wording.RINGS_NO_MORE)

    def missed(self) -> None:
        """Nobody is there, nobody came in time, or an operator said no."""
        stage = self._stage
        if (human := self._over(WishState.MISSED)) is None:
            return
        stage.emit(AddNote(stage.new_id("wish"), wording.nobody_came(human.name)))
        stage.notice("nobody_came", wording.NOBODY_FREE)
        words = wording.notice(human.nobody) if human.nobody else wording.NOBODY_CAME
        stage.replies.want(Wanted(Why.NOBODY, words, allow_tools=False))

    def _over(self, state: WishState) -> Human | None:
        """Who was wanted until now, if anybody."""
        human, self._human = self._human, None
        if human is not None:
            self._stage.emit(ClearTimer(TIMER))
            self._note(human, state)
        return human

    def _note(self, human: Human, state: WishState) -> None:
        self._stage.emit(NoteWish(state, human.name, self._reason))
