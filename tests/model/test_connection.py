"""Scenes of a line to the realtime service, over real sockets."""

import asyncio
import contextlib
import gc
import logging
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from switchboard.conversation.commands import AddNote, RequestReply
from switchboard.conversation.events import (
    ModelLost,
    ModelReady,
    ModelRefused,
    SpeechStarted,
)
from switchboard.conversation.legs import Dial, ReplyAudio
from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.codec import SESSION_UPDATE_ID
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from tests.model.peer import (
    EXPIRES_AT,
    SPEC,
    FixedToken,
    Peer,
    eventually,
    last_word,
    line_to,
    say,
    serving,
    until,
    welcome_and_listen,
)

FRAME = "AAAA" * 320
"""Base64 of 20 ms."""


def is_note(frame: dict[str, Any]) -> bool:
    return frame["type"] == "conversation.item.create"


def audio_numbers(peer: Peer) -> list[int]:
    audio = (frame["audio"] for frame in peer.heard if "audio" in frame)
    return [int(piece[:8]) for piece in audio]


async def silence(peer: Peer, socket: ServerConnection) -> None:
    await peer.listen_on(socket)


# -- dialling -----------------------------------------------------------------------------------


async def test_a_dialled_leg_is_configured_and_carries_audio_and_commands() -> None:
    async with serving(welcome_and_listen) as peer, line_to(peer).dial(SPEC) as leg:
        assert await until(ModelReady, leg) == [ModelReady("sess_1", EXPIRES_AT)]
        leg.hear(FRAME)
        await eventually(lambda: len(peer.heard) == 2)
        leg.command(RequestReply("greeting"))
        await eventually(lambda: len(peer.heard) == 3)

    update, audio, reply = peer.heard
    assert update["type"] == "session.update"
    assert audio == {"type": "input_audio_buffer.append", "audio": FRAME}
    assert reply["event_id"] == "greeting"


async def test_the_upgrade_names_the_deployment_bears_the_token_and_nothing_old() -> None:
    async with serving(silence) as peer, line_to(peer).dial(SPEC):
        pass

    request = peer.requests[0]
    assert request.path == "/openai/v1/realtime?model=front%20desk%2F1"
    assert request.headers["Authorization"] == "Bearer a-secret-token"
    assert "OpenAI-Beta" not in request.headers
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_others_go_on_between_events_that_came_together() -> None:
    ready = asyncio.Event()
    order: list[str] = []

    async def turn(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        await ready.wait()
        for _ in range(6):
            await say(socket, "input_audio_buffer.speech_started", item_id="i", audio_start_ms=0)
        await peer.listen_on(socket)

    async def others() -> None:
        while True:
            order.append("other")
            await asyncio.sleep(0)

    async with serving(turn) as peer, line_to(peer).dial(SPEC) as leg:
        await until(ModelReady, leg)
        ready.set()
        beside = asyncio.create_task(others())
        async for event in leg:
            assert isinstance(event, SpeechStarted)
            order.append("event")
            if order.count("event") == 6:
                break
        beside.cancel()

    at = [place for place, what in enumerate(order) if what == "event"]
    assert all(order[before + 1] == "other" for before in at[:-1])


async def test_audio_waits_for_the_session_while_its_update_goes_first() -> None:
    async def slow_welcome(peer: Peer, socket: ServerConnection) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await peer.listen_on(socket)
        assert [frame["type"] for frame in peer.heard] == ["session.update"]
        await say(socket, "session.updated", session={"id": "s"})
        await peer.listen_on(socket)

    async with serving(slow_welcome) as peer, line_to(peer).dial(SPEC) as leg:
        leg.hear(FRAME)
        await until(ModelReady, leg)
        await eventually(lambda: len(peer.heard) == 2)

    assert peer.heard[1]["audio"] == FRAME


@pytest.mark.parametrize(
    ("status", "help_with"),
    [(401, "scope"), (403, "role"), (404, "deployment"), (302, "refused")],
)
async def test_a_refusal_that_will_not_change_is_told_at_once(status: int, help_with: str) -> None:
    async with serving(silence, refusals=[status] * 2) as peer:
        with pytest.raises(ModelUnavailable, match=help_with) as refusal:
            async with line_to(peer).dial(SPEC):
                pass

    assert (refusal.value.status, refusal.value.retryable) == (status, False)
    assert len(peer.requests) == 1


@pytest.mark.parametrize(("status", "help_with"), [(429, "quota"), (503, "trouble")])
async def test_a_refusal_that_may_pass_is_tried_once_more(status: int, help_with: str) -> None:
    async with serving(silence, refusals=[status] * 2) as peer:
        with pytest.raises(ModelUnavailable, match=help_with) as refusal:
            async with line_to(peer).dial(SPEC):
                pass

    assert (refusal.value.status, refusal.value.retryable) == (status, True)
    assert len(peer.requests) == 2


async def test_a_second_try_that_succeeds_is_a_call_like_any_other() -> None:
    async with (
        serving(welcome_and_listen, refusals=[503]) as peer,
        line_to(peer).dial(SPEC) as leg,
    ):
        assert await until(ModelReady, leg)


async def test_our_token_is_not_taken_elsewhere_by_a_redirect() -> None:
    async with serving(silence) as other:
        elsewhere = other.endpoint.replace("http", "ws") + "/openai/v1/realtime"
        async with serving(silence, refusals=[302], redirect_to=elsewhere) as peer:
            with pytest.raises(ModelUnavailable, match="302"):
                async with line_to(peer).dial(SPEC):
                    pass

    assert other.requests == []


async def test_no_proxy_comes_between_us_and_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "ws", "socks", "all"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with serving(silence) as peer, line_to(peer).dial(SPEC):
        pass

    assert peer.requests


async def test_a_refusal_repeats_the_service_s_code_but_none_of_its_prose() -> None:
    body = b'{"error":{"code":"DeploymentNotFound","message":"a-secret-token"}}'
    async with serving(silence, refusals=[404], refusal_body=body) as peer:
        with pytest.raises(ModelUnavailable, match="DeploymentNotFound") as refusal:
            async with line_to(peer).dial(SPEC):
                pass

    assert "a-secret-token" not in str(refusal.value)


async def test_a_service_that_never_answers_the_upgrade_is_given_up_in_time() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        line = line_to(Peer(f"http://127.0.0.1:{port}"), dial_timeout_s=0.3)
        with pytest.raises(ModelUnavailable, match="did not answer") as refusal:
            async with asyncio.timeout(9), line.dial(SPEC):  # where no limit is given it is 10
                pass

    assert refusal.value.retryable


async def test_a_service_that_is_not_there_is_retryable() -> None:
    async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0) as gone:
        port = next(iter(gone.sockets)).getsockname()[1]
    with pytest.raises(ModelUnavailable, match="cannot be reached") as refusal:
        async with line_to(Peer(f"http://127.0.0.1:{port}")).dial(SPEC):
            pass

    assert refusal.value.retryable
    assert refusal.value.status is None


