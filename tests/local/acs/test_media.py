"""The media socket: what the application hears, what of its own is really played."""

import asyncio
import base64
from array import array
from dataclasses import replace
from datetime import datetime

import jwt
import numpy as np
import pytest

from switchboard_local.acs.media import MediaStream
from switchboard_local.acs.people import Manner, Phone
from switchboard_local.acs.playout import Ending
from switchboard_local.acs.sound import FRAME_BYTES, hum
from tests.local.acs.peers import CALLER, COLLEAGUE, QUICK, Media, Town, eventually, town

LIVE = replace(QUICK, frame_s=0.02)


def noise(frames: int) -> bytes:
    """Frames that can be told apart, and none of them silent."""
    return b"".join(array("h", [1000 + i] * 480).tobytes() for i in range(frames))


async def stream(town: Town, phone: Phone, **more: str | bool) -> tuple[MediaStream, Media]:
    """A call with its media socket: ACS's end, and the application's."""
    _, call_id = await town.call_in(phone, media_streaming=town.streaming(**more))
    await town.app.told("MediaStreamingStarted", len(town.app.media) or 1)
    mine = await town.app.dialled()
    theirs = town.acs.calls[call_id].media
    assert theirs is not None
    return theirs, mine


async def test_the_socket_says_who_calls(quick: Town, caller: Phone) -> None:
    theirs, mine = await stream(quick, caller)
    call = next(iter(quick.acs.calls.values()))
    assert mine.headers["x-ms-call-connection-id"] == call.id
    assert mine.headers["x-ms-call-correlation-id"] == call.connection.names.correlation
    claims = jwt.decode(
        mine.headers["authorization"].removeprefix("Bearer "),
        quick.acs.signer.keys.signing.public,
        ["RS256"],
        audience=quick.acs.config.resource_id,
    )
    assert claims["exp"] - claims["iat"] == 24 * 3600
    await mine.until(lambda media: media.frames)
    assert mine.frames[0] == {
        "kind": "AudioMetadata",
        "audioMetadata": {
            "subscriptionId": theirs.id,
            "encoding": "PCM",
            "sampleRate": 24000,
            "channels": 1,
            "length": 960,
        },
    }


async def test_every_frame_of_six_seconds_arrives_in_order_and_in_time() -> None:
    async with town(LIVE, secure=True) as there:
        caller = there.acs.phone(CALLER)
        theirs, mine = await stream(there, caller)
        spoken = noise(300)
        began = asyncio.get_running_loop().time()
        await caller.calls[-1].say_out(spoken)
        took = asyncio.get_running_loop().time() - began
        await mine.until(lambda media: len(media.audio(silent=False)) >= 300)
        assert mine.pcm() == spoken
        assert took == pytest.approx(6, abs=0.3)
        assert theirs.lost_frames == 0
        times = [datetime.fromisoformat(each["timestamp"]) for each in mine.audio()]
        assert times == sorted(times)


async def test_gaps_are_filled_with_silence(quick: Town, caller: Phone) -> None:
    _, mine = await stream(quick, caller)
    await mine.until(lambda media: len(media.audio(silent=True)) > 5)
    quiet = mine.audio(silent=True)[0]
    assert base64.b64decode(quiet["data"]) == bytes(FRAME_BYTES)
    assert "participantRawID" not in quiet


@pytest.mark.parametrize("pascal", [False, True])
async def test_a_caller_hears_every_byte(quick: Town, caller: Phone, pascal: bool) -> None:
    theirs, mine = await stream(quick, caller)
    spoken = noise(50)
    for at in range(0, len(spoken), FRAME_BYTES):
        await mine.say(spoken[at : at + FRAME_BYTES], pascal=pascal)
    await caller.calls[-1].hear_ms(1000)
    loud = [each.pcm for each in caller.calls[-1].heard if any(each.pcm)]
    assert b"".join(loud) == spoken
    assert theirs.played_ms == 1000
    assert sum(each.played_bytes for each in theirs.playout.stretches) == len(spoken)


async def test_audio_that_comes_at_once_is_played_in_real_time() -> None:
    async with town(LIVE) as there:
        caller = there.acs.phone(CALLER)
        theirs, mine = await stream(there, caller)
        await mine.say(hum(1000))
        await caller.calls[-1].hear_ms(900)
        heard = [each.at_s for each in caller.calls[-1].heard if any(each.pcm)]
        assert heard[-1] - heard[0] == pytest.approx(0.92, abs=0.15)
        assert theirs.playout.deepest_bytes >= len(hum(900))


async def test_stop_audio_drops_what_waits_and_says_how_much(quick: Town, caller: Phone) -> None:
    theirs, mine = await stream(quick, caller)
    await mine.say(hum(10_000))
    await caller.calls[-1].hear_ms(300)
    await mine.stop_audio()
    await eventually(lambda: theirs.playout.stops)
    stop = theirs.playout.stops[-1]
    assert stop.played_bytes + stop.dropped_bytes == len(hum(10_000))
    assert theirs.playout.waiting_bytes == 0
    assert theirs.playout.stretches[-1].ending is Ending.STOPPED
    heard = caller.calls[-1].heard_ms
    assert heard == pytest.approx(theirs.ms(stop.played_bytes), abs=20)
    await mine.say(hum(200))
    await caller.calls[-1].hear_ms(heard + 180)


