"""What a line does to a voice. Pure: samples in, samples out; the same seed, the same noise."""

import math
import random
from array import array
from collections import deque
from operator import mul
from typing import Final

from switchboard.conversation.audio import FRAME_MS
from switchboard.evals.scenario import Line

FRAME_BYTES: Final = 960
"""20 ms of 24 kHz."""
SILENCE: Final = bytes(FRAME_BYTES)
RATE_HZ: Final = 24_000
_PASSED: Final = 0.86
"""The share of a narrow line's band that is kept: up to 3.4 kHz of a telephone's 4."""
_TAPS: Final = 95
"""Of the filter. It falls off within 1.4 kHz, and by more than 60 dB."""
_NOISE_FRAMES: Final = 50
_LOUD: Final = 300
"""A peak above this is speech, not the line."""


class LineSound:
    """One caller's line."""

    def __init__(self, line: Line, seed: int) -> None:
        self._line = line
        self._chance = random.Random(seed)  # noqa: S311  (noise)
        self._noise = self._noises() if line.noise_db is not None else []
        self._at = 0
        self._buffer: deque[bytes] = deque()
        """What has been said and is not due yet, lost frames as silence."""
        self._waiting: bytes | None = None

    def narrowed(self, pcm: bytes) -> bytes:
        """As a line of fewer hertz leaves it. Takes a while: not on the event loop."""
        if self._line.rate_hz == RATE_HZ:
            return pcm
        return _low(pcm, _PASSED * self._line.rate_hz / 2)

    def frame(self, pcm: bytes) -> bytes:
        """The next 20 ms that the far end hears, as the voice says these."""
        return self._noisy(self._in_order(self._arrived(pcm)))

    def _arrived(self, pcm: bytes) -> bytes:
        """What is heard of this frame by the time that its turn has come."""
        line = self._line
        lost = bool(line.loss) and self._chance.random() < line.loss
        if line.jitter_ms:
            late = self._chance.expovariate(1 / line.jitter_ms) > line.buffer_ms
            self._buffer.append(SILENCE if late or lost else pcm)
            waits = -(-line.buffer_ms // FRAME_MS)
            return self._buffer.popleft() if len(self._buffer) > waits else SILENCE
        return SILENCE if lost else pcm

    def _in_order(self, pcm: bytes) -> bytes:
        """Or not: one frame waits here, and may be overtaken by the next."""
        if not self._line.swapped:
            return pcm
        if self._waiting is not None and self._chance.random() < self._line.swapped:
            return pcm  # it overtakes
        waiting, self._waiting = self._waiting, pcm
        return SILENCE if waiting is None else waiting

    def _noisy(self, pcm: bytes) -> bytes:
        if not self._noise:
            return pcm
        noise = self._noise[self._at % len(self._noise)]
        self._at += 1
        mixed = (
            max(-32_768, min(32_767, a + b)) for a, b in zip(array("h", pcm), noise, strict=True)
        )
        return array("h", mixed).tobytes()

    def _noises(self) -> list[array[int]]:
        spread = 32_768 * math.pow(10, (self._line.noise_db or -90) / 20)
        samples = FRAME_BYTES // 2
        return [
            array("h", (round(self._chance.gauss(0, spread)) for _ in range(samples)))
            for _ in range(_NOISE_FRAMES)
        ]


def is_loud(frame: bytes) -> bool:
    """Whether somebody speaks in it."""
    return bool(frame) and max(array("h", frame)) > _LOUD


def frames(pcm: bytes) -> list[bytes]:
    """In pieces of 20 ms, the last filled up with silence."""
    pieces = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
    return [piece + bytes(FRAME_BYTES - len(piece)) for piece in pieces]


def stereo(left: list[bytes], right: list[bytes]) -> bytes:
    """Frames of two voices as one: left, right, left …"""
    both = array("h")
    for one, other in zip(left, right, strict=True):
        pair = array("h", bytes(2 * FRAME_BYTES))
        pair[0::2], pair[1::2] = array("h", one), array("h", other)
        both.extend(pair)
    return both.tobytes()


def _low(pcm: bytes, cutoff_hz: float) -> bytes:
    """Without what is above; a windowed sinc, and no later than it was."""
    middle = _TAPS // 2
    taps = [_sinc(2 * cutoff_hz / RATE_HZ, at - middle) * _window(at) for at in range(_TAPS)]
    whole = sum(taps)
    taps = [each / whole for each in taps]
    samples = array("h", bytes(2 * middle) + pcm + bytes(2 * middle))
    count = len(pcm) // 2
    low = (sum(map(mul, taps, samples[at : at + _TAPS])) for at in range(count))
    return array("h", (max(-32_768, min(32_767, round(each))) for each in low)).tobytes()


def _sinc(band: float, at: int) -> float:
    return band if at == 0 else math.sin(math.pi * band * at) / (math.pi * at)


def _window(at: int) -> float:
    """Blackman's."""
    turn = math.tau * at / (_TAPS - 1)
    return 0.42 - 0.5 * math.cos(turn) + 0.08 * math.cos(2 * turn)
