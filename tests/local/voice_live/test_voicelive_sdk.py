"""The official Python SDK of Voice Live holds a conversation with the local cloud."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from azure.ai.voicelive.aio import ConnectionError, VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    AudioInputTranscriptionOptions,
    AudioNoiseReduction,
    AzureSemanticDetection,
    AzureSemanticVad,
    AzureStandardVoice,
    FunctionCallOutputItem,
    FunctionTool,
    InputTextContentPart,
    Modality,
    RequestSession,
    ServerEvent,
    UserMessageItem,
)
from websockets.exceptions import InvalidStatus

from switchboard_local.faults.kinds import Refuse
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.realtime.conftest import TRACK
from tests.local.realtime.doubles import Doubles, last_words, local_cloud, silence, tone
from tests.local.tokens import TokenInHand, token_at

SESSION = RequestSession(
    modalities=[Modality.TEXT, Modality.AUDIO],
    instructions="You are the telephone agent of a parcel service.",
    voice=AzureStandardVoice(name="en-US-Ava:DragonHDLatestNeural", rate="1.2", style="cheerful"),
    input_audio_sampling_rate=24_000,
    input_audio_noise_reduction=AudioNoiseReduction(type="azure_deep_noise_suppression"),
    input_audio_transcription=AudioInputTranscriptionOptions(
        model="azure-speech", language="en-US", phrase_list=["parcel"]
    ),
    turn_detection=AzureSemanticVad(
        threshold=0.4,
        silence_duration_ms=300,
        end_of_utterance_detection=AzureSemanticDetection(threshold_level="low", timeout_ms=500),
    ),
    tools=[
        FunctionTool(
            name="track_parcel",
            description="Say where a parcel is, by its number.",
            parameters={"type": "object", "properties": {"parcel_number": {"type": "string"}}},
        )
    ],
)


@asynccontextmanager
async def connected(port: int, **where: str) -> AsyncGenerator[VoiceLiveConnection]:
    """A session of the SDK, as anybody would open it."""
    chosen: dict[str, Any] = where or {"model": "gpt-4.1"}
    async with connect(
        endpoint=f"http://127.0.0.1:{port}", credential=TokenInHand(token_at(port)), **chosen
    ) as connection:
        yield connection


async def until(
    connection: VoiceLiveConnection, kind: str, noted: list[ServerEvent] | None = None
) -> Any:  # noqa: ANN401 - which of its types depends on `kind`
    """The next event of its kind; what comes before it is noted."""
    async with asyncio.timeout(30):
        async for event in connection:
            assert event.type != "error" or kind == "error", event
            assert type(event) is not ServerEvent, f"the SDK does not know {event.type}"
            if noted is not None:
                noted.append(event)
            if event.type == kind:
                return event
    raise AssertionError(f"no {kind} before the end")


async def speak(connection: VoiceLiveConnection, pcm: bytes, frame_bytes: int = 960) -> None:
    for at in range(0, len(pcm), frame_bytes):
        audio = b64encode(pcm[at : at + frame_bytes]).decode()
        await connection.input_audio_buffer.append(audio=audio)


async def hush(connection: VoiceLiveConnection) -> None:
    """Somebody who says nothing, in real time."""
    while True:
        await speak(connection, silence(20))
        await asyncio.sleep(0.02)


async def write(connection: VoiceLiveConnection, text: str) -> None:
    item = UserMessageItem(content=[InputTextContentPart(text=text)])
    await connection.conversation.item.create(item=item)
    await connection.response.create()


def words(done: Any) -> str:  # noqa: ANN401 - an event of the SDK
    """What a reply said."""
    return " ".join(
        part.get("transcript") or part.get("text") or ""
        for item in done.response.output
        if item.type == "message"
        for part in item.content
    )


def audio_ms(events: Sequence[ServerEvent], bytes_per_ms: int = 48) -> float:
    deltas: list[Any] = [event for event in events if event.type == "response.audio.delta"]
    return sum(len(delta.delta) for delta in deltas) / bytes_per_ms


def dispatcher(request: Request) -> Sequence[Thought]:
    """Tracks a parcel when asked to, and says the result; else says something long."""
    said = last_words(request)
    if said.startswith("result"):
        return [Say("It is in Lisbon.")]
    if "parcel" in said:
        return [Call("track_parcel", '{"parcel_number": "4242"}')]
    return [Say("I can find what you sent, and tell you much besides.") for _ in "123"]


async def test_a_text_turn_a_spoken_one_with_a_tool_and_an_interruption() -> None:
    doubles = Doubles()
    doubles.ears.words = ["where is my parcel"]
    doubles.mind.script = dispatcher
    with local_cloud(doubles, local_pace=4) as cloud:
        async with connected(cloud.port) as connection:
            await connection.session.update(session=SESSION)
            opened: list[ServerEvent] = []
            session = (await until(connection, "session.updated", opened)).session
            assert opened[0].type == "session.created"

            await write(connection, "Hello, what can you do?")
            greeting = await until(connection, "response.done")

            events: list[ServerEvent] = []
            await speak(connection, silence(300) + tone(900) + silence(2500))
            heard = await until(
                connection, "conversation.item.input_audio_transcription.completed", events
            )
            call = await until(connection, "response.function_call_arguments.done", events)
            await until(connection, "response.done", events)
            output = FunctionCallOutputItem(call_id=call.call_id, output='{"place": "Lisbon"}')
            await connection.conversation.item.create(item=output)
            await connection.response.create()
            answered = await until(connection, "response.done", events)

            await write(connection, "What can you do?")
            late: list[ServerEvent] = []
            audio = await until(connection, "response.audio.delta", late)
            await speak(connection, tone(400) + silence(200))
            await until(connection, "input_audio_buffer.speech_started", late)
            done = await until(connection, "response.done", late)
            received_ms = int(audio_ms(late))
            await connection.conversation.item.truncate(
                item_id=audio.item_id, content_index=0, audio_end_ms=received_ms // 2
            )
            cut = await until(connection, "conversation.item.truncated")
            await connection.conversation.item.retrieve(item_id=audio.item_id)
            kept = (await until(connection, "conversation.item.retrieved")).item

    assert session.voice["name"] == "en-US-Ava:DragonHDLatestNeural"
    assert session.voice["rate"] == "1.2"
    assert session.turn_detection.end_of_utterance_detection.timeout_ms == 500
    assert session.input_audio_noise_reduction.type == "azure_deep_noise_suppression"
    assert session.input_audio_transcription.phrase_list == ["parcel"]
    assert session.expires_at is not None
    assert words(greeting).startswith("I can find what you sent")
    assert greeting.response.usage.output_token_details.audio_tokens > 0
    assert heard.transcript == "where is my parcel"
    assert json.loads(call.arguments) == {"parcel_number": "4242"}
    assert words(answered) == "It is in Lisbon."
    assert [event.type for event in events if "delta" not in event.type][:4] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
    ]
    assert done.response.status == "cancelled"
    assert done.response.status_details.reason == "turn_detected"
    assert cut.audio_end_ms == received_ms // 2
    left = kept.content[0].transcript
    assert 0 < len(left) < len(words(done))
    assert words(done).startswith(left)


async def test_a_reply_in_text_only_and_with_more_instructions() -> None:
    with local_cloud() as cloud:
        async with connected(cloud.port) as connection:
            await connection.session.update(session=RequestSession(modalities=[Modality.TEXT]))
            await until(connection, "session.updated")
            await write(connection, "good day")
            events: list[ServerEvent] = []
            done = await until(connection, "response.done", events)
            await connection.response.create(additional_instructions="Whisper.")
            await until(connection, "response.done")
            asked = cloud.doubles.mind.requests[-1].response_instructions
    assert words(done) == "You said: good day."
    assert {"response.text.delta", "response.text.done"} <= {event.type for event in events}
    assert done.response.modalities == ["text"]
    assert asked is not None
    assert asked.endswith("\n\nWhisper.")


@pytest.mark.parametrize(
    ("rate_hz", "output", "bytes_per_ms"),
    [(16_000, "pcm16_16000hz", 32), (8_000, "pcm16_8000hz", 16)],
)
async def test_lower_rates_are_heard_and_spoken(
    rate_hz: int, output: str, bytes_per_ms: int
) -> None:
    with local_cloud() as cloud:
        async with connected(cloud.port) as connection:
            session = RequestSession(input_audio_sampling_rate=rate_hz, output_audio_format=output)
            await connection.session.update(session=session)
            await until(connection, "session.updated")
            # Every sample kept of fewer in a second makes a lower hum as long as before.
            low = tone(600 * rate_hz // 24_000) + bytes(700 * bytes_per_ms)
            await speak(connection, bytes(200 * bytes_per_ms) + low)
            events: list[ServerEvent] = []
            done = await until(connection, "response.done", events)
            heard_ms = cloud.doubles.ears.heard_ms[-1]
    assert done.response.output_audio_format == output
    assert words(done) == "You said: hello."
    assert 500 < heard_ms < 1100
    assert audio_ms(events, bytes_per_ms) == pytest.approx(60 * len(words(done)), abs=2)


async def test_an_agent_speaks_with_what_it_brings_and_nothing_of_ours() -> None:
    where = {"agent_name": "desk", "project_name": "parcels", "conversation_id": "conv_7"}
    with local_cloud() as cloud:
        async with connected(cloud.port, **where) as connection:
            created = await until(connection, "session.created")
            await connection.session.update(session=RequestSession(instructions="Be rude."))
            refused = await until(connection, "error")
            await connection.session.update(
                session=RequestSession(turn_detection=AzureSemanticVad(silence_duration_ms=300))
            )
            await until(connection, "session.updated")
            await write(connection, "good day")
            done = await until(connection, "response.done")
    assert (created.session.agent.name, created.session.agent.thread_id) == ("desk", "conv_7")
    assert refused.error.param == "session.instructions"
    assert words(done) == "You said: good day."


async def test_a_model_is_settled_with_the_address() -> None:
    with local_cloud() as cloud:
        async with connected(cloud.port) as connection:
            await connection.session.update(session=RequestSession(model="gpt-4o"))
            refused = await until(connection, "error")
    assert refused.error.type == "invalid_request_error"
    assert refused.error.param == "session.model"


async def test_wrong_requests_are_refused_before_the_upgrade() -> None:
    with local_cloud() as cloud:
        endpoint, credential = f"http://127.0.0.1:{cloud.port}", TokenInHand(cloud.token)
        with pytest.raises(ConnectionError, match="400"):
            async with connect(endpoint=endpoint, credential=credential):
                pass
        with pytest.raises(ConnectionError, match="400"):
            async with connect(
                endpoint=endpoint, credential=credential, model="m", api_version="1999-01-01"
            ):
                pass
        cloud.doubles.faults.arm(Refuse(status=429))
        with pytest.raises(ConnectionError, match="429"):
            async with connected(cloud.port):
                pass


async def test_the_sdk_asks_for_a_token_of_the_documented_scope() -> None:
    with local_cloud() as cloud:
        credential = TokenInHand(cloud.token)
        async with connect(
            endpoint=f"http://127.0.0.1:{cloud.port}", credential=credential, model="gpt-realtime"
        ) as connection:
            await until(connection, "session.created")
    assert credential.scopes == ["https://ai.azure.com/.default"]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("api-version=2026-07-15&model=m", {}, 401),
        ("api-version=2026-07-15&model=m", {"api-key": "any"}, 401),
        ("api-version=2026-07-15&model=m", {"Authorization": "Bearer any"}, 401),
    ],
)
async def test_whoever_lacks_something_gets_an_answer_and_no_socket(
    query: str, headers: Mapping[str, str], status: int
) -> None:
    with local_cloud() as cloud, pytest.raises(InvalidStatus) as refusal:
        address = f"ws://127.0.0.1:{cloud.port}/voice-live/realtime?{query}"
        async with websockets.connect(address, additional_headers=headers, proxy=None):
            pass
    assert refusal.value.response.status_code == status
    assert json.loads(refusal.value.response.body)["error"]["message"]


@pytest.mark.embedded
@pytest.mark.timeout(180)
async def test_it_talks_with_the_embedded_engine(
    embedded_port: int, speech: Mapping[str, bytes]
) -> None:
    async with connected(embedded_port) as connection:
        await connection.session.update(session=SESSION)
        await until(connection, "session.updated")
        await speak(connection, speech[TRACK])
        events: list[ServerEvent] = []
        async with asyncio.TaskGroup() as tasks:
            # How long a pause must be depends on the words: a microphone does not stop at its end.
            microphone = tasks.create_task(hush(connection))
            heard = await until(
                connection, "conversation.item.input_audio_transcription.completed", events
            )
            call = await until(connection, "response.function_call_arguments.done", events)
            await until(connection, "response.done", events)
            microphone.cancel()
        output = FunctionCallOutputItem(call_id=call.call_id, output='{"place": "Lisbon"}')
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        answer: list[ServerEvent] = []
        answered = await until(connection, "response.done", answer)
    assert "parcel" in heard.transcript.lower()
    assert call.name == "track_parcel"
    assert "Lisbon" in words(answered)
    assert audio_ms(answer) > 300