async def test_more_than_may_wait_is_an_overrun() -> None:
    async with town(replace(QUICK, queue_s=1)) as there:
        theirs, mine = await stream(there, there.acs.phone(CALLER))
        await mine.say(hum(3000))
        await eventually(lambda: theirs.playout.overrun_bytes)
        assert theirs.ms(theirs.playout.overrun_bytes) == pytest.approx(2000, abs=200)


async def test_one_way_is_one_way(quick: Town, caller: Phone) -> None:
    theirs, mine = await stream(quick, caller, enable_bidirectional=False)
    await mine.say(hum(500))
    await mine.until(lambda media: len(media.audio()) > 30)
    assert theirs.played_ms == 0


async def test_keys_reach_the_socket_where_they_are_asked_for(quick: Town, caller: Phone) -> None:
    _, mine = await stream(quick, caller)
    caller.calls[-1].press("12#")
    await mine.until(lambda media: media.keys() == "12#")


async def test_nonsense_is_counted_and_harmless(quick: Town, caller: Phone) -> None:
    theirs, mine = await stream(quick, caller)
    nonsense = ["[]", "{", '{"kind":"Dance"}', '{"kind":"AudioData","audioData":{"data":"%"}}']
    for text in nonsense:
        await mine.socket.send_text(text)
    await mine.socket.send_bytes(b"\0\1")
    await mine.say(hum(200))
    await caller.calls[-1].hear_ms(150)
    assert theirs.misfits == len(nonsense) + 1


async def test_sixteen_kilohertz_is_the_same_call(quick: Town, caller: Phone) -> None:
    theirs, mine = await stream(quick, caller, audio_format="pcm16KMono")
    await caller.calls[-1].say_out(hum(1000))
    await mine.until(lambda media: len(media.pcm()) >= 640 * 50)
    assert {len(base64.b64decode(each["data"])) for each in mine.audio()} == {640}
    assert _pitch(mine.pcm(), 16_000) == pytest.approx(440, abs=8)
    rate_16 = array("h", hum(1500)).tobytes()[: 640 * 50]
    await mine.say(rate_16)
    await caller.calls[-1].hear_ms(980)
    assert theirs.played_ms == 1000
    loud = b"".join(each.pcm for each in caller.calls[-1].heard if any(each.pcm))
    assert _pitch(loud, 24_000) == pytest.approx(440 * 16 / 24, abs=8)


async def test_several_speak_at_once(quick: Town, caller: Phone, colleague: Phone) -> None:
    colleague.manner = Manner.ANSWERS
    _, call_id = await quick.call_in(caller, media_streaming=quick.streaming())
    await quick.add(call_id, COLLEAGUE)
    await quick.app.told("AddParticipantSucceeded")
    mine = await quick.app.dialled()
    caller.calls[-1].say(array("h", [1000] * 24_000).tobytes())
    colleague.calls[-1].say(array("h", [2000] * 24_000).tobytes())
    await mine.until(lambda media: _holds(media, 3000))
    await mine.say(array("h", [500] * 24_000).tobytes())
    await eventually(lambda: any(2500 in array("h", e.pcm) for e in caller.calls[-1].heard))
    await eventually(lambda: any(1500 in array("h", e.pcm) for e in colleague.calls[-1].heard))


async def test_unmixed_streams_say_whose_they_are(quick: Town, caller: Phone) -> None:
    _, mine = await stream(quick, caller, audio_channel_type="unmixed")
    caller.calls[-1].say(hum(200))
    await mine.until(lambda media: len(media.audio()) >= 10)
    assert {each["participantRawID"] for each in mine.audio()} == {f"4:{CALLER}"}


async def test_a_socket_that_breaks_is_dialled_again(quick: Town, caller: Phone) -> None:
    theirs, first = await stream(quick, caller)
    theirs.cut()
    await first.closed.wait()
    again = await quick.app.dialled(2)
    told = await quick.app.told("MediaStreamingStarted", 2)
    details = told["mediaStreamingUpdate"]["mediaStreamingStatusDetails"]
    assert details == "streamConnectionReestablished"
    assert again.headers["x-ms-call-connection-id"] == first.headers["x-ms-call-connection-id"]
    await again.say(hum(200))
    await caller.calls[-1].hear_ms(150)


async def test_a_socket_that_stays_away_fails(quick: Town, caller: Phone) -> None:
    theirs, _ = await stream(quick, caller)
    quick.app.media_status = 403
    theirs.cut()
    failed = await quick.app.told("MediaStreamingFailed")
    assert (
        failed["mediaStreamingUpdate"]["mediaStreamingStatusDetails"]
        == "streamConnectionUnsuccessful"
    )


async def test_a_socket_that_is_refused_fails_as_the_service_says(
    quick: Town, caller: Phone
) -> None:
    quick.app.media_status = 401
    call, _ = await quick.call_in(caller, media_streaming=quick.streaming())
    failed = await quick.app.told("MediaStreamingFailed")
    assert failed["resultInformation"]["code"] == 400
    assert failed["resultInformation"]["subCode"] == 8581
    assert not call.ended.is_set()


async def test_the_end_of_a_call_closes_its_socket(quick: Town, caller: Phone) -> None:
    _, mine = await stream(quick, caller)
    caller.calls[-1].hang_up()
    await mine.closed.wait()
    await quick.app.told("CallDisconnected")
    types = quick.app.types()
    assert types.index("MediaStreamingStopped") < types.index("CallDisconnected")


def _holds(media: Media, sample: int) -> bool:
    return any(sample in array("h", base64.b64decode(e["data"])) for e in media.audio()[-50:])


def _pitch(pcm: bytes, rate: int) -> float:
    """The loudest frequency, in Hz."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate / len(samples)
