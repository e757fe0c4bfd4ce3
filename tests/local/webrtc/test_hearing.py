"""The caller's audio on its way in: packets lost, late, forged; silence where nothing comes."""

import numpy as np
import pytest

from switchboard_local.realtime.webrtc.sound import OPUS_RATE_HZ, Ear

pytest.importorskip("aiortc", reason="WebRTC cannot be had here")

from aiortc.rtp import RtpPacket

from switchboard_local.realtime.webrtc.jitter import PACKETS_BURST, StraightIn

FRAME = np.full(960 * 2, 1000, np.int16)
"""20 ms of Opus, decoded."""


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def packet(number: int, payload: bytes = b"x") -> RtpPacket:
    return RtpPacket(
        payload_type=111,
        sequence_number=number & 0xFFFF,
        timestamp=960 * number & 0xFFFFFFFF,
        payload=payload,
    )


def decoded(buffer: StraightIn, *numbers: int) -> list[int]:
    """Which of the packets are decoded, and in which order."""
    frames = [buffer.add(packet(number))[1] for number in numbers]
    return [frame.timestamp // 960 for frame in frames if frame is not None]


def test_every_packet_is_heard_at_once_and_a_lost_one_holds_up_none() -> None:
    assert decoded(StraightIn(Clock()), 5, 6, 7, 9, 10) == [5, 6, 7, 9, 10]


def test_what_comes_twice_or_too_late_is_not_heard() -> None:
    assert decoded(StraightIn(Clock()), 5, 6, 6, 8, 7, 9) == [5, 6, 8, 9]


def test_numbers_begin_again_after_the_last() -> None:
    assert decoded(StraightIn(Clock()), 65_534, 65_535, 65_536, 65_537) == [
        65_534,
        65_535,
        65_536,
        65_537,
    ]


def test_an_empty_packet_does_not_reach_the_decoder() -> None:
    assert StraightIn(Clock()).add(packet(1, b"")) == (False, None)


def test_a_flood_is_not_decoded() -> None:
    clock = Clock()
    buffer = StraightIn(clock)
    assert len(decoded(buffer, *range(5000))) == PACKETS_BURST
    clock.now += 1
    assert len(decoded(buffer, *range(5000, 10_000))) == 120


def heard_ms(*pieces: bytes) -> float:
    return sum(map(len, pieces)) / 48


def test_frames_are_heard_as_long_as_they_are() -> None:
    ear = Ear()
    pieces = [ear.hear(at * 960, FRAME) for at in range(100)]
    assert heard_ms(*pieces) == pytest.approx(2000, abs=30)
    assert np.frombuffer(pieces[50], np.int16).mean() == pytest.approx(1000, abs=5)


def test_what_was_lost_is_heard_as_silence() -> None:
    ear = Ear()
    pieces = [ear.hear(at * 960, FRAME) for at in range(100) if not 40 <= at < 60]
    assert heard_ms(*pieces) == pytest.approx(2000, abs=30)
    assert np.frombuffer(b"".join(pieces), np.int16)[23_000:25_000].max() < 10


def test_time_passes_for_a_caller_who_sends_nothing() -> None:
    ear = Ear()
    pieces = [ear.hear(at * 960, FRAME) for at in range(50)]
    pieces += [ear.pass_quietly(500), ear.pass_quietly(500)]
    pieces += [ear.hear(at * 960, FRAME) for at in range(100, 150)]
    assert heard_ms(*pieces) == pytest.approx(3000, abs=30)


def test_frames_that_were_only_late_are_heard_all_the_same() -> None:
    ear = Ear()
    pieces = [ear.hear(0, FRAME), ear.pass_quietly(500)]
    pieces += [ear.hear(at * 960, FRAME) for at in range(1, 26)]
    assert heard_ms(*pieces) == pytest.approx(20 + 500 + 500, abs=30)


def test_a_stream_that_begins_anew_is_not_filled_up_to() -> None:
    ear = Ear()
    pieces = [ear.hear(0, FRAME), ear.hear(OPUS_RATE_HZ * 3600, FRAME)]
    assert heard_ms(*pieces) < 60
