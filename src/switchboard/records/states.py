"""Where a placed call can be."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a placed call is. It only moves on, and the last five are the end."""

    BOOKED = "booked"
    """Counted, and not yet given to the carrier."""
    RINGING = "ringing"
    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    MACHINE = "machine"
    """An answering machine took it; it is over."""
    ENDED = "ended"
    """Somebody took it; it is over."""


OPEN: Final = (State.BOOKED, State.RINGING, State.ANSWERED)
