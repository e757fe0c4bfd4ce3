"""The realtime service over a real socket: refusals, limits, hostile clients."""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Generator
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from switchboard_local.mind.parts import Say
from switchboard_local.realtime.wire import MAX_APPEND_BYTES
from tests.local.realtime.bench import Event
from tests.local.realtime.clients import (
    append,
    closed,
    emptied,
    joined,
    receive,
    send,
    still_answers,
    until,
)
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud, silence, tone


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        yield cloud


def upgrade(cloud: Cloud) -> bytes:
    """A client's handshake, for a client that libraries are too well behaved to be."""
    lines = [
        "GET /openai/v1/realtime?model=m HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {cloud.token}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def text_frame(event: Event) -> bytes:
    """One event as a client's frame, masked with zeros."""
    data = json.dumps(event).encode()
    return b"\x81\xff" + len(data).to_bytes(8) + bytes(4) + data


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 400),
        ("model=", {}, 400),
        ("model=m&api-version=2025-04-01-preview", {}, 400),
        ("deployment=m", {}, 400),
        ("model=m", {"OpenAI-Beta": "realtime=v1"}, 400),
        ("model=m", {"Origin": "https://evil.example"}, 403),
        ("model=m", {"Origin": "null"}, 403),
    ],
)
async def test_a_wrong_upgrade_is_refused_with_a_reason(
    cloud: Cloud, query: str, headers: dict[str, str], status: int
) -> None:
    url = f"ws://127.0.0.1:{cloud.port}/openai/v1/realtime?{query}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=cloud.headers | headers, proxy=None):
            pass
    assert refused.value.response.status_code == status
    error = json.loads(refused.value.response.body or b"")["error"]
    assert error["code"]
    assert error["message"]


async def test_a_rebound_host_name_is_refused(cloud: Cloud) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 403")


async def test_a_page_of_this_machine_may_come_in(cloud: Cloud) -> None:
    async with connect(
        cloud.ws_url,
        additional_headers=cloud.headers,
        origin=Origin("http://localhost:8000"),
        proxy=None,
    ) as socket:
        assert (await receive(socket))["type"] == "session.created"


async def test_one_session_too_many_is_refused_until_another_ends() -> None:
    with local_cloud(local_max_sessions=1) as cloud:
        async with joined(cloud):
            with pytest.raises(InvalidStatus) as refused:
                async with joined(cloud):
                    pass
            assert refused.value.response.status_code == 429
        await emptied(cloud)
        async with joined(cloud) as socket:
            await still_answers(socket)


async def test_a_session_says_when_it_will_end_and_keeps_to_it() -> None:
    with local_cloud(local_session_seconds=2) as cloud:
        async with connect(cloud.ws_url, additional_headers=cloud.headers, proxy=None) as socket:
            expires_at = (await receive(socket))["session"]["expires_at"]
            await until(socket, "error")
            assert time.time() - expires_at > -0.1  # a busy machine may be late


async def test_a_session_ends_at_its_limit_saying_so() -> None:
    with local_cloud(local_session_seconds=0.3) as cloud:
        async with joined(cloud) as socket:
            assert (await until(socket, "error"))["error"]["code"] == "session_expired"
            assert await closed(socket) == (1001, "session_expired")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("[]", "invalid_event"),
        ("null", "invalid_event"),
        ("{}", "missing_required_parameter"),
        ('{"type": 7}', "invalid_value"),
        ('{"type": "session.destroy"}', "invalid_value"),
        ('{"type": "session.update"}', "missing_required_parameter"),
        ('{"type": "input_audio_buffer.append", "audio": "***"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter"),
        ('{"type": "response.create", "respone": {}}', "unknown_parameter"),
        (json.dumps({"type": "response.cancel", "event_id": "x" * 2_000_000}), "event_too_large"),
        (b"\x00\x01", "invalid_event"),
    ],
)
async def test_a_malformed_event_is_refused_and_the_session_stays(
    cloud: Cloud, frame: str | bytes, code: str
) -> None:
    async with joined(cloud) as socket:
        await socket.send(frame)
        assert (await until(socket, "error"))["error"]["code"] == code
        await still_answers(socket)


