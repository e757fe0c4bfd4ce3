"""The dialect's audio formats, and the way from each to the engine's 24 kHz PCM and back."""

from functools import cache
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import soxr  # pyright: ignore[reportMissingTypeStubs] - ships none

from switchboard_local.realtime.session_object import Format, Pcm

PCM_BYTES_PER_MS: Final = 48
"""24 kHz, 16 bits, mono: what the engine hears and speaks."""
G711_BYTES_PER_MS: Final = 8
_RATE_HZ: Final = 24_000
_G711_RATE_HZ: Final = 8_000

type Samples = npt.NDArray[np.int16]


def bytes_per_ms(format: Format) -> int:
    """Bytes on the wire of a millisecond of `format`."""
    return 2 * format.rate // 1000 if isinstance(format, Pcm) else G711_BYTES_PER_MS


class Converter(Protocol):
    """A stream of audio from one format to another. `last` gives out what is still held back."""

    def feed(self, data: bytes, *, last: bool = False) -> bytes: ...


class Plain:
    """PCM both sides: only keeps samples whole."""

    def __init__(self) -> None:
        self._odd = b""

    def feed(self, data: bytes, *, last: bool = False) -> bytes:  # noqa: ARG002 - nothing held
        whole = self._odd + data if self._odd else data
        cut = len(whole) & ~1
        self._odd = whole[cut:]
        return whole if cut == len(whole) else whole[:cut]


class Resampled:
    """PCM of one rate to PCM of another."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")
        self._whole = Plain()

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        samples = np.frombuffer(self._whole.feed(data), dtype=np.int16)
        return self._stream.resample_chunk(samples, last=last).tobytes()


class FromG711:
    """8 kHz G.711 to 24 kHz PCM."""

    def __init__(self, law: str) -> None:
        self._table = _decode_table(law)
        self._stream = soxr.ResampleStream(_G711_RATE_HZ, _RATE_HZ, 1, dtype="int16")

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        samples = self._table[np.frombuffer(data, dtype=np.uint8)]
        return self._stream.resample_chunk(samples, last=last).tobytes()


class ToG711:
    """24 kHz PCM to 8 kHz G.711."""

    def __init__(self, law: str) -> None:
        self._table = _encode_table(law)
        self._stream = soxr.ResampleStream(_RATE_HZ, _G711_RATE_HZ, 1, dtype="int16")
        self._whole = Plain()

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        samples = np.frombuffer(self._whole.feed(data), dtype=np.int16)
        low: Samples = self._stream.resample_chunk(samples, last=last)
        return self._table[low.astype(np.int32) + 32_768].tobytes()


def hearing(format: Format) -> Converter:
    """From what a client sends to what the engine hears."""
    if not isinstance(format, Pcm):
        return FromG711(format.type)
    return Plain() if format.rate == _RATE_HZ else Resampled(format.rate, _RATE_HZ)


def saying(format: Format) -> Converter:
    """From what the engine says to what a client asked for."""
    if not isinstance(format, Pcm):
        return ToG711(format.type)
    return Plain() if format.rate == _RATE_HZ else Resampled(_RATE_HZ, format.rate)


@cache
def _decode_table(law: str) -> Samples:
    """The 256 samples of G.711: eight segments of sixteen steps, each twice as wide as the last."""
    codes = np.arange(256)
    bits = codes ^ (0xFF if law == "audio/pcmu" else 0x55)
    segment, step = (bits >> 4) & 7, bits & 15
    if law == "audio/pcmu":
        size = ((step * 8 + 132) << segment) - 132
        return np.where(bits & 0x80, -size, size).astype(np.int16)
    size = np.where(segment == 0, step * 16 + 8, (step * 16 + 264) << np.maximum(segment - 1, 0))
    return np.where(bits & 0x80, size, -size).astype(np.int16)


@cache
def _encode_table(law: str) -> npt.NDArray[np.uint8]:
    """The code nearest to each of the 65,536 samples, from -32,768 up."""
    table = _decode_table(law).astype(np.int32)
    order = np.argsort(table, kind="stable")
    middles = (table[order][1:] + table[order][:-1]) / 2
    nearest = np.searchsorted(middles, np.arange(-32_768, 32_768), side="right")
    return order[nearest].astype(np.uint8)
