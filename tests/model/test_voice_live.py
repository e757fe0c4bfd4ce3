"""What Voice Live's frames mean, how it is dialled, and that it cannot hurt us."""

import asyncio
from dataclasses import replace
from inspect import get_annotations
from typing import Any

import msgspec
import pytest
from azure.ai.voicelive.models import RequestSession, ServerEventType
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from switchboard.conversation.commands import AddNote, DeleteItem, RequestReply, TruncateItem
from switchboard.conversation.events import (
    CallerWords,
    CallerWordsFailed,
    ItemKind,
    ItemTruncated,
    ModelReady,
    ModelRefused,
    ReplyDone,
    ReplyItemStarted,
    ReplyStarted,
    ReplyStatus,
    ReplyWords,
    SpeechStarted,
    SpeechStopped,
    ToolRequested,
    TurnCommitted,
    Usage,
    WordTimed,
)
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.session import FoundryAgent, Service, SessionSpec, ToolSpec
from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.codec import MalformedFrame
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line, by_service
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import AZURE_OPENAI, VOICE_LIVE, of_version
from switchboard.model.voice_live import decoder, session_object
from tests.model.peer import (
    EXPIRES_AT,
    FixedToken,
    Peer,
    eventually,
    last_word,
    line_to,
    say,
    serving,
    until,
)

SPEC = SessionSpec(
    model="gpt-realtime-2.1",
    instructions="Be brief.",
    voice="marin",
    turn_detection={"type": "azure_semantic_vad", "silence_duration_ms": 400},
    tools=[ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {}})],
    transcription={"model": "whisper-1", "language": "en"},
    noise_reduction="azure_deep_noise_suppression",
    max_output_tokens=900,
    service=Service.VOICE_LIVE,
    extra={"input_audio_echo_cancellation": {"type": "server_echo_cancellation"}},
)
IDS: dict[str, Any] = {
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
}


def event(kind: str, /, **fields: object) -> dict[str, Any]:
    return {**IDS, "type": kind, **fields}


def read(*frames: dict[str, Any]) -> list[object]:
    """What one session's decoder makes of these frames, in order."""
    reads = decoder()
    return [fact for frame in frames for fact in reads.decode(msgspec.json.encode(frame))]


# -- out ----------------------------------------------------------------------------------------


def test_the_session_is_flat_and_every_field_is_one_the_sdk_knows() -> None:
    session = session_object(SPEC)
    assert session == {
        "modalities": ["text", "audio"],
        "instructions": "Be brief.",
        "voice": {"type": "openai", "name": "marin"},
        "input_audio_format": "pcm16",
        "input_audio_sampling_rate": 24_000,
        "output_audio_format": "pcm16",
        "turn_detection": {"type": "azure_semantic_vad", "silence_duration_ms": 400},
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "Tells the weather.",
                "parameters": {"type": "object", "properties": {}},
            }
        ],
        "tool_choice": "auto",
        "input_audio_transcription": {"model": "whisper-1", "language": "en"},
        "input_audio_noise_reduction": {"type": "azure_deep_noise_suppression"},
        "max_response_output_tokens": 900,
        "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
    }
    known = {name for kind in RequestSession.__mro__ for name in get_annotations(kind)}
    assert session.keys() <= known


def test_a_voice_may_be_an_object_and_what_only_ga_knows_is_left_out() -> None:
    ava = {"type": "azure-standard", "name": "en-US-Ava", "rate": "1.2"}
    turns = {"type": "server_vad", "idle_timeout_ms": 5000, "threshold": 0.5}
    session = session_object(replace(SPEC, voice_object=ava, turn_detection=turns))
    assert session["voice"] == ava
    assert session["turn_detection"] == {"type": "server_vad", "threshold": 0.5}
    assert session_object(replace(SPEC, turn_detection=None))["turn_detection"] is None