async def test_audio_beyond_the_limit_of_one_event_is_refused(cloud: Cloud) -> None:
    async with joined(cloud) as socket:
        await send(socket, "input_audio_buffer.append", audio="A" * (MAX_APPEND_BYTES + 4))
        error = (await until(socket, "error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "audio")
        await still_answers(socket)


async def test_a_frame_beyond_all_limits_ends_the_session_and_no_other(cloud: Cloud) -> None:
    async with joined(cloud) as other, joined(cloud) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.send("x" * (17 * 1024 * 1024))
            await socket.recv()
        await still_answers(other)


async def test_fifteen_megabytes_of_audio_do_not_hold_up_another_session() -> None:
    with local_cloud() as cloud:
        async with joined(cloud) as greedy, joined(cloud) as other:
            await send(greedy, "input_audio_buffer.append", audio="AAAA" * (MAX_APPEND_BYTES // 4))
            begun = time.process_time()  # both ends are here; other programs' work is not theirs
            await still_answers(other)
            assert time.process_time() - begun < 1.0


async def test_a_flood_of_events_is_cut_off_and_others_are_untouched(cloud: Cloud) -> None:
    async with joined(cloud) as other, joined(cloud) as socket:
        ending = asyncio.create_task(closed(socket))
        with suppress(ConnectionClosed):  # the refusal may come after the last of them
            for _ in range(5000):
                await send(socket, "response.cancel")
                await asyncio.sleep(0)
        assert await asyncio.wait_for(ending, 20) == (1008, "rate_limit_exceeded")
        await still_answers(other)


async def test_a_client_that_does_not_read_is_cut_off_and_others_are_untouched(
    cloud: Cloud,
) -> None:
    part = {"type": "input_audio", "audio": b64encode(silence(30_000)).decode()}
    item = {"id": "big", "type": "message", "role": "user", "content": [part]}
    async with joined(cloud) as other:
        reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port, limit=1024)
        writer.write(upgrade(cloud))
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)  # nobody may talk before it
        writer.write(text_frame({"type": "conversation.item.create", "item": item}))
        for _ in range(40):
            writer.write(text_frame({"type": "conversation.item.retrieve", "item_id": "big"}))
        await writer.drain()
        await asyncio.sleep(1.5)
        await still_answers(other)
        tail = b""
        while not tail.endswith(b"slow_reader"):
            data = await asyncio.wait_for(reader.read(1 << 20), 20)
            assert data, tail
            tail = (tail + data)[-64:]
        writer.close()


async def test_a_reply_waits_for_a_slow_reader() -> None:
    doubles = Doubles()
    doubles.mind.script = lambda request: [Say("word " * 100)] * 10
    with local_cloud(doubles, local_pace=1000) as cloud:
        async with joined(cloud, max_queue=1) as socket:
            await send(socket, "response.create")
            await asyncio.sleep(1.5)
            done = await until(socket, "response.done")
            assert done["response"]["status"] == "completed"


async def test_a_reply_in_the_making_is_stopped_at_once_by_speech() -> None:
    doubles = Doubles()
    doubles.mind.script = lambda request: [Say("word " * 50)] * 5
    with local_cloud(doubles, local_pace=4) as cloud:
        async with joined(cloud) as socket:
            await send(socket, "response.create")
            await until(socket, "response.output_audio.delta")
            await append(socket, tone(300))
            await until(socket, "input_audio_buffer.speech_started")
            leaked = 0
            while (event := await receive(socket))["type"] != "response.done":
                leaked += event["type"] == "response.output_audio.delta"
            assert event["response"]["status_details"]["reason"] == "turn_detected"
            assert 1 <= leaked <= 2
    assert doubles.voice.stopped == 1


async def test_a_mind_that_breaks_fails_the_reply_only(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.doubles.voice.broken = True
    async with joined(cloud) as socket:
        await send(socket, "response.create")
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "failed"
        cloud.doubles.voice.broken = False
        await send(socket, "response.create")
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "completed"


async def test_nothing_is_left_running_when_a_client_leaves_in_the_middle() -> None:
    doubles = Doubles()
    doubles.mind.script = lambda request: [Say("word " * 500)]
    with local_cloud(doubles, local_pace=1) as cloud:
        async with joined(cloud) as socket:
            await send(socket, "response.create")
            await until(socket, "response.output_audio.delta")
        for _ in range(100):
            if doubles.voice.stopped:
                break
            await asyncio.sleep(0.02)
        assert doubles.voice.stopped == 1


async def test_twelve_conversations_at_once_are_all_answered() -> None:
    async def converse(cloud: Cloud) -> str:
        async with joined(cloud) as socket:
            await append(socket, silence(200) + tone(500) + silence(800))
            done = await until(socket, "response.done")
            return done["response"]["output"][0]["content"][0]["transcript"]

    doubles = Doubles()
    doubles.ears.words = ["my card is lost"]
    with local_cloud(doubles) as cloud:
        answers = await asyncio.gather(*(converse(cloud) for _ in range(12)))
    assert set(answers) == {"You said: my card is lost."}
