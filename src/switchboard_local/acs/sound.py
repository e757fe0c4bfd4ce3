"""Sound at a bridge: 20 ms at a time, 24 kHz mono PCM16, mixed as telephone conferences are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs] - soxr ships none

RATE: Final = 24_000
FRAME_MS: Final = 20
FRAME_BYTES: Final = RATE * 2 * FRAME_MS // 1000
SILENCE: Final = bytes(FRAME_BYTES)
_LOUD: Final = 200


@dataclass(frozen=True, slots=True)
class Spoken:
    """20 ms of somebody's sound, for everybody else or for `to` alone."""

    raw_id: str
    pcm: bytes
    to: frozenset[str] | None = None


def mixed(spoken: Sequence[Spoken]) -> bytes:
    """All of it at once; what is too loud is clipped."""
    match len(spoken):
        case 0:
            return SILENCE
        case 1:
            return spoken[0].pcm
        case _:
            total = np.zeros(FRAME_BYTES // 2, np.int32)
            for each in spoken:
                total += np.frombuffer(each.pcm, np.int16)
            return np.clip(total, -32_768, 32_767).astype(np.int16).tobytes()


def loud(pcm: bytes) -> bool:
    """Whether there is anything to hear."""
    return bool(np.abs(np.frombuffer(pcm, np.int16).astype(np.int32)).max(initial=0) > _LOUD)


def hum(ms: int, hertz: int = 440) -> bytes:
    """A tone that stands for a sound we do not have."""
    wave = 6000 * np.sin(np.arange(ms * RATE // 1000) * (2 * np.pi * hertz / RATE))
    return wave.astype(np.int16).tobytes()


def resampled(pcm: bytes, rate: int) -> bytes:
    """A whole sound at the bridge's rate."""
    samples = np.frombuffer(pcm, np.int16)
    return np.asarray(soxr.resample(samples, rate, RATE), np.int16).tobytes()  # pyright: ignore[reportUnknownMemberType] - no stubs


class Resampler:
    """Frames at one rate to frames at another, 20 ms for 20 ms, for one direction of one stream."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._stream = soxr.ResampleStream(from_rate, to_rate, 1, "int16", quality="LQ")
        self._frame_bytes = to_rate * 2 * FRAME_MS // 1000
        # The filter holds the first samples back: one frame of silence keeps the pace even.
        self._ready = bytearray(self._frame_bytes)

    def push(self, pcm: bytes) -> bytes:
        self._ready += self._stream.resample_chunk(np.frombuffer(pcm, np.int16)).tobytes()
        frame = bytes(self._ready[: self._frame_bytes])
        del self._ready[: self._frame_bytes]
        return frame.ljust(self._frame_bytes, b"\0")
