"""A media socket is a caller's leg: paced, silenced at once, and it knows what was heard."""

import base64
import json

import anyio
import pytest

from switchboard.access.rates import Rate
from switchboard.conversation.commands import StopPlayout
from switchboard.conversation.events import CallerAway, CallerPressed, Heard
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.phone.codec import STOP_AUDIO
from switchboard.phone.leg import SILENCE
from switchboard.phone.limits import MediaLimits
from switchboard.phone.playout import LEAD_MS
from tests.phone.peers import FRAME, TONE, Line, legs

SECOND = base64.b64encode(b"\x01\x02" * 24_000).decode()
STOP = json.loads(STOP_AUDIO)


def heard(line: Line) -> list[Heard]:
    return [event for event in line.said if isinstance(event, Heard)]


def last(line: Line) -> tuple[str, float]:
    """The item that was last said to be heard, and how much of it."""
    report = heard(line)[-1]
    return report.item_id, report.ms


async def test_the_caller_is_passed_on_undecoded_silence_and_keys_too() -> None:
    async with legs() as house, house.line() as line:
        await line.carrier.opens()
        await line.carrier.hears(TONE)
        await line.carrier.says("AudioData", audioData={"silent": True})
        await line.carrier.says("DtmfData", dtmfData={"data": "5"})
        await line.carrier.says("SomethingNew", somethingNew={})
        await line.carrier.says("DtmfData", dtmfData={"data": "#"})
        await line.until(lambda: len(line.said) == 4)
        assert line.said == [
            CallerAudio(TONE),
            CallerAudio(SILENCE),
            CallerPressed("5"),
            CallerPressed("#"),
        ]


async def test_a_reply_leaves_just_ahead_of_the_ear_and_what_was_heard_is_said() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        assert await line.carrier.played(10) == [b"\x01\x02" * 480] * 10
        await line.pass_time(140)
        assert len(await line.carrier.played(7)) == 7
        await line.until(lambda: heard(line))
        assert 100 <= heard(line)[-1].ms <= 140
        await line.pass_time(860)
        assert len(await line.carrier.played(33)) == 33
        await line.until(lambda: heard(line)[-1].ms == pytest.approx(1_000))


async def test_nothing_is_played_before_the_stream_says_what_it_is() -> None:
    async with legs() as house, house.line() as line:
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        await line.pass_time(1_000)
        await line.is_open()
        assert len(await line.carrier.played(10)) == 10
        await line.pass_time(60)
        line.leg.command(StopPlayout())
        await line.until(lambda: heard(line) and last(line) == ("i1", pytest.approx(60)))


async def test_a_barge_in_stops_the_sound_at_once_and_for_good() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        await line.pass_time(130)
        line.leg.command(StopPlayout())
        line.leg.play(ReplyAudio("r1", "i1", SECOND))  # late audio of the old reply
        line.leg.play(ReplyAudio("r1", "i1b", SECOND))
        await line.pass_time(500)
        line.leg.play(ReplyAudio("r2", "i2", TONE))
        said = [await line.carrier.next()]
        while said[-1] != STOP:
            said.append(await line.carrier.next())
        assert await line.carrier.played(1) == [b"\x01\x02" * 480]
        await line.until(lambda: last(line) == ("i1", pytest.approx(130)))
        await line.pass_time(100)
        await line.until(lambda: last(line) == ("i2", pytest.approx(20)))


async def test_after_a_barge_in_nothing_more_is_sent_of_what_was_to_be_played() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        line.leg.command(StopPlayout())
        ahead = 0
        while await line.carrier.next() != STOP:
            ahead += 1
        assert 20 * ahead == LEAD_MS
        await line.until(lambda: line.said)
        assert line.said == [Heard("i1", 0.0)]
        await line.pass_time(1_000)
        line.leg.command(StopPlayout())
        assert await line.carrier.next() == STOP


async def test_a_barge_in_says_what_was_heard_even_of_nothing() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.command(StopPlayout())
        assert await line.carrier.next() == STOP


async def test_on_hold_the_reply_waits() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        await line.pass_time(100)
        line.leg.hold()
        await line.pass_time(3_000)
        await line.until(lambda: heard(line))
        assert heard(line)[-1].ms == pytest.approx(100)
        line.leg.resume()
        await line.pass_time(900)
        await line.until(lambda: heard(line)[-1].ms == pytest.approx(1_000))


