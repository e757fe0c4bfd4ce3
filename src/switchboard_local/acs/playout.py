"""The application's audio on its way to the ears: queued as it comes, played in real time.

Pure: the bridge's clock takes 20 ms at a time and says what time it is. So what was really played
is known here, to the sample; the live service tells nobody.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MAX_STRETCHES: Final = 1000
MAX_STOPS: Final = 1000


class Ending(Enum):
    """How a stretch of sound came to its end."""

    DRY = "dry"
    """Nothing more was there to play."""
    STOPPED = "stopped"
    """StopAudio cut it off."""


@dataclass(slots=True)
class Stretch:
    """Sound played without a gap. Times are the clock's, in seconds."""

    began_s: float
    played_bytes: int = 0
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """One StopAudio: when, and what it kept from the ears."""

    at_s: float
    played_bytes: int
    """Of all that was played until then."""
    dropped_bytes: int


@dataclass(slots=True)
class Playout:
    """A queue with a limit. Bytes are of 16-bit mono at the stream's own rate."""

    frame_bytes: int
    limit_bytes: int
    played_bytes: int = 0
    overrun_bytes: int = 0
    """Dropped on arrival: the queue was full."""
    deepest_bytes: int = 0
    """The longest that the queue has been."""
    stretches: deque[Stretch] = field(default_factory=lambda: deque(maxlen=MAX_STRETCHES))
    stops: deque[Stop] = field(default_factory=lambda: deque(maxlen=MAX_STOPS))
    _waiting: bytearray = field(default_factory=bytearray)

    @property
    def waiting_bytes(self) -> int:
        return len(self._waiting)

    def put(self, pcm: bytes) -> None:
        """Play it after all that waits, as far as there is room."""
        room = self.limit_bytes - len(self._waiting)
        self._waiting += pcm[:room]
        self.overrun_bytes += max(0, len(pcm) - room)
        self.deepest_bytes = max(self.deepest_bytes, len(self._waiting))

    def take(self, now_s: float) -> bytes | None:
        """The next 20 ms, its end silent where there is not enough; `None` if there is nothing."""
        if not self._waiting:
            self._end(Ending.DRY)
            return None
        sound = bytes(self._waiting[: self.frame_bytes])
        del self._waiting[: self.frame_bytes]
        self._stretch(now_s).played_bytes += len(sound)
        self.played_bytes += len(sound)
        return sound.ljust(self.frame_bytes, b"\0")

    def stop(self, now_s: float) -> Stop:
        """Nothing that waits is played."""
        stop = Stop(now_s, self.played_bytes, len(self._waiting))
        self._waiting.clear()
        self._end(Ending.STOPPED)
        self.stops.append(stop)
        return stop

    def _stretch(self, now_s: float) -> Stretch:
        if not self.stretches or self.stretches[-1].ending is not None:
            self.stretches.append(Stretch(now_s))
        return self.stretches[-1]

    def _end(self, how: Ending) -> None:
        if self.stretches and self.stretches[-1].ending is None:
            self.stretches[-1].ending = how
