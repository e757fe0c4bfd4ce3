"""Between 16 and 24 kHz, for a stream that is not what we asked for. Pure Python: it is the
exception, and costs some percent of a core for each call."""

import base64
import math
import struct
from collections.abc import Sequence
from operator import mul
from typing import Final

TAPS: Final = 16
"""Of each phase of the filter: images and aliases are 40 dB down beyond its transition band."""
_PASSED: Final = 0.92
"""The share of the narrower band that is kept."""


class Resampler:
    """A stream of signed 16-bit mono at `up / down` times its rate; delayed by half a window."""

    def __init__(self, up: int, down: int) -> None:
        self._up = up
        self._down = down
        self._phases = _phases(up, down)
        self._samples: list[int] = [0] * (TAPS - 1)
        """The end of what came before, for the filter to look back at."""
        self._position = 0
        """Of the next sample to make, in steps of `1 / up`, from the first unread sample."""

    def feed(self, pcm: bytes) -> bytes:
        """What follows from these samples. Raises `struct.error` for half a sample."""
        new = struct.unpack(f"<{len(pcm) // 2}h", pcm)
        samples = [*self._samples, *new]
        end = len(new) * self._up
        made: list[int] = []
        for position in range(self._position, end, self._down):
            start, phase = divmod(position, self._up)
            value = sum(map(mul, self._phases[phase], samples[start : start + TAPS]))
            made.append(min(max(round(value), -32_768), 32_767))
        self._position += len(made) * self._down - end
        self._samples = samples[len(new) :]
        return struct.pack(f"<{len(made)}h", *made)


class SixteenKilohertz:
    """Base64 of one call's audio, between a stream of 16 kHz and our 24 kHz."""

    def __init__(self) -> None:
        self._from_ear = Resampler(3, 2)
        self._to_ear = Resampler(2, 3)

    def from_ear(self, audio: str) -> str:
        return _through(self._from_ear, audio)

    def to_ear(self, audio: str) -> str:
        return _through(self._to_ear, audio)


def _through(resampler: Resampler, audio: str) -> str:
    return base64.b64encode(resampler.feed(base64.b64decode(audio))).decode()


def _phases(up: int, down: int) -> Sequence[Sequence[float]]:
    """A windowed sinc at `up` times the rate, cut into `up` filters, oldest sample first."""
    cutoff = _PASSED / max(up, down)
    length = up * TAPS
    middle = (length - 1) / 2
    taps = [
        _sinc(cutoff * (n - middle)) * (0.42 - 0.5 * _turn(n, length) + 0.08 * _turn(2 * n, length))
        for n in range(length)
    ]
    phases = [taps[phase::up][::-1] for phase in range(up)]
    return [[tap / sum(phase) for tap in phase] for phase in phases]


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


def _turn(n: int, length: int) -> float:
    return math.cos(2 * math.pi * n / (length - 1))