def test_a_foundry_agent_is_told_neither_who_it_is_nor_what_it_can_do() -> None:
    session = session_object(replace(SPEC, agent=FoundryAgent("concierge", "hotel")))
    assert session_object(SPEC).keys() - session.keys() == {"instructions", "tools", "tool_choice"}


# -- in: one event, one meaning -----------------------------------------------------------------

USAGE = {
    "total_tokens": 190,
    "input_tokens": 130,
    "output_tokens": 60,
    "input_token_details": {
        "cached_tokens": 84,
        "text_tokens": 100,
        "audio_tokens": 30,
        "image_tokens": 0,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 20, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 15, "audio_tokens": 45, "reasoning_tokens": 0},
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "realtime.response",
    "status": "in_progress",
    "status_details": None,
    "output": [],
    "usage": None,
    "conversation_id": "conv_1",
    "voice": {"type": "azure-standard", "name": "en-US-Ava:DragonHDLatestNeural"},
    "modalities": ["text", "audio"],
    "output_audio_format": "pcm16",
    "temperature": 0.8,
    "max_output_tokens": "inf",
    "metadata": {"switchboard": "t1"},
}
WHAT = {"call_id": "call_1", "name": "weather", "arguments": "{}"}
CALL = {
    "id": "item_1",
    "object": "realtime.item",
    "type": "function_call",
    "status": "completed",
    **WHAT,
}
MEANINGS: list[tuple[dict[str, Any], object]] = [
    (
        event("input_audio_buffer.speech_started", audio_start_ms=120),
        SpeechStarted("item_1", 120.0),
    ),
    (event("input_audio_buffer.speech_stopped", audio_end_ms=980), SpeechStopped("item_1", 980.0)),
    (event("input_audio_buffer.committed", previous_item_id=None), TurnCommitted("item_1")),
    (
        event("conversation.item.input_audio_transcription.completed", transcript="hello"),
        CallerWords("item_1", "hello", final=True),
    ),
    (
        event("conversation.item.input_audio_transcription.failed", error={"message": "x"}),
        CallerWordsFailed("item_1"),
    ),
    (event("conversation.item.truncated", audio_end_ms=300), ItemTruncated("item_1", 300.0)),
    (event("response.created", response=RESPONSE), ReplyStarted("resp_1", "t1")),
    (
        # Nothing promises the conversation's id here, and we ask for nothing out of band.
        event("response.created", response={**RESPONSE, "conversation_id": None}),
        ReplyStarted("resp_1", "t1"),
    ),
    (
        event("response.output_item.added", item={"id": "item_1", "type": "message"}),
        ReplyItemStarted("resp_1", "item_1", ItemKind.MESSAGE),
    ),
    (
        event("response.output_item.added", item={"id": "item_1", "type": "web_search_call"}),
        ReplyItemStarted("resp_1", "item_1", ItemKind.OTHER),
    ),
    (event("response.audio.delta", delta="AAAA"), ReplyAudio("resp_1", "item_1", "AAAA")),
    (
        event("response.audio_transcript.delta", delta="Go"),
        ReplyWords("resp_1", "item_1", "Go", final=False),
    ),
    (
        event("response.audio_transcript.done", transcript="Good day"),
        ReplyWords("resp_1", "item_1", "Good day", final=True),
    ),
    (
        event("response.text.delta", delta="Go"),
        ReplyWords("resp_1", "item_1", "Go", final=False, spoken=False),
    ),
    (
        event("response.text.done", text="Good day"),
        ReplyWords("resp_1", "item_1", "Good day", final=True, spoken=False),
    ),
    (
        event("response.done", response={**RESPONSE, "status": "completed", "usage": USAGE}),
        ReplyDone("resp_1", ReplyStatus.COMPLETED, None, Usage(100, 30, 64, 20, 15, 45)),
    ),
    (
        event(
            "error",
            error={
                "type": "invalid_request_error",
                "code": "busy",
                "message": "No",
                "event_id": "t",
            },
        ),
        ModelRefused("busy", "No", "t"),
    ),
]


