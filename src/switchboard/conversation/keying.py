"""A private entry: the caller keys what neither the model nor the record may know.

asked ──(the request was heard, and nothing records)──▶ open ──(the tool answers)──▶ over
  └────(the caller speaks first, or goes, or is not asked)──▶ given up ──(it answers)──▶ over
              whoever is on the way to a human is asked no more, open or not ──▲

From the request on, the caller's keys go past the conversation (`HideKeys`), and it only hears that
one was pressed. While it is open, the caller's voice goes nowhere either (`OpenKeypad`).
"""

from enum import Enum, auto
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    ClearTimer,
    CloseKeypad,
    HideKeys,
    OpenKeypad,
    SetTimer,
)
from switchboard.conversation.replies import Wanted, Why
from switchboard.conversation.stage import Stage

TIMER: Final = "keying"
OPEN_S: Final = 30.0
"""A request that was not heard to its end by then, or whose recording did not pause, comes to
nothing."""


class _Step(Enum):
    ASKED = auto()
    OPEN = auto()
    GIVEN_UP = auto()


class Keying:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._step: _Step | None = None
        self._call_id = ""
        self._reply_id = ""
        self._said = False
        """The reply that holds the request, or one of ours in its place, was heard of."""

    def began(self, call_id: str, reply_id: str) -> None:
        """The model has asked for a private entry, in this reply."""
        stage = self._stage
        if self._step is not None:
            return  # one at a time: the keypad refuses this one in words
        self._step, self._said = _Step.ASKED, False
        self._call_id, self._reply_id = call_id, reply_id
        stage.private, stage.keys = True, ""  # what was keyed just now may be its beginning
        stage.emit(HideKeys(), SetTimer(TIMER, stage.now + OPEN_S))
        if stage.recorded:
            stage.record(on=False)  # now: it takes a moment, and so does the request

    def look(self) -> None:
        """Open the keypad once the request was heard; ask for it if it was not made in words.
        Whoever is sent to a human meanwhile keys for that human, and not for us."""
        stage = self._stage
        if stage.gone:
            self.away()
        if self._step is not _Step.ASKED:
            return
        running = stage.replies.running.get(self._reply_id)
        self._said = self._said or (running is not None and running.sounded)
        if not self._said and running is None:
            self._said = True
            stage.replies.want(Wanted(Why.KEYS, wording.KEY_IN, allow_tools=False))
        busy = stage.replies.queue or stage.gate.sounding or stage.settling.pending
        if stage.replies.free and not busy and not stage.owed and not stage.speaking:
            self._open()

    def keyed(self) -> None:
        """A key was pressed, before the request was heard to its end perhaps."""
        if self._step is _Step.ASKED:
            self._stage.replies.drop(frozenset({Why.KEYS}))
            self._open()

    def interrupted(self) -> None:
        """The caller speaks instead, or is gone: nothing is collected any more."""
        if self._step is _Step.ASKED:
            self._give_up()

    def away(self) -> None:
        """The caller is, and whatever was keyed until then is worth nothing."""
        if self._step is _Step.OPEN:
            self._give_up()
        self.interrupted()

    def answered(self, call_id: str) -> None:
        """The tool has its answer: the model hears the caller again."""
        stage = self._stage
        if self._step is None or call_id != self._call_id:
            return
        self._step, stage.private = None, False
        stage.replies.drop(frozenset({Why.KEYS}))
        stage.emit(ClearTimer(TIMER), CloseKeypad())
        if stage.may_record:
            stage.record(on=True)

    def timer(self) -> None:
        self.interrupted()

    def _open(self) -> None:
        """Not while it is recorded: the recording's pause comes first."""
        if not self._stage.recorded:
            self._step = _Step.OPEN
            self._stage.emit(ClearTimer(TIMER), OpenKeypad())

    def _give_up(self) -> None:
        self._stage.replies.drop(frozenset({Why.KEYS}))
        self._step = _Step.GIVEN_UP
        self._stage.emit(ClearTimer(TIMER), CloseKeypad())
