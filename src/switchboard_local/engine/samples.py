"""Audio as arrays: the few conversions the engine's parts share."""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr  # pyright: ignore[reportMissingTypeStubs] - soxr ships none

type Samples = npt.NDArray[np.float32]
"""Mono, -1 to 1."""

RATE_HZ: Final = 24_000
"""What the engine's parts take and give."""


def from_pcm(pcm: bytes) -> Samples:
    """Samples of 16-bit little-endian audio; an odd last byte is dropped."""
    whole = memoryview(pcm)[: len(pcm) // 2 * 2]
    return np.frombuffer(whole, dtype="<i2").astype(np.float32) / np.float32(32768)


def to_pcm(samples: Samples) -> bytes:
    """16-bit little-endian audio, clipped where it must be."""
    return (np.clip(samples, -1, 32767 / 32768) * 32768).astype("<i2").tobytes()


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The same sound at another rate, of a whole recording at once."""
    if from_hz == to_hz or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, from_hz, to_hz), dtype=np.float32)  # pyright: ignore[reportUnknownMemberType] - no stubs


def silence(ms: float) -> Samples:
    """24 kHz silence."""
    return np.zeros(int(RATE_HZ * ms / 1000), dtype=np.float32)


def frame_levels(samples: Samples, frame: int) -> Samples:
    """Root mean square of each whole frame of `frame` samples; one frame at least."""
    count = max(1, len(samples) // frame)
    padded = np.zeros(count * frame, dtype=np.float32)
    padded[: min(len(samples), count * frame)] = samples[: count * frame]
    return np.sqrt(np.mean(padded.reshape(count, frame) ** 2, axis=1))