@pytest.mark.parametrize(("frame", "meaning"), MEANINGS, ids=lambda value: type(value).__name__)
def test_an_event_means_one_thing(frame: dict[str, Any], meaning: object) -> None:
    assert read(frame) == [meaning]


def test_a_tool_is_asked_for_once_though_it_is_told_three_times() -> None:
    told = read(
        event(
            "response.function_call_arguments.done",
            call_id="call_1",
            name="weather",
            arguments="{}",
        ),
        event("response.output_item.done", item=CALL),
        event("response.done", response={**RESPONSE, "status": "completed", "output": [CALL]}),
    )
    assert told == [
        ToolRequested("resp_1", "item_1", "call_1", "weather", "{}"),
        ReplyDone("resp_1", ReplyStatus.COMPLETED),
    ]


@pytest.mark.parametrize("expires_at", [EXPIRES_AT, "2026-11-26T03:00:00Z", None, {"odd": 1}])
def test_a_session_is_ready_whatever_it_says_of_its_end(expires_at: object) -> None:
    session = {"id": "sess_1", "expires_at": expires_at, "voice": {"type": "openai"}}
    epoch_s = EXPIRES_AT if expires_at == EXPIRES_AT else None
    frames = [event(kind, session=session) for kind in ("session.created", "session.updated")]
    assert read(*frames) == [ModelReady("sess_1", epoch_s)]


@pytest.mark.parametrize("agent", [{"thread_id": 7}, {"thread_id": None}, "odd", None])
def test_a_session_is_ready_whatever_it_says_of_its_agent(agent: object) -> None:
    session = {"id": "sess_1", "agent": agent}
    assert read(event("session.updated", session=session)) == [ModelReady("sess_1")]


MEANT = {frame["type"] for frame, _ in MEANINGS} | {
    "response.audio_timestamp.delta",
    "session.created",
    "session.updated",
    "response.output_item.done",
    "response.function_call_arguments.done",
    "conversation.item.input_audio_transcription.delta",
}


@pytest.mark.parametrize(
    "kind",
    [
        *sorted({each.value for each in ServerEventType} - MEANT),
        # The other dialect's, and one that nobody knows yet.
        "response.output_audio.delta",
        "conversation.item.added",
        "response.thought_bubble.delta",
    ],
)
def test_every_other_event_is_passed_over(kind: str) -> None:
    assert read({"type": kind, "event_id": "e", "surprise": [1, {"deep": None}]}) == []


@given(
    st.sampled_from(sorted(MEANT)),
    st.dictionaries(
        st.sampled_from(
            ["response", "item", "session", "error", "delta", "response_id", "item_id"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "type", "status", "output", "usage", "metadata"]), inner
                )
            ),
            max_leaves=8,
        ),
    ),
)
def test_events_of_any_shape_are_understood_or_refused(kind: str, fields: dict[str, Any]) -> None:
    reads = decoder()
    for _ in "12":
        try:
            reads.decode(msgspec.json.encode({**fields, "type": kind}))
        except MalformedFrame as refusal:
            assert refusal.kind in MEANT


# -- dialling -----------------------------------------------------------------------------------


async def welcome_and_listen(peer: Peer, socket: ServerConnection) -> None:
    await peer.welcome(socket)
    await peer.listen_on(socket)


async def test_the_upgrade_names_version_and_model_and_bears_the_token() -> None:
    async with (
        serving(welcome_and_listen) as peer,
        line_to(peer, VOICE_LIVE).dial(SPEC) as leg,
    ):
        assert await until(ModelReady, leg) == [ModelReady("sess_1", EXPIRES_AT)]

    (request,) = peer.requests
    assert request.path == "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime-2.1"
    assert request.headers["Authorization"] == "Bearer a-secret-token"
    assert peer.heard[0]["type"] == "session.update"
    assert peer.heard[0]["session"] == session_object(SPEC)


