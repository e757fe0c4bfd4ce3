"""The official Python SDK holds a conversation with the local cloud: doubles first, then whole."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent, ResponseDoneEvent
from openai.types.realtime.realtime_session_create_request_param import (
    RealtimeSessionCreateRequestParam,
)

from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.realtime.conftest import STOP, TRACK
from tests.local.realtime.doubles import Doubles, last_words, local_cloud, silence, tone
from tests.local.tokens import token_at

SESSION: Final[RealtimeSessionCreateRequestParam] = {
    "type": "realtime",
    "instructions": "You are the telephone agent of a parcel service.",
    "audio": {
        "input": {
            "transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        }
    },
    "tools": [
        {
            "type": "function",
            "name": "track_parcel",
            "description": "Say where a parcel is, by its number.",
            "parameters": {
                "type": "object",
                "properties": {"parcel_number": {"type": "string", "description": "Four digits"}},
                "required": ["parcel_number"],
            },
        }
    ],
}


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[AsyncRealtimeConnection]:
    """A session of the SDK, as anybody would open it."""
    async with (
        AsyncOpenAI(
            base_url=f"http://127.0.0.1:{port}/openai/v1", api_key=token_at(port)
        ) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        await connection.session.update(session=SESSION)
        yield connection


async def until(
    connection: AsyncRealtimeConnection, kind: str, noted: list[RealtimeServerEvent] | None = None
) -> Any:  # noqa: ANN401 - which of 46 types depends on `kind`
    """The next event of its kind; what comes before it is noted."""
    async with asyncio.timeout(30):
        async for event in connection:
            assert event.type != "error", event
            if noted is not None:
                noted.append(event)
            if event.type == kind:
                return event
    raise AssertionError(f"no {kind} before the end")


async def speak(connection: AsyncRealtimeConnection, pcm: bytes, frame_s: float = 0.005) -> None:
    for at in range(0, len(pcm), 960):
        audio = b64encode(pcm[at : at + 960]).decode()
        await connection.input_audio_buffer.append(audio=audio)
        await asyncio.sleep(frame_s)


async def write(connection: AsyncRealtimeConnection, text: str) -> None:
    await connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    )
    await connection.response.create()


def words(done: ResponseDoneEvent) -> str:
    """What a reply said."""
    return " ".join(
        part.transcript or part.text or ""
        for item in done.response.output or []
        if item.type == "message" and item.role == "assistant"
        for part in item.content
    )


async def converse(port: int, question: bytes, interruption: bytes) -> Mapping[str, Any]:
    """A text turn, a spoken turn with a tool, and an interruption; what came of each."""
    async with connected(port) as connection:
        await write(connection, "Hello, what can you do?")
        greeting = await until(connection, "response.done")

        events: list[RealtimeServerEvent] = []
        await speak(connection, question)
        heard = await until(
            connection, "conversation.item.input_audio_transcription.completed", events
        )
        call = await until(connection, "response.function_call_arguments.done", events)
        await until(connection, "response.done", events)
        await connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": json.dumps({"place": "Lisbon"}),
            }
        )
        await connection.response.create()
        answered = await until(connection, "response.done", events)

        await write(connection, "What can you do?")
        audio = await until(connection, "response.output_audio.delta")
        await speak(connection, interruption, frame_s=0)
        late: list[RealtimeServerEvent] = []
        await until(connection, "input_audio_buffer.speech_started", late)
        done = await until(connection, "response.done", late)
        received_ms = sum(
            len(b64decode(event.delta)) / 48
            for event in (audio, *late)
            if event.type == "response.output_audio.delta"
        )
        await connection.conversation.item.truncate(
            item_id=audio.item_id, content_index=0, audio_end_ms=int(received_ms / 2)
        )
        await until(connection, "conversation.item.truncated")
        await connection.conversation.item.retrieve(item_id=audio.item_id)
        cut = await until(connection, "conversation.item.retrieved")
        return {
            "greeting": words(greeting),
            "heard": heard.transcript,
            "arguments": json.loads(call.arguments),
            "answer": words(answered),
            "interrupted": done.response,
            "said": words(done),
            "left": cut.item.content[0].transcript,
            "order": [event.type for event in events if "delta" not in event.type],
        }


def dispatcher(request: Request) -> Sequence[Thought]:
    """Tracks a parcel when asked to, and says the result; else says something long."""
    said = last_words(request)
    if said.startswith("result"):
        return [Say("It is in Lisbon.")]
    if "parcel" in said:
        return [Call("track_parcel", '{"parcel_number": "4242"}')]
    return [Say("I can find what you sent, and tell you much besides.") for _ in "123"]


async def test_the_python_sdk_holds_a_conversation() -> None:
    doubles = Doubles()
    doubles.ears.words = ["where is my parcel"]
    doubles.mind.script = dispatcher
    with local_cloud(doubles, local_pace=4) as cloud:
        went = await converse(
            cloud.port, silence(300) + tone(900) + silence(900), tone(400) + silence(200)
        )
    assert went["heard"] == "where is my parcel"
    assert went["arguments"] == {"parcel_number": "4242"}
    assert went["answer"] == "It is in Lisbon."
    assert went["interrupted"].status == "cancelled"
    assert went["interrupted"].status_details.reason == "turn_detected"
    assert went["said"].startswith(went["left"])
    assert 0 < len(went["left"]) < len(went["said"])
    spoken_turn = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert went["order"][:5] == spoken_turn


@pytest.mark.embedded
@pytest.mark.timeout(180)
async def test_the_python_sdk_talks_with_the_embedded_engine(
    embedded_port: int, speech: Mapping[str, bytes]
) -> None:
    went = await converse(embedded_port, speech[TRACK], speech[STOP])
    assert went["greeting"]
    assert "parcel" in went["heard"].lower()
    assert went["arguments"]["parcel_number"]
    assert "Lisbon" in went["answer"]
    assert went["interrupted"].status in {"cancelled", "completed"}
    assert len(went["left"]) < len(went["said"])


@pytest.mark.embedded
@pytest.mark.timeout(180)
async def test_what_the_embedded_voice_says_is_what_its_transcript_says(
    embedded_port: int,
) -> None:
    async with connected(embedded_port) as connection:
        await write(connection, "Hello!")
        events: list[RealtimeServerEvent] = []
        done: ResponseDoneEvent = await until(connection, "response.done", events)
        audio = b"".join(
            b64decode(event.delta)
            for event in events
            if event.type == "response.output_audio.delta"
        )
        await speak(connection, silence(300) + audio + silence(1500), frame_s=0)
        heard = await until(connection, "conversation.item.input_audio_transcription.completed")
    spoken = {word.strip(".,!?").lower() for word in words(done).split()}
    understood = {word.strip(".,!?").lower() for word in heard.transcript.split()}
    assert len(understood & spoken) >= len(understood) / 2