async def test_a_peer_that_speaks_no_http_is_retryable() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ModelUnavailable, match="cannot be reached") as refusal:
            async with line_to(Peer(f"http://127.0.0.1:{port}")).dial(SPEC):
                pass

    assert refusal.value.retryable


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://example.com",
        "http://10.0.0.1:8100",
        "ftp://127.0.0.1",
        "https://",
        "https://user:key@example.com",
        "https://example.com/?api-version=1",
        "http://127.0.0.1:notaport",
        "example.com",
        "",
    ],
)
def test_an_endpoint_that_cannot_be_right_is_refused_at_start(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        Line(ModelConfig(endpoint=endpoint), FixedToken())


def test_a_line_dials_as_the_exchange_expects() -> None:
    dial: Dial = Line(ModelConfig(endpoint="https://example.com"), FixedToken()).dial
    assert dial(SPEC)


async def test_an_endpoint_pasted_with_its_api_path_works_too() -> None:
    async with serving(silence) as peer:
        peer.endpoint += "/openai/v1/"
        async with line_to(peer).dial(SPEC):
            pass

    assert peer.requests[0].path.startswith("/openai/v1/realtime?")


# -- the session --------------------------------------------------------------------------------


async def test_a_refused_session_is_told_and_then_final() -> None:
    async def refuse(peer: Peer, socket: ServerConnection) -> None:
        update = await peer.listen(socket)
        assert update["event_id"] == SESSION_UPDATE_ID
        error = {"type": "invalid_request_error", "code": "unknown_voice", "message": "No."}
        await say(socket, "error", error={**error, "event_id": update["event_id"]})
        await peer.listen_on(socket)

    async with serving(refuse) as peer, line_to(peer).dial(SPEC) as leg:
        said = await until(ModelLost, leg)

    refusal, ended = said
    assert refusal == ModelRefused("unknown_voice", "No.", SESSION_UPDATE_ID)
    assert isinstance(ended, ModelLost)
    assert not ended.retryable
    assert "unknown_voice" in ended.reason
    assert "No." not in ended.reason


async def test_a_session_that_is_never_configured_is_lost_in_time() -> None:
    async with (
        serving(silence) as peer,
        line_to(peer, configure_timeout_s=0.1).dial(SPEC) as leg,
    ):
        ended = await last_word(leg)

    assert ended.retryable
    assert "not configured in time" in ended.reason


async def test_other_errors_are_told_and_the_call_goes_on() -> None:
    async def complain(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        error = {"type": "invalid_request_error", "code": "late", "message": "No", "event_id": "t"}
        await say(socket, "error", error=error)
        await say(socket, "input_audio_buffer.speech_started", item_id="i", audio_start_ms=20)
        await peer.listen_on(socket)

    async with serving(complain) as peer, line_to(peer).dial(SPEC) as leg:
        said = await until(SpeechStarted, leg)

    assert said[1:] == [ModelRefused("late", "No", "t"), SpeechStarted("i", 20.0)]


async def test_unknown_and_malformed_frames_are_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def babble(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        await say(socket, "session.dreamt", session=3)
        for frame in (b"not json: hush", b'{"type":"response.done"}', b"[]", b"\xff\xfe"):
            await socket.send(frame)
        await say(
            socket,
            "response.output_audio.delta",
            response_id="r",
            item_id="i",
            delta=FRAME,
            obfuscation="x",
        )
        await peer.listen_on(socket)

    async with serving(babble) as peer, line_to(peer).dial(SPEC) as leg:
        said = await until(ReplyAudio, leg)

    assert said[1:] == [ReplyAudio("r", "i", FRAME)]
    told = [record for record in caplog.records if "malformed" in record.getMessage()]
    assert len(told) == 1
    assert "hush" not in caplog.text


# -- losing it ----------------------------------------------------------------------------------


async def test_a_socket_dropped_in_mid_call_is_the_last_word_and_retryable() -> None:
    async def drop(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.abort()

    async with serving(drop) as peer, line_to(peer).dial(SPEC) as leg:
        ended = await last_word(leg)
        leg.hear(FRAME)
        leg.command(RequestReply("late"))
        assert [fact async for fact in leg] == [ended]

    assert ended.retryable


@pytest.mark.parametrize(
    ("code", "reason", "retryable"),
    [(1001, "session_expired", True), (1000, "", True), (1008, "policy", False)],
)
async def test_the_service_s_goodbye_is_repeated(code: int, reason: str, retryable: bool) -> None:
    async def leave(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        await socket.close(code, reason)

    async with serving(leave) as peer, line_to(peer).dial(SPEC) as leg:
        ended = await last_word(leg)

    assert str(code) in ended.reason
    assert reason in ended.reason
    assert ended.retryable is retryable


async def test_an_oversized_frame_ends_the_leg_and_not_the_process() -> None:
    async def shout(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        await say(socket, "response.output_audio.delta", delta="A" * 100_000)
        await peer.listen_on(socket)

    async with (
        serving(shout) as peer,
        line_to(peer, max_frame_bytes=64 * 1024).dial(SPEC) as leg,
    ):
        ended = await last_word(leg)

    assert "1009" in ended.reason
    assert not ended.retryable


async def test_a_service_that_answers_no_ping_is_lost() -> None:
    async def freeze(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.pause_reading()
        await peer.over.wait()

    async with (
        serving(freeze) as peer,
        line_to(peer, ping_interval_s=0.1, ping_timeout_s=0.1).dial(SPEC) as leg,
    ):
        assert (await last_word(leg)).retryable


async def test_a_flood_of_events_arrives_whole_and_in_order() -> None:
    count = 5_000

    async def flood(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        for number in range(count):
            await say(
                socket,
                "response.output_audio.delta",
                response_id="r",
                item_id=str(number),
                delta=FRAME,
            )
        await socket.close()

    async with serving(flood) as peer, line_to(peer).dial(SPEC) as leg:
        said = await until(ModelLost, leg)

    numbers = [fact.item_id for fact in said if isinstance(fact, ReplyAudio)]
    assert numbers == [str(number) for number in range(count)]


async def test_on_a_stalled_link_audio_is_dropped_commands_are_kept_and_then_it_is_lost() -> None:
    reading = asyncio.Event()

    async def doze(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.pause_reading()
        await reading.wait()
        socket.transport.resume_reading()
        await peer.listen_on(socket)

    async with (
        serving(doze, receive_buffer=16 * 1024) as peer,
        line_to(peer, stall_timeout_s=30).dial(SPEC) as leg,
    ):
        await until(ModelReady, leg)
        # Far more than every buffer between the two ends can hold.
        for number in range(6_000):
            leg.hear(f"{number:08d}" + FRAME[8:])
            if number % 20 == 0:
                await asyncio.sleep(0)
        for number in range(200):
            leg.command(AddNote(f"note{number}", "x"))
        reading.set()
        await eventually(lambda: sum(is_note(frame) for frame in peer.heard) == 200)
        await eventually(lambda: audio_numbers(peer)[-1:] == [5_999])

    numbers = audio_numbers(peer)
    assert numbers == sorted(numbers)
    assert len(numbers) < 6_000, "a stalled link must let old audio go"
    before_the_gap = sum(number == at for at, number in enumerate(numbers))
    assert before_the_gap < 400, "the kernel must not hold more than a few seconds of it either"
    notes = [frame["item"]["id"] for frame in peer.heard if is_note(frame)]
    assert notes == [f"note{number}" for number in range(200)]
    # The commands overtook the audio that was still waiting.
    last_note = max(at for at, frame in enumerate(peer.heard) if is_note(frame))
    assert len(peer.heard) - last_note > 50


async def test_too_many_waiting_commands_mean_a_stalled_link() -> None:
    async def doze(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.pause_reading()
        await peer.over.wait()

    async with serving(doze) as peer, line_to(peer, command_limit=8).dial(SPEC) as leg:
        await until(ModelReady, leg)
        for number in range(60):
            leg.command(AddNote(f"note{number}", "x" * 100_000))
        ended = await last_word(leg)

    assert ended.retryable
    assert "stalled" in ended.reason


async def test_a_frame_that_cannot_be_sent_in_time_means_a_stalled_link() -> None:
    async def doze(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.pause_reading()
        await peer.over.wait()

    async with serving(doze) as peer, line_to(peer, stall_timeout_s=0.2).dial(SPEC) as leg:
        await until(ModelReady, leg)
        for number in range(30):
            leg.command(AddNote(f"note{number}", "x" * 400_000))
        ended = await last_word(leg)

    assert ended.retryable
    assert "stalled" in ended.reason


# -- ending it ----------------------------------------------------------------------------------


async def test_what_the_call_raises_leaves_the_line_as_it_is_and_closes_it() -> None:
    gone = asyncio.Event()

    async def wait_for_goodbye(peer: Peer, socket: ServerConnection) -> None:
        await socket.wait_closed()
        gone.set()

    async with serving(wait_for_goodbye) as peer:
        with pytest.raises(LookupError, match="mine"):
            async with line_to(peer).dial(SPEC):
                raise LookupError("mine")
        async with asyncio.timeout(20):
            await gone.wait()


async def test_a_cancelled_call_leaves_no_task_and_no_socket() -> None:
    sockets: list[ServerConnection] = []

    async def keep(peer: Peer, socket: ServerConnection) -> None:
        sockets.append(socket)
        await peer.welcome(socket)
        await peer.listen_on(socket)

    async with serving(keep) as peer:
        before = asyncio.all_tasks()

        async def call() -> None:
            async with line_to(peer).dial(SPEC) as leg:
                async for _ in leg:
                    pass

        task = asyncio.create_task(call())
        await eventually(lambda: len(peer.heard) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: sockets[0].close_code is not None)
        await eventually(lambda: asyncio.all_tasks() == before)
    gc.collect()  # an orphan would warn here


async def test_a_service_that_never_says_goodbye_does_not_hold_the_call() -> None:
    async def stubborn(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        socket.transport.pause_reading()
        await peer.over.wait()

    async with (
        serving(stubborn) as peer,
        asyncio.timeout(20),
        line_to(peer, close_timeout_s=0.2).dial(SPEC) as leg,
    ):
        await until(ModelReady, leg)


async def test_no_token_no_audio_and_no_words_reach_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        await say(
            socket,
            "response.output_audio_transcript.delta",
            response_id="r",
            item_id="i",
            delta="spoken words",
        )
        await peer.listen(socket)
        await peer.listen(socket)
        await socket.close()

    async with serving(talk) as peer, line_to(peer).dial(SPEC) as leg:
        leg.hear(FRAME)
        leg.command(AddNote("n", "whispered words"))
        await last_word(leg)

    ours = [record for record in caplog.records if record.name.startswith("switchboard")]
    text = "\n".join(msgspec.json.encode(vars(record), enc_hook=str).decode() for record in ours)
    assert ours
    for secret in ("a-secret-token", FRAME[:20], "spoken words", "whispered words", "Be brief"):
        assert secret not in text
    assert not [record for record in caplog.records if record.name == "websockets.client"]
