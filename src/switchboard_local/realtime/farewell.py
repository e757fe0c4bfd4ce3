"""How a client's connection ends."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Farewell:
    """The close code and reason that its client sees."""

    code: int
    reason: str


GONE: Final = Farewell(1000, "")
EXPIRED: Final = Farewell(1001, "session_expired")
BROKEN: Final = Farewell(1011, "server_error")
TOO_SLOW: Final = Farewell(1008, "slow_reader")
TOO_FAST: Final = Farewell(1008, "rate_limit_exceeded")
DROPPED: Final = Farewell(1006, "")
"""No close frame at all: the connection is cut."""
