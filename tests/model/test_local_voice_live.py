"""The line to Voice Live, with the local cloud at its other end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import msgspec
import pytest

from switchboard.agents.config import ModelEntry, VoiceEntry
from switchboard.agents.serving import session_of
from switchboard.conversation.commands import (
    AddCallerText,
    AddToolOutput,
    CancelReply,
    RequestReply,
    SetTurns,
    TruncateItem,
)
from switchboard.conversation.events import (
    CallerWords,
    ItemTruncated,
    ModelLost,
    ModelReady,
    ModelRefused,
    ReplyDone,
    ReplyStarted,
    ReplyStatus,
    ReplyWords,
    SpeechStarted,
    SpeechStopped,
    ToolRequested,
    TurnCommitted,
)
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.session import FoundryAgent, Service, SessionSpec, ToolSpec
from switchboard.model.config import AI_SCOPE, ModelConfig
from switchboard.model.connection import Line
from switchboard.model.credentials import TokenSource, managed_identity
from switchboard.model.profiles import VOICE_LIVE
from switchboard_local.faults.kinds import Drop
from tests.agents.test_profile import profile
from tests.local.realtime.doubles import Cloud, local_cloud, silence, tone
from tests.model.peer import last_word, until
from tests.model.test_local_cloud import HEADER, of, speak

SPEC = SessionSpec(
    model="gpt-realtime-2.1",
    instructions="Be brief.",
    voice="marin",
    turn_detection={
        "type": "azure_semantic_vad",
        "silence_duration_ms": 300,
        "create_response": True,
        "interrupt_response": True,
    },
    tools=[ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {}})],
    transcription={"model": "whisper-1", "language": "en"},
    noise_reduction="azure_deep_noise_suppression",
    service=Service.VOICE_LIVE,
)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with local_cloud(identity_header=HEADER) as cloud:
        yield cloud


@pytest.fixture
async def line(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    """A line as the product has it: its token comes from the machine's identity endpoint."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    source = TokenSource(managed_identity, AI_SCOPE)
    config = ModelConfig(endpoint=f"http://127.0.0.1:{cloud.port}")
    async with asyncio.TaskGroup() as tasks:
        refresher = tasks.create_task(source.refresh())
        yield Line(config, source, service=VOICE_LIVE)
        refresher.cancel()