async def test_an_agent_is_named_in_the_upgrade_and_its_conversation_goes_on() -> None:
    concierge = FoundryAgent("the concierge", "hotel&spa", version="7")

    async def welcome(peer: Peer, socket: ServerConnection) -> None:
        agent = {"type": "agent", "name": "c", "agent_id": "c:7", "thread_id": "conv_9"}
        await say(socket, "session.created", session={"id": "sess_1", "agent": agent})
        await peer.listen(socket)
        await say(socket, "session.updated", session={"id": "sess_1"})
        await peer.listen_on(socket)

    async with serving(welcome) as peer:
        line = line_to(peer, VOICE_LIVE)
        async with line.dial(replace(SPEC, agent=concierge)) as leg:
            (ready,) = await until(ModelReady, leg)
        assert ready == ModelReady("sess_1", conversation_id="conv_9")
        assert isinstance(ready, ModelReady)
        again = replace(concierge, conversation_id=ready.conversation_id)
        async with line.dial(replace(SPEC, agent=again)) as leg:
            await until(ModelReady, leg)

    first, second = (request.path for request in peer.requests)
    assert first == (
        "/voice-live/realtime?api-version=2026-07-15&agent-name=the%20concierge"
        "&agent-project-name=hotel%26spa&agent-version=7"
    )
    assert second == f"{first}&conversation-id=conv_9"
    assert "instructions" not in peer.heard[0]["session"]


async def test_where_there_are_no_agents_none_is_dialled() -> None:
    async with serving(welcome_and_listen) as peer:
        with pytest.raises(ModelUnavailable, match="none of this service's"):
            async with line_to(peer).dial(replace(SPEC, agent=FoundryAgent("c", "hotel"))):
                pass
    assert peer.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "https://r.services.ai.azure.com",
        "https://r.services.ai.azure.com/",
        "https://r.services.ai.azure.com/voice-live/realtime",
    ],
)
def test_an_endpoint_may_be_pasted_with_the_path_behind_it(address: str) -> None:
    endpoint = Endpoint(address, of_version(VOICE_LIVE, "2026-04-10"))
    assert endpoint.session_url("a b") == (
        "wss://r.services.ai.azure.com/voice-live/realtime?api-version=2026-04-10&model=a%20b"
    )


@pytest.mark.parametrize(
    "address", ["r.services.ai.azure.com", "http://r.example", "https://r?a=b"]
)
def test_a_wrong_endpoint_is_named_by_its_own_setting(address: str) -> None:
    with pytest.raises(ConfigurationError, match="AZURE_VOICELIVE_ENDPOINT"):
        Endpoint(address, VOICE_LIVE)


@pytest.mark.parametrize(
    ("status", "help_with"),
    [(400, "AZURE_VOICELIVE_ENDPOINT"), (401, "Foundry User"), (403, "Foundry User")],
)
async def test_a_refusal_says_what_this_service_needs(status: int, help_with: str) -> None:
    async with serving(welcome_and_listen, refusals=[status]) as peer:
        with pytest.raises(ModelUnavailable, match=help_with):
            async with line_to(peer, VOICE_LIVE).dial(SPEC):
                pass


async def test_frames_that_make_no_sense_end_no_call() -> None:
    hostile: list[str | bytes] = [
        "[]",
        "{",
        "\x00",
        b"\xff\xfe",
        '{"type": "response.done"}',
        '{"type": "response.audio.delta", "response_id": "r", "item_id": "i", "delta": 1}',
        '{"type": "response.created", "response": []}',
        '{"type": "x", "a": ' + "[" * 50_000,
        '{"type": "warning", "warning": {"message": "beware"}}',
    ]

    async def shout(peer: Peer, socket: ServerConnection) -> None:
        await peer.welcome(socket)
        for frame in hostile:
            await socket.send(frame)
        await say(socket, "response.audio.delta", response_id="r", item_id="i", delta="AAAA")
        await peer.over.wait()

    async with serving(shout) as peer, line_to(peer, VOICE_LIVE).dial(SPEC) as leg:
        said = await until(ReplyAudio, leg)
        peer.over.set()
    assert said == [ModelReady("sess_1", EXPIRES_AT), ReplyAudio("r", "i", "AAAA")]


