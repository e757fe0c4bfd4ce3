"""Calls over WebRTC, held by a real peer, steered beside it by the official SDK."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, NotFoundError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.realtime.routes import MAX_FOLLOWERS
from tests.local.realtime.bench import Event, kinds
from tests.local.realtime.clients import emptied
from tests.local.realtime.conftest import TRACK
from tests.local.realtime.doubles import Cloud, Doubles, last_words, local_cloud, silence, tone

pytest.importorskip("aiortc", reason="WebRTC cannot be had here")

from aiortc import RTCConfiguration, RTCPeerConnection

from tests.local.webrtc.caller import (
    PATIENCE_S,
    SESSION,
    Mouth,
    calling,
    mint,
    offer,
    offered,
)

SPEECH = tone(700) + silence(800)
TOOL = {
    "type": "function",
    "name": "track_parcel",
    "description": "Say where a parcel is.",
    "parameters": {"type": "object", "properties": {"parcel_number": {"type": "string"}}},
}


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        yield cloud


def client(cloud: Cloud) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=cloud.base_url, api_key=cloud.token, max_retries=0)


@asynccontextmanager
async def beside(cloud: Cloud, call_id: str) -> AsyncGenerator[AsyncRealtimeConnection]:
    """A sideband of the SDK, its `session.created` read."""
    async with client(cloud) as sdk, sdk.realtime.connect(call_id=call_id) as connection:
        assert (await asyncio.wait_for(anext(aiter(connection)), 20)).type == "session.created"
        yield connection


async def until(
    connection: AsyncRealtimeConnection, kind: str, noted: list[RealtimeServerEvent] | None = None
) -> Any:  # noqa: ANN401 - which of 46 types depends on `kind`
    async with asyncio.timeout(PATIENCE_S):
        async for event in connection:
            assert event.type != "error", event
            if noted is not None:
                noted.append(event)
            if event.type == kind:
                return event
    raise AssertionError(f"no {kind} before the end")


async def post(cloud: Cloud, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    async with httpx.AsyncClient(trust_env=False, headers=cloud.headers) as plain:
        return await plain.post(f"{cloud.base_url}/realtime/{path}", **sent)


def dispatcher(request: Request) -> Sequence[Thought]:
    """Tracks a parcel when asked to, and says the result; else says something long."""
    said = last_words(request)
    if said.startswith("result"):
        return [Say("It is in Lisbon.")]
    if "parcel" in said:
        return [Call("track_parcel", '{"parcel_number": "4242"}')]
    return [Say("I can find what you sent, and tell you much besides.") for _ in "123"]


# Client secrets


async def test_the_sdk_mints_a_secret_bound_to_its_session(cloud: Cloud) -> None:
    async with client(cloud) as sdk:
        secret = await sdk.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 30},
            session={"type": "realtime", "model": "gpt-realtime", "instructions": "Be kind."},
        )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "realtime"
    async with calling(cloud, secret.value) as caller:
        created = await caller.until("session.created")
        assert created["session"]["instructions"] == "Be kind."
        assert created["session"]["model"] == "gpt-realtime"
    async with calling(cloud, secret.value):  # as often as one likes
        pass


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "session"),
        ({"session": {"type": "realtime"}}, "session.model"),
        ({"session": {"model": "m"}}, "session.type"),
        ({"session": SESSION, "expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"session": SESSION, "expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"session": SESSION, "modalities": ["audio"]}, "modalities"),
        ({"session": SESSION | {"voice": "alloy"}}, "session.voice"),
        (
            {"session": {**SESSION, "audio": {"input": {"format": {"rate": 16_000}}}}},
            "session.audio.input.format.rate",
        ),
        ([], ""),
    ],
)
async def test_a_wrong_request_for_a_secret_is_refused(
    cloud: Cloud, body: object, param: str
) -> None:
    answer = await post(cloud, "client_secrets", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


async def test_only_who_is_known_gets_a_secret(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as plain:
        url = f"{cloud.base_url}/realtime/client_secrets"
        assert (await plain.post(url, json={"session": SESSION})).status_code == 401
    old = await post(cloud, "client_secrets?api-version=2025-04-01-preview", json={})
    assert old.status_code == 400
    assert (await post(cloud, "client_secrets", content=b"{" * 2_000_000)).status_code == 400
    assert (await post(cloud, "client_secrets", content=b"[" * 100_000)).status_code == 400


# Turning calls away


async def test_a_call_needs_a_secret_that_is_known_and_has_not_expired(cloud: Cloud) -> None:
    secret = await mint(cloud)
    for wrong in ("entra", "ek_0000", secret[:-1]):
        assert (await offer(cloud, "v=0", wrong)).status_code == 401


async def test_an_offer_that_is_none_is_refused_and_holds_no_line(cloud: Cloud) -> None:
    secret = await mint(cloud)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Mouth())
    good = await offered(connection)
    await connection.close()
    broken = good.replace("a=setup:actpass", "a=setup:active\r\na=rtpmap:x/y")
    wrong: list[str | bytes] = ["", "v=0", b"\xff", good[:300], broken, "x" * 70_000]
    for sdp in wrong:
        refused = await offer(cloud, sdp, secret)
        assert refused.status_code == 400, refused.text
        assert refused.json()["error"]["message"]
    form = await offer(cloud, good, secret, kind="multipart/form-data; boundary=x")
    assert form.status_code == 415
    async with httpx.AsyncClient(trust_env=False) as plain:
        health = await plain.get(cloud.base_url.replace("/openai/v1", "/health"))
        assert health.json()["sessions"] == 0


async def test_one_call_too_many_is_refused_until_another_ends() -> None:
    with local_cloud(local_max_sessions=1) as cloud:
        secret = await mint(cloud)
        async with calling(cloud, secret) as caller:
            connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            connection.addTrack(Mouth())
            refused = await offer(cloud, await offered(connection), secret)
            await connection.close()
            assert refused.status_code == 429
            await post(cloud, f"calls/{caller.call_id}/hangup")
            await asyncio.wait_for(caller.over.wait(), PATIENCE_S)
        async with calling(cloud, secret):
            pass


async def test_a_page_of_this_machine_may_call_and_no_other(cloud: Cloud) -> None:
    secret = await mint(cloud)
    url = f"{cloud.base_url}/realtime/calls"
    ours, theirs = "http://localhost:8000", "https://evil.example"
    asks = {"access-control-request-headers": "authorization,content-type"}
    async with httpx.AsyncClient(trust_env=False) as plain:
        ready = await plain.options(url, headers={"origin": ours, **asks})
        assert ready.status_code == 204
        assert ready.headers["access-control-allow-origin"] == ours
        assert ready.headers["access-control-allow-headers"] == "authorization,content-type"
        sent = {"authorization": f"Bearer {secret}", "content-type": "application/sdp"}
        answer = await plain.post(url, headers={"origin": ours, **sent}, content="v=0")
        assert answer.status_code == 400
        assert answer.headers["access-control-expose-headers"] == "location"
        assert (await plain.options(url, headers={"origin": theirs})).status_code == 403


async def test_a_call_nobody_knows_is_neither_joined_nor_hung_up(cloud: Cloud) -> None:
    assert (await post(cloud, "calls/rtc_none/hangup")).status_code == 404
    async with client(cloud) as sdk:
        with pytest.raises(NotFoundError):
            await sdk.realtime.calls.hangup("rtc_none")
    url = f"ws://127.0.0.1:{cloud.port}/openai/v1/realtime?call_id=rtc_none"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=cloud.headers, proxy=None):
            pass
    assert refused.value.response.status_code == 404


# Talking


async def test_a_spoken_turn_is_heard_and_answered_aloud(cloud: Cloud) -> None:
    cloud.doubles.ears.words = ["where is my parcel"]
    async with calling(cloud, await mint(cloud)) as caller:
        events: list[Event] = []
        caller.say(silence(300), SPEECH)
        await caller.until("output_audio_buffer.stopped", events)
        await caller.until_quiet()
    assert kinds([e for e in events if "delta" not in e["type"]])[:6] == [
        "session.created",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert "response.output_audio.delta" not in kinds(events)
    [done] = [e for e in events if e["type"] == "response.done"]
    said = done["response"]["output"][0]["content"][0]["transcript"]
    assert said == "You said: where is my parcel."
    spoken_ms = len(said) * cloud.doubles.voice.ms_per_char
    assert abs(caller.heard_ms - spoken_ms) < 200
    [heard_ms] = cloud.doubles.ears.heard_ms
    assert 700 <= heard_ms <= 1300


@pytest.mark.embedded
@pytest.mark.timeout(180)
async def test_the_embedded_engine_understands_what_comes_as_opus(
    embedded_port: int, speech: Mapping[str, bytes]
) -> None:
    cloud = Cloud(embedded_port, Doubles())
    async with calling(cloud, await mint(cloud)) as caller:
        caller.say(speech[TRACK])
        heard = await caller.until("conversation.item.input_audio_transcription.completed")
        assert "parcel" in heard["transcript"].lower()
        await caller.until("output_audio_buffer.stopped")
        assert caller.heard_ms > 500


async def test_a_tool_is_answered_over_the_sideband(cloud: Cloud) -> None:
    cloud.doubles.ears.words = ["where is my parcel"]
    cloud.doubles.mind.script = dispatcher
    secret = await mint(cloud, tools=[TOOL])
    async with (
        calling(cloud, secret, "?webrtcfilter=on") as caller,
        beside(cloud, caller.call_id) as sideband,
    ):
        caller.say(SPEECH)
        call = await until(sideband, "response.function_call_arguments.done")
        await until(sideband, "response.done")
        result = json.dumps({"place": "Lisbon"})
        await sideband.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": result}
        )
        await sideband.response.create()
        done = await until(sideband, "response.done")
        assert done.response.output[0].content[0].transcript == "It is in Lisbon."
        await until(sideband, "output_audio_buffer.stopped")
        assert caller.heard_ms > 500

        seen: list[Event] = []
        await caller.until("output_audio_buffer.stopped", seen)
        assert not {event["type"] for event in seen} - PASSED
        assert "session.created" not in kinds(seen)


async def test_a_caller_who_cuts_in_silences_the_reply_and_it_is_cut_where_they_heard_it() -> None:
    doubles = Doubles()
    doubles.mind.script = dispatcher
    with local_cloud(doubles, local_pace=1000) as cloud:  # all is made before it is heard
        async with (
            calling(cloud, await mint(cloud)) as caller,
            beside(cloud, caller.call_id) as sideband,
        ):
            await sideband.response.create()
            await until(sideband, "response.done")
            await caller.until_loud()
            await asyncio.sleep(1)
            noted: list[RealtimeServerEvent] = []
            caller.say(tone(2000))
            cut = await until(sideband, "conversation.item.truncated", noted)
            assert "output_audio_buffer.cleared" in [event.type for event in noted]
            await caller.until_quiet()
            assert abs(cut.audio_end_ms - caller.heard_ms) < 300
            assert 1000 < cut.audio_end_ms < 3000
            await sideband.conversation.item.retrieve(item_id=cut.item_id)
            kept = await until(sideband, "conversation.item.retrieved")
            said = "I can find what you sent, and tell you much besides. " * 3
            left = kept.item.content[0].transcript
            assert said.startswith(left)
            assert 5 < len(left) < 60


async def test_a_caller_without_a_microphone_writes_and_hears(cloud: Cloud) -> None:
    async with calling(cloud, await mint(cloud), speaks=False) as caller:
        caller.send("response.create", response={"instructions": "Say hello."})
        await caller.until("output_audio_buffer.stopped")
        assert caller.heard_ms > 200


async def test_calls_at_once_do_not_mix() -> None:
    async def hold(cloud: Cloud, word: str) -> str:
        secret = await mint(cloud, instructions=word)
        async with calling(cloud, secret) as caller:
            caller.say(silence(200), SPEECH)
            done = await caller.until("response.done")
            await caller.until("output_audio_buffer.stopped")
            assert caller.heard_ms > 200
            return done["response"]["output"][0]["content"][0]["transcript"]

    doubles = Doubles()
    doubles.mind.script = lambda request: [Say(request.instructions)]
    names = ["Ann here.", "Bob here.", "Eve here.", "Sam here."]
    with local_cloud(doubles) as cloud:
        assert await asyncio.gather(*(hold(cloud, name) for name in names)) == names


async def test_a_client_stops_the_reply_and_clears_the_buffer(cloud: Cloud) -> None:
    cloud.doubles.mind.script = lambda request: [Say("word " * 100)] * 10
    async with calling(cloud, await mint(cloud)) as caller:
        caller.send("response.create")
        await caller.until("output_audio_buffer.started")
        await caller.until_loud()
        caller.send("response.cancel")
        caller.send("output_audio_buffer.clear")
        await caller.until("output_audio_buffer.cleared")
        await caller.until_quiet()
        assert caller.heard_ms < 2000


# Sidebands


async def test_a_sideband_has_full_control_and_its_loss_does_not_end_the_call(
    cloud: Cloud,
) -> None:
    async with calling(cloud, await mint(cloud), "?webrtcfilter=on") as caller:
        async with beside(cloud, caller.call_id) as first, beside(cloud, caller.call_id) as second:
            await first.session.update(session={"type": "realtime", "instructions": "Be brief."})
            for sideband in (first, second):
                updated = await until(sideband, "session.updated")
                assert updated.session.instructions == "Be brief."
        async with beside(cloud, caller.call_id) as third:
            await third.response.create(response={"instructions": "Say hello."})
            await until(third, "output_audio_buffer.started")
        await caller.until("output_audio_buffer.stopped")
        assert caller.heard_ms > 200


async def test_there_are_only_so_many_sidebands(cloud: Cloud) -> None:
    url = f"ws://127.0.0.1:{cloud.port}/openai/v1/realtime?call_id="
    async with calling(cloud, await mint(cloud), talks=False) as caller:
        joined = [
            await connect(url + caller.call_id, additional_headers=cloud.headers, proxy=None)
            for _ in range(MAX_FOLLOWERS)
        ]
        for each in joined:
            await each.recv()
        with pytest.raises(InvalidStatus) as refused:
            await connect(url + caller.call_id, additional_headers=cloud.headers, proxy=None)
        assert refused.value.response.status_code == 429
        for each in joined:
            await each.close()


async def test_a_sideband_that_floods_is_cut_off_and_the_call_goes_on(cloud: Cloud) -> None:
    async with calling(cloud, await mint(cloud)) as caller:
        await caller.until("session.created")
        url = f"ws://127.0.0.1:{cloud.port}/openai/v1/realtime?call_id={caller.call_id}"
        async with connect(url, additional_headers=cloud.headers, proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as ended:
                for _ in range(5000):
                    await socket.send('{"type": "session.destroy"}')
                while True:
                    await asyncio.wait_for(socket.recv(), 20)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.reason == "rate_limit_exceeded"
        caller.send("session.update", session={"type": "realtime", "instructions": "Still."})
        await caller.until("session.updated")


# Endings


async def test_hanging_up_ends_the_media_and_every_sideband(cloud: Cloud) -> None:
    async with calling(cloud, await mint(cloud)) as caller, client(cloud) as sdk:
        async with beside(cloud, caller.call_id) as sideband:
            await sdk.realtime.calls.hangup(caller.call_id)
            await asyncio.wait_for(caller.over.wait(), PATIENCE_S)
            async with asyncio.timeout(PATIENCE_S):
                assert [event async for event in sideband] == []
        with pytest.raises(NotFoundError):
            await sdk.realtime.calls.hangup(caller.call_id)


async def test_a_caller_who_leaves_is_missed_at_once_and_nothing_is_left_running() -> None:
    doubles = Doubles()
    doubles.mind.script = lambda request: [Say("word " * 500)]
    with local_cloud(doubles, local_pace=1) as cloud:
        async with calling(cloud, await mint(cloud)) as caller:
            caller.send("response.create")
            await caller.until_loud()
        await emptied(cloud)
        assert doubles.voice.stopped == 1
    assert "audio-decoder" not in {thread.name for thread in threading.enumerate()}


async def test_a_caller_who_vanishes_is_missed_within_seconds(cloud: Cloud) -> None:
    async with calling(cloud, await mint(cloud)) as caller:
        [transport] = {sender.transport.transport for sender in caller.connection.getSenders()}
        await transport._connection.close()  # pyright: ignore[reportPrivateUsage] - no goodbye
        await emptied(cloud, within_s=30)


async def test_a_caller_who_never_connects_is_not_waited_for(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchboard_local.realtime.webrtc.leg.CONNECT_TIMEOUT_S", 0.3)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Mouth())
    answer = await offer(cloud, await offered(connection), await mint(cloud))
    await connection.close()
    assert answer.status_code == 201
    await emptied(cloud)


async def test_a_call_ends_at_its_session_s_limit_saying_so() -> None:
    with local_cloud(local_session_seconds=1) as cloud:
        async with calling(cloud, await mint(cloud)) as caller:
            assert (await caller.until("error"))["error"]["code"] == "session_expired"
            await asyncio.wait_for(caller.over.wait(), PATIENCE_S)


async def test_the_local_cloud_ends_with_a_call_and_its_sideband_in_it() -> None:
    with ExitStack() as clouds:
        cloud = clouds.enter_context(local_cloud())
        async with (
            calling(cloud, await mint(cloud)) as caller,
            beside(cloud, caller.call_id),
        ):
            await asyncio.wait_for(asyncio.to_thread(clouds.close), PATIENCE_S)
            await asyncio.wait_for(caller.over.wait(), PATIENCE_S)


# Hostile data channels


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid_json"),
        ("", "invalid_json"),
        (b"\x00\x01", "invalid_event"),
        ("[" * 100_000, "invalid_json"),
        ('{"type": "session.destroy"}', "invalid_value"),
    ],
)
async def test_a_malformed_event_is_refused_and_the_call_goes_on(
    cloud: Cloud, frame: str | bytes, code: str
) -> None:
    async with calling(cloud, await mint(cloud)) as caller:
        caller.send_text(frame)
        assert (await caller.until("error"))["error"]["code"] == code
        caller.send("output_audio_buffer.clear")
        caller.send("response.create")
        await caller.until("response.done")


async def test_a_channel_that_floods_ends_its_call_and_no_other(cloud: Cloud) -> None:
    secret = await mint(cloud)
    async with calling(cloud, secret) as other, calling(cloud, secret) as caller:
        for _ in range(5000):
            caller.send("response.cancel")
        await asyncio.wait_for(caller.over.wait(), PATIENCE_S)
        other.send("response.create")
        await other.until("response.done")


async def test_a_message_without_end_ends_its_call(cloud: Cloud) -> None:
    async with calling(cloud, await mint(cloud)) as caller:
        sctp = caller.connection.sctp
        assert sctp is not None
        sctp._remote_max_message_size = 0  # pyright: ignore[reportPrivateUsage] - heed no limit
        caller.send_text("x" * 16 * 1024 * 1024)
        await asyncio.wait_for(caller.over.wait(), PATIENCE_S)


async def test_an_event_too_large_for_the_channel_is_replaced_by_saying_so(cloud: Cloud) -> None:
    cloud.doubles.ears.words = ["a long story"]
    async with calling(cloud, await mint(cloud)) as caller:
        caller.say(tone(7000), silence(800))
        added = await caller.until("conversation.item.added")
        caller.send("conversation.item.retrieve", item_id=added["item"]["id"])
        assert (await caller.until("error"))["error"]["code"] == "event_too_large"


PASSED = {
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.added",
    "conversation.item.created",
    "response.output_text.delta",
    "response.output_text.done",
    "response.output_audio_transcript.delta",
    "response.output_audio_transcript.done",
}
"""As the service documents `webrtcfilter=on`."""