async def test_a_spoken_turn_is_heard_written_down_and_answered(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        (ready,) = await until(ModelReady, leg)
        speak(leg, silence(200), tone(600), silence(700))
        said = await until(ReplyDone, leg)

    assert isinstance(ready, ModelReady)
    assert ready.expires_at is not None
    (began,), (ended,) = of(SpeechStarted, said), of(SpeechStopped, said)
    assert began.at_ms < ended.at_ms
    assert [turn.item_id for turn in of(TurnCommitted, said)] == [began.item_id]
    assert [words.text for words in of(CallerWords, said) if words.final] == ["hello"]
    assert of(ReplyStarted, said) == [ReplyStarted(of(ReplyDone, said)[0].reply_id)]
    assert [words.text for words in of(ReplyWords, said) if words.final] == ["You said: hello."]
    assert of(ReplyAudio, said)
    assert of(ReplyDone, said)[0].usage


async def test_a_tool_is_requested_once_and_its_answer_spoken(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(AddCallerText("item_typed", "how is the weather"))
        leg.command(RequestReply("turn-1"))
        asked = await until(ReplyDone, leg)
        (request,) = of(ToolRequested, asked)
        assert (request.name, request.arguments) == ("weather", '{"city": "Oslo"}')
        assert [started.tag for started in of(ReplyStarted, asked)] == ["turn-1"]

        leg.command(AddToolOutput(request.call_id, '{"sky": "clear"}'))
        leg.command(RequestReply("turn-2"))
        told = await until(ReplyDone, leg)

    assert of(ReplyWords, told)[-1].text == 'You said: result {"sky": "clear"}.'


async def test_speaking_over_a_reply_cancels_it_and_its_item_is_cut_to_what_was_heard(
    line: Line,
) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(RequestReply("greeting", "A long greeting that will be spoken over. " * 20))
        said = await until(ReplyAudio, leg)
        speak(leg, tone(400))
        said += await until(ReplyDone, leg)
        (done,) = of(ReplyDone, said)
        assert (done.status, done.reason) == (ReplyStatus.CANCELLED, "turn_detected")

        leg.command(TruncateItem(of(ReplyAudio, said)[0].item_id, 120))
        (cut,) = of(ItemTruncated, await until(ItemTruncated, leg))
        assert cut.audio_end_ms == 120


async def test_without_tools_for_once_a_reply_uses_none(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(AddCallerText("item_typed", "how is the weather"))
        leg.command(RequestReply("turn-1", allow_tools=False))
        said = await until(ReplyDone, leg)
    assert of(ToolRequested, said) == []
    assert of(ReplyWords, said)


async def test_refusals_name_the_command_that_they_refuse(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(CancelReply("nothing"))
        (refusal,) = of(ModelRefused, await until(ModelRefused, leg))
        assert refusal.event_id == "cancel_nothing"
        leg.command(RequestReply("first", "One. " * 20))
        leg.command(RequestReply("second"))
        (refusal,) = of(ModelRefused, await until(ModelRefused, leg))
    assert refusal.code == "conversation_already_has_active_response"
    assert refusal.event_id == "second"


async def test_the_service_may_be_told_to_answer_no_turn_by_itself(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(SetTurns({"type": "server_vad", "create_response": False}))
        leg.command(CancelReply("nothing"))
        (refusal,) = of(ModelRefused, await until(ModelRefused, leg))
    assert refusal.event_id == "cancel_nothing"  # and nothing before it


async def test_everything_an_operator_may_configure_is_accepted(line: Line, cloud: Cloud) -> None:
    model = ModelEntry.model_validate(
        {
            "id": "reader",
            "title": "Reader",
            "service": "voice_live",
            "model": "gpt-4.1",
            "voice_live": {
                "turn_detection": {
                    "type": "azure_semantic_vad_multilingual",
                    "languages": ("en",),
                    "remove_filler_words": True,
                    "end_of_utterance_detection": {"threshold_level": "high", "timeout_ms": 700},
                },
                "noise_reduction": "far_field",
                "echo_cancellation": True,
                "transcription": {"model": "azure-speech", "phrase_list": ("Northwind",)},
            },
        }
    )
    azure = {
        "type": "azure-custom",
        "name": "mine",
        "endpoint_id": "e",
        "rate": 1.25,
        "style": "cheerful",
        "pitch": "+5%",
        "volume": "-10%",
        "temperature": 0.7,
        "locale": "en-GB",
        "prefer_locales": ("en-GB", "en-US"),
    }
    voice = VoiceEntry.model_validate({"id": "mine", "title": "Mine", "azure": azure})
    tool = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {}})
    spec = session_of(profile(max_output_tokens=900), [tool], model, voice)
    async with line.dial(spec) as leg:
        assert of(ModelReady, await until(ModelReady, leg))
        leg.command(AddCallerText("item_typed", "good day"))
        leg.command(RequestReply("turn-1"))
        await until(ReplyDone, leg)
    (asked,) = cloud.doubles.mind.requests
    assert asked.instructions == "Keep the desk."
    assert [each["name"] for each in asked.tools] == ["weather", "end_call"]


async def test_a_session_the_service_will_not_have_ends_the_leg_with_the_reason(line: Line) -> None:
    async with line.dial(replace(SPEC, turn_detection={"type": "odd"})) as leg:
        said = await until(ModelLost, leg)
    (lost,) = of(ModelLost, said)
    assert not lost.retryable
    assert "refused" in lost.reason


async def test_a_connection_that_breaks_in_mid_reply_is_the_last_word(
    line: Line, cloud: Cloud
) -> None:
    cloud.doubles.faults.arm(Drop(on="reply", after_ms=300))
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(RequestReply("greeting", "A long greeting. " * 20))
        assert (await last_word(leg)).retryable


async def test_a_foundry_agent_takes_the_session_as_an_agents_file_words_it(line: Line) -> None:
    given = {
        "id": "concierge",
        "title": "Concierge",
        "service": "voice_live",
        "agent": {"name": "concierge", "project": "hotel", "version": "3"},
        "voice_live": {
            "interim_response": {
                "type": "llm_interim_response",
                "triggers": ["latency", "tool"],
                "instructions": "Say that you are looking.",
            }
        },
    }
    concierge = ModelEntry.model_validate_json(msgspec.json.encode(given))
    ava = VoiceEntry.model_validate_json(
        b'{"id": "ava", "title": "Ava", "azure": {"name": "en-US-Ava"}}'
    )
    spec = session_of(profile(), SPEC.tools, concierge, ava)
    async with line.dial(spec) as leg:
        (ready,) = await until(ModelReady, leg)
        leg.command(AddCallerText("item_typed", "hello"))
        leg.command(RequestReply("turn-1"))
        said = await until(ReplyDone, leg)
    assert isinstance(ready, ModelReady)
    assert ready.conversation_id == "conv_concierge"
    assert [words.text for words in of(ReplyWords, said) if words.final] == ["You said: hello."]

    again = FoundryAgent("concierge", "hotel", conversation_id="conv_7")
    async with line.dial(replace(spec, agent=again)) as leg:
        (ready,) = await until(ModelReady, leg)
    assert isinstance(ready, ModelReady)
    assert ready.conversation_id == "conv_7"
