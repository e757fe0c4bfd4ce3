"""The audio of a WebRTC caller: Opus' 48 kHz stereo, placed in time, as the engine's PCM."""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr  # pyright: ignore[reportMissingTypeStubs] - ships none

OPUS_RATE_HZ: Final = 48_000
MAX_GAP: Final = OPUS_RATE_HZ
"""Samples of a hole in the stream that are filled; a longer one is a stream begun anew."""
_RATE_HZ: Final = 24_000

type Samples = npt.NDArray[np.int16]


class Ear:
    """One caller's stream. What was lost on the way, or not sent, is heard as silence.

    Without that, time would stand still for whoever counts a silence to find the end of a turn.
    """

    def __init__(self) -> None:
        self._stream = soxr.ResampleStream(OPUS_RATE_HZ, _RATE_HZ, 1, dtype="int16")
        self._at: int | None = None
        """Where the next sample is expected, in the stream's own time."""

    def hear(self, at: int, stereo: Samples) -> bytes:
        """A decoded frame whose first sample is at `at`, interleaved; as 24 kHz mono."""
        mono = stereo.reshape(-1, 2).mean(axis=1).astype(np.int16)
        gap = 0 if self._at is None else at - self._at
        self._at = at + len(mono)
        if 0 < gap <= MAX_GAP:
            mono = np.concatenate((np.zeros(gap, np.int16), mono))
        return self._stream.resample_chunk(mono).tobytes()

    def pass_quietly(self, duration_ms: int) -> bytes:
        """Nothing came for so long."""
        count = duration_ms * OPUS_RATE_HZ // 1000
        if self._at is not None:
            self._at += count
        return self._stream.resample_chunk(np.zeros(count, np.int16)).tobytes()
