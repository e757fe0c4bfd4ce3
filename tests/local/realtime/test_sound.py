"""Audio formats: G.711 against its published values, and streams that join without a seam."""

import math
from array import array

import pytest

from switchboard_local.realtime.session_object import Format, Pcm, Pcma, Pcmu
from switchboard_local.realtime.sound import bytes_per_ms, hearing, saying

PCMU, PCMA = Pcmu(type="audio/pcmu"), Pcma(type="audio/pcma")


def sine(duration_ms: int, hertz: float = 440) -> bytes:
    count = duration_ms * 24
    step = 2 * math.pi * hertz / 24_000
    return array("h", (int(9000 * math.sin(step * i)) for i in range(count))).tobytes()


def level(samples: bytes) -> float:
    values = array("h", samples)
    return math.sqrt(sum(value * value for value in values) / max(1, len(values)))


@pytest.mark.parametrize(
    ("format", "code", "sample"),
    [
        (PCMU, 0xFF, 0),
        (PCMU, 0x80, 32_124),
        (PCMU, 0x00, -32_124),
        (PCMU, 0xEF, 132),
        (PCMA, 0xD5, 8),
        (PCMA, 0x55, -8),
        (PCMA, 0xAA, 32_256),
        (PCMA, 0x2A, -32_256),
    ],
)
def test_a_code_stands_for_its_published_sample(format: Format, code: int, sample: int) -> None:
    heard = array("h", hearing(format).feed(bytes([code]) * 4000, last=True))
    middle = heard[len(heard) // 2]
    assert middle == pytest.approx(sample, abs=max(2, abs(sample) // 100))


@pytest.mark.parametrize("format", [PCMU, PCMA])
def test_silence_stays_silence(format: Format) -> None:
    assert level(hearing(format).feed(saying(format).feed(bytes(4800), last=True), last=True)) < 10


@pytest.mark.parametrize("format", [Pcm(), PCMU, PCMA])
def test_a_tone_survives_there_and_back(format: Format) -> None:
    tone = sine(1000)
    wire = saying(format).feed(tone, last=True)
    assert len(wire) == pytest.approx(1000 * bytes_per_ms(format), rel=0.01)
    back = hearing(format).feed(wire, last=True)
    assert len(back) == pytest.approx(len(tone), rel=0.01)
    assert level(back) == pytest.approx(level(tone), rel=0.05)


@pytest.mark.parametrize("format", [Pcm(), PCMU, PCMA])
def test_pieces_join_to_the_same_stream(format: Format) -> None:
    tone = sine(300)
    whole = saying(format).feed(tone, last=True)
    stream = saying(format)
    pieces = [stream.feed(tone[at : at + 777]) for at in range(0, len(tone), 777)]
    joined = b"".join(pieces) + stream.feed(b"", last=True)
    assert len(joined) == len(whole)
    # The resampler dithers: no two runs of it are the same to the last bit.
    one, other = (array("h", hearing(format).feed(data, last=True)) for data in (joined, whole))
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < 600
