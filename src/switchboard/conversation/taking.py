"""A call that we placed has been taken: by a machine, perhaps, and then by what the rules say."""

from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import ClearTimer, SetTimer
from switchboard.conversation.endings import Endings
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.machine import TURNS, WITHIN_MS, MachinePolicy, Taker, judge
from switchboard.conversation.stage import Stage

TONE_S: Final = 2.0
"""A machine that has said nothing for so long records: its tone is over by then."""
MACHINE_SPEAKS_S: Final = 60.0
"""The longest greeting that is waited for."""
CHARS_A_SECOND: Final = 8.0
"""How fast a message is spoken at the slowest."""


class Taking:
    """Judges the first words that are heard; once it was a machine, sees the call to its end."""

    def __init__(self, stage: Stage, endings: Endings, hearing: Hearing) -> None:
        self._stage = stage
        self._endings = endings
        self._hearing = hearing
        self._words: list[str] = []
        self._spoken_ms = 0.0
        self._from_ms: float | None = None
        self._waits = False
        """For the machine to record."""

    def speech_started(self, at_ms: float) -> None:
        self._from_ms = at_ms
        if self._waits:
            self._stage.emit(SetTimer("machine", self._stage.now + MACHINE_SPEAKS_S))

    def speech_stopped(self, at_ms: float) -> None:
        if self._from_ms is not None:
            self._spoken_ms += max(0.0, at_ms - self._from_ms)
            self._from_ms = None
        if self._waits:
            self._stage.emit(SetTimer("machine", self._stage.now + TONE_S))

    def words(self, text: str) -> None:
        """The words of a turn of theirs are known."""
        rule, stage = self._stage.rules.machine, self._stage
        if rule is None or rule.policy is MachinePolicy.GO_ON or self._waits or stage.taken:
            return
        if len(self._words) >= TURNS or stage.at_ms > WITHIN_MS or self._endings.leaving:
            return
        self._words.append(text)
        if judge(" ".join(self._words), self._spoken_ms) is not Taker.MACHINE:
            return
        stage.notice("answering_machine", "An answering machine took the call.")
        if rule.policy is MachinePolicy.HANG_UP:
            self._endings.end("answering_machine")
            return
        self._waits = True
        self._hearing.barge_in(by_service=False)
        patience_s = TONE_S if stage.speaking is None else MACHINE_SPEAKS_S
        stage.emit(SetTimer("machine", stage.now + patience_s), ClearTimer("silence"))

    def reply_started(self, *, ours: bool) -> None:
        """Nobody is there to be answered: what the service begins by itself is silenced."""
        if self._waits and not ours:
            self._hearing.barge_in(by_service=False)

    def leave_message(self) -> None:
        """The machine records."""
        rule, stage = self._stage.rules.machine, self._stage
        if rule is None or not self._waits:
            return
        self._waits = False
        text = rule.message or ""
        self._endings.leave("message_left", wording.message(text))
        spoken_s = len(text) / CHARS_A_SECOND
        stage.emit(SetTimer("goodbye", stage.now + stage.rules.goodbye_s + spoken_s))
