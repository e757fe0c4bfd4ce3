"""Cuts what a telephone hears into stretches that ears can put in words."""

from dataclasses import dataclass, field
from typing import Final

from switchboard_local.acs.sound import FRAME_MS, RATE, loud

STRETCH_MS: Final = 20_000
"""The longest that is listened to before it is put in words."""
PAUSE_MS: Final = 500
"""A silence that ends a stretch."""


@dataclass(slots=True)
class Stretches:
    """Of one ear. Silence before a stretch is no part of it."""

    _stretch: bytearray = field(default_factory=bytearray)
    _silence_ms: int = 0

    def push(self, frame: bytes) -> bytes | None:
        """20 ms more; the stretch that they end, if they do."""
        self._silence_ms = 0 if loud(frame) else self._silence_ms + FRAME_MS
        if self._stretch or not self._silence_ms:
            self._stretch += frame
        long = len(self._stretch) >= STRETCH_MS * RATE * 2 // 1000
        if not self._stretch or not (long or self._silence_ms >= PAUSE_MS):
            return None
        stretch = bytes(self._stretch)
        self._stretch.clear()
        return stretch

    def rest(self) -> bytes:
        """The stretch that nothing has ended, where the call has."""
        stretch = bytes(self._stretch)
        self._stretch.clear()
        return stretch