async def test_a_session_that_is_refused_ends_the_leg_without_repeating_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(peer: Peer, socket: ServerConnection) -> None:
        update = await peer.listen(socket)
        error = {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "Invalid instructions: Be brief.",
            "param": "session.instructions",
            "event_id": update["event_id"],
        }
        await say(socket, "error", error=error)
        await peer.over.wait()

    async with serving(refuse) as peer, line_to(peer, VOICE_LIVE).dial(SPEC) as leg:
        lost = await last_word(leg)
        peer.over.set()
    assert (lost.reason, lost.retryable) == ("the session was refused (invalid_value)", False)
    (record,) = [each for each in caplog.records if each.message == "error before the session"]
    assert (vars(record)["code"], vars(record)["param"]) == (
        "invalid_value",
        "session.instructions",
    )
    assert "Be brief" not in str([vars(each) for each in caplog.records])


# -- what a service can do ----------------------------------------------------------------------


async def test_a_voice_that_is_an_object_is_not_sent_where_names_are_wanted() -> None:
    ava = {"type": "azure-standard", "name": "en-US-Ava"}
    async with serving(welcome_and_listen) as peer:
        with pytest.raises(ModelUnavailable, match="none of this model's") as refusal:
            async with line_to(peer, AZURE_OPENAI).dial(replace(SPEC, voice_object=ava)):
                pass
    assert (refusal.value.retryable, peer.requests) == (False, [])


async def test_what_cannot_truncate_is_not_asked_to() -> None:
    cannot = replace(VOICE_LIVE, truncates_replies=False)
    async with serving(welcome_and_listen) as peer, line_to(peer, cannot).dial(SPEC) as leg:
        await until(ModelReady, leg)
        for command in (TruncateItem("i", 20), DeleteItem("i"), AddNote("n", "x")):
            leg.command(command)
        await eventually(lambda: len(peer.heard) == 3)
    kinds = [frame["type"] for frame in peer.heard[1:]]
    assert kinds == ["conversation.item.delete", "conversation.item.create"]


def test_a_timed_word_is_read_and_an_odd_one_is_malformed() -> None:
    timed = {"item_id": "i", "text": "Hello", "audio_offset_ms": 100, "audio_duration_ms": 250}
    frame = {"type": "response.audio_timestamp.delta", "event_id": "e", **timed}
    assert list(decoder().decode(msgspec.json.encode(frame))) == [WordTimed("i", "Hello", 350)]
    with pytest.raises(MalformedFrame):
        decoder().decode(msgspec.json.encode({**frame, "audio_offset_ms": "soon"}))


async def test_each_session_is_dialled_at_its_own_service() -> None:
    async with serving(welcome_and_listen) as live, serving(welcome_and_listen) as ga:
        dials = {
            Service.VOICE_LIVE: line_to(live, VOICE_LIVE).dial,
            Service.AZURE_OPENAI: line_to(ga).dial,
        }
        async with asyncio.timeout(20):
            for service in Service:
                async with by_service(dials)(replace(SPEC, service=service)) as leg:
                    await until(ModelReady, leg)
                    leg.command(RequestReply("t1"))
    assert live.heard[0]["session"]["modalities"] == ["text", "audio"]
    assert ga.heard[0]["session"]["output_modalities"] == ["audio"]


def test_a_service_without_a_line_is_unavailable() -> None:
    line = Line(ModelConfig("https://r.openai.azure.com"), FixedToken())
    with pytest.raises(ModelUnavailable, match="voice_live"):
        by_service({Service.AZURE_OPENAI: line.dial})(SPEC)
