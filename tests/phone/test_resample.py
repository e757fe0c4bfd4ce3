"""A stream of 16 kHz sounds the same, piece by piece as in one."""

import base64
import itertools
import math
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.phone.resample import TAPS, Resampler, SixteenKilohertz


def tone(hz: float, rate_hz: int, ms: int) -> bytes:
    count = rate_hz * ms // 1_000
    wave = (round(10_000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(count))
    return struct.pack(f"<{count}h", *wave)


def loudness(pcm: bytes) -> float:
    """RMS of the middle, where the filter is full."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)[2 * TAPS : -2 * TAPS]
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


@pytest.mark.parametrize("hz", [200, 1_000, 3_400, 5_000])
@pytest.mark.parametrize(("up", "down", "rate_hz"), [(3, 2, 16_000), (2, 3, 24_000)])
def test_a_voice_keeps_its_loudness(hz: int, up: int, down: int, rate_hz: int) -> None:
    heard = Resampler(up, down).feed(tone(hz, rate_hz, 200))
    assert len(heard) == len(tone(hz, rate_hz, 200)) * up // down
    assert loudness(heard) == pytest.approx(10_000 / math.sqrt(2), rel=0.05)


def test_what_16_khz_cannot_carry_is_not_folded_into_what_it_can() -> None:
    heard = Resampler(2, 3).feed(tone(11_000, 24_000, 200))
    assert loudness(heard) < 10_000 / math.sqrt(2) * 0.01


def test_a_tone_keeps_its_pitch() -> None:
    heard = Resampler(3, 2).feed(tone(1_000, 16_000, 200))
    samples = struct.unpack(f"<{len(heard) // 2}h", heard)
    rises = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
    assert abs(rises - 200) <= 2


@settings(max_examples=20)
@given(st.lists(st.integers(0, 700), max_size=6), st.sampled_from([(3, 2), (2, 3)]))
def test_pieces_make_the_same_stream_as_the_whole(
    sizes: Sequence[int], ratio: tuple[int, int]
) -> None:
    whole = tone(440, 16_000, 400)[: 2 * sum(sizes)]
    stream, pieces, at = Resampler(*ratio), b"", 0
    for size in sizes:
        pieces += stream.feed(whole[at : at + 2 * size])
        at += 2 * size
    assert pieces == Resampler(*ratio).feed(whole)


def test_twenty_milliseconds_stay_twenty() -> None:
    line = SixteenKilohertz()
    for _ in range(5):
        heard = line.from_ear(base64.b64encode(bytes(640)).decode())
        assert len(base64.b64decode(heard)) == 960
        sent = line.to_ear(base64.b64encode(bytes(960)).decode())
        assert len(base64.b64decode(sent)) == 640


def test_the_loudest_is_cut_not_turned_around() -> None:
    square = struct.pack("<320h", *([32_767] * 160 + [-32_768] * 160))
    heard = struct.unpack("<480h", Resampler(3, 2).feed(square))
    assert max(heard) == 32_767
    assert all(sample > 0 for sample in heard[40:220])