async def test_a_stream_of_16_khz_is_heard_and_played_too() -> None:
    async with legs() as house, house.line() as line:
        await line.carrier.opens(16_000)
        await line.carrier.hears(base64.b64encode(bytes(640)).decode())
        await line.until(lambda: line.said)
        assert line.said == [CallerAudio(FRAME)]
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        assert [len(frame) for frame in await line.carrier.played(3)] == [640] * 3


async def test_the_way_to_the_ear_is_taken_into_account() -> None:
    async with legs(latency_ms=80) as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        await line.pass_time(200)
        line.leg.command(StopPlayout())
        await line.until(lambda: heard(line) and last(line) == ("i1", pytest.approx(120)))


async def test_a_lost_socket_is_away_and_hangs_nobody_up() -> None:
    async with legs() as house:
        async with house.line() as line:
            await line.is_open()
            line.carrier.socket.transport.abort()
            await line.over.wait()
        assert line.said == [CallerAway()]
        assert line.hung_up == []


async def test_when_the_call_ends_the_telephone_is_hung_up() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        await line.leg.close("goodbye")
        assert await line.carrier.closed() == 1000
        await line.over.wait()
        assert (line.said, line.hung_up) == ([], ["call"])


async def test_a_socket_that_another_replaced_hangs_nobody_up() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        await line.leg.close("replaced")
        assert await line.carrier.closed() == 1000
        assert line.hung_up == []


async def test_a_few_bad_frames_are_forgiven_many_are_not() -> None:
    limits = MediaLimits(faults=Rate(0.01, 3))
    async with legs(limits=limits) as house, house.line() as line:
        await line.is_open()
        for _ in range(3):
            await line.carrier.says("AudioData")
        await line.carrier.hears(TONE)
        await line.until(lambda: line.said)
        assert line.said == [CallerAudio(TONE)]
        await line.carrier.says("AudioData")
        await line.over.wait()
        assert line.said[-1] == CallerAway()


async def test_more_audio_than_a_caller_can_speak_is_dropped() -> None:
    limits = MediaLimits(audio_ms=Rate(1_000, 100))
    async with legs(limits=limits) as house, house.line() as line:
        await line.carrier.opens()
        for _ in range(50):
            await line.carrier.hears(TONE)
        await line.carrier.says("DtmfData", dtmfData={"data": "1"})
        await line.until(lambda: CallerPressed("1") in line.said)
        assert line.said.count(CallerAudio(TONE)) == 5


async def test_more_than_can_be_played_ends_the_leg() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        for _ in range(125):
            line.leg.play(ReplyAudio("r1", "i1", SECOND))
        await line.over.wait()
        assert line.said[-1] == CallerAway()


@pytest.mark.parametrize("audio", ['"}', "AAA", "AAAA"])
async def test_what_is_no_audio_never_reaches_the_wire(audio: str) -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", audio))
        line.leg.play(ReplyAudio("r1", "i1", TONE))
        await line.pass_time(200)
        assert await line.carrier.played(1) == [b"\x01\x02" * 480]


async def test_a_carrier_that_does_not_read_is_cut_off_and_nothing_piles_up() -> None:
    limits = MediaLimits(stall_s=0.2, idle_s=1_000, close_s=0.1)
    async with legs(limits=limits) as house, house.line(max_queue=1) as line:
        await line.is_open()
        line.carrier.socket.transport.pause_reading()
        line.leg.play(ReplyAudio("r1", "i1", SECOND * 100))
        with anyio.fail_after(20):
            while not line.over.is_set():
                await line.pass_time(40)
                await anyio.sleep(0)  # noqa: ASYNC115  (plain yields)
        assert line.said[-1] == CallerAway()
        line.carrier.socket.transport.abort()


async def test_a_carrier_that_falls_silent_is_away() -> None:
    limits = MediaLimits(idle_s=0.2, close_s=0.1)
    async with legs(limits=limits) as house, house.line() as line:
        await line.is_open()
        house.clock.now += 1
        assert await line.carrier.closed() == 1000
        await line.over.wait()
        assert line.said[-1] == CallerAway()


async def test_the_metronome_beats_for_those_who_play_and_rests_with_them() -> None:
    async with legs() as house, house.line() as line, anyio.create_task_group() as tasks:
        tasks.start_soon(house.metronome.run)
        await line.is_open()
        line.leg.play(ReplyAudio("r1", "i1", SECOND))
        with anyio.fail_after(20):
            for _ in range(50):
                await line.carrier.played(1)
                line.clock.now += 0.02
        tasks.cancel_scope.cancel()
