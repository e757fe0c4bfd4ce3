"""What the dialect's frames mean, and that nothing from the wire can hurt."""

import builtins
import typing
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from switchboard.conversation.commands import (
    AddCallerText,
    AddNote,
    AddToolOutput,
    CancelReply,
    DeleteItem,
    ModelCommand,
    RequestReply,
    SetTurns,
    TruncateItem,
)
from switchboard.conversation.events import (
    CallerIdle,
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
)
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.session import SessionSpec, ToolSpec
from switchboard.model.codec import Decoder, MalformedFrame, append, encode, session_update
from switchboard.model.wire import Facts

IDS: dict[str, Any] = {
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
}


def read(*frames: dict[str, Any]) -> list[object]:
    """What one session's decoder makes of these frames, in order."""
    decoder = Decoder()
    return [fact for frame in frames for fact in decoder.decode(msgspec.json.encode(frame))]


def event(kind: str, /, **fields: object) -> dict[str, Any]:
    return {**IDS, "type": kind, **fields}


# -- in: one event, one meaning -----------------------------------------------------------------

MEANINGS: list[tuple[dict[str, Any], object]] = [
    (
        event("input_audio_buffer.speech_started", audio_start_ms=120),
        SpeechStarted("item_1", 120.0),
    ),
    (
        event("input_audio_buffer.speech_stopped", audio_end_ms=980),
        SpeechStopped("item_1", 980.0),
    ),
    (event("input_audio_buffer.committed", previous_item_id=None), TurnCommitted("item_1")),
    (
        event("input_audio_buffer.timeout_triggered", audio_start_ms=0, audio_end_ms=5000),
        CallerIdle("item_1"),
    ),
    (
        event("conversation.item.input_audio_transcription.delta", delta="hel"),
        CallerWords("item_1", "hel", final=False),
    ),
    (
        event("conversation.item.input_audio_transcription.completed", transcript="hello"),
        CallerWords("item_1", "hello", final=True),
    ),
    (
        event("conversation.item.input_audio_transcription.failed", error={"type": "x"}),
        CallerWordsFailed("item_1"),
    ),
    (event("conversation.item.truncated", audio_end_ms=300), ItemTruncated("item_1", 300.0)),
    (
        event("response.output_audio.delta", delta="AAAA", obfuscation="zz"),
        ReplyAudio("resp_1", "item_1", "AAAA"),
    ),
    (
        event("response.output_audio_transcript.delta", delta="Go"),
        ReplyWords("resp_1", "item_1", "Go", final=False),
    ),
    (
        event("response.output_audio_transcript.done", transcript="Good day"),
        ReplyWords("resp_1", "item_1", "Good day", final=True),
    ),
    (
        event("response.output_text.delta", delta="Go"),
        ReplyWords("resp_1", "item_1", "Go", final=False, spoken=False),
    ),
    (
        event("response.output_text.done", text="Good day"),
        ReplyWords("resp_1", "item_1", "Good day", final=True, spoken=False),
    ),
    (
        event("error", error={"type": "invalid_request_error", "message": "No", "event_id": "t1"}),
        ModelRefused("invalid_request_error", "No", "t1"),
    ),
    (
        event("error", error={"type": "x", "code": "busy", "message": "No", "event_id": None}),
        ModelRefused("busy", "No", None),
    ),
]


@pytest.mark.parametrize(("frame", "meaning"), MEANINGS, ids=lambda value: type(value).__name__)
def test_an_event_means_one_thing(frame: dict[str, Any], meaning: object) -> None:
    assert read(frame) == [meaning]


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("message", ItemKind.MESSAGE),
        ("function_call", ItemKind.FUNCTION_CALL),
        ("mcp_call", ItemKind.OTHER),
    ],
)
def test_an_item_opens_with_its_kind(kind: str, meant: ItemKind) -> None:
    opened = event("response.output_item.added", item={"id": "item_1", "type": kind})
    assert read(opened) == [ReplyItemStarted("resp_1", "item_1", meant)]


def test_the_session_is_ready_once_and_only_after_our_update() -> None:
    session = {"id": "sess_1", "expires_at": 1_900_000_000, "audio": None}
    created = event("session.created", session=session)
    updated = event("session.updated", session={"type": "realtime"})

    assert read(created) == []
    assert read(created, updated, updated) == [ModelReady("sess_1", 1_900_000_000.0)]
    assert read(event("session.updated", session={})) == [ModelReady("", None)]


def test_the_item_twins_and_other_unused_events_are_passed_over() -> None:
    item = {"id": "item_1", "type": "message", "role": "assistant", "content": None}
    kinds = ("created", "added", "done", "retrieved")
    assert read(*(event(f"conversation.item.{kind}", item=item) for kind in kinds)) == []
    assert read(event("rate_limits.updated", rate_limits=[])) == []
    assert read(event("a.thing.to.come", shape=[{"of": "it"}])) == []


# -- in: replies --------------------------------------------------------------------------------


def created(**response: object) -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": "resp_1", **response}}


@pytest.mark.parametrize(
    ("response", "tag", "out_of_band"),
    [
        ({"conversation_id": "conv_1", "metadata": {"switchboard": "t1"}}, "t1", False),
        ({"conversation_id": "conv_1", "metadata": None}, None, False),
        ({"conversation_id": None, "metadata": {"switchboard": "t1"}}, "t1", True),
        ({}, None, False),
        ({"metadata": {"switchboard": 7}}, None, False),
        ({"metadata": "odd"}, None, False),
        ({"metadata": {"other": {"deep": []}}}, None, False),
    ],
)
def test_a_reply_begins_with_our_tag_if_it_is_ours(
    response: dict[str, Any], tag: str | None, out_of_band: bool
) -> None:
    assert read(created(**response)) == [ReplyStarted("resp_1", tag, out_of_band)]


def done(**response: object) -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": "resp_1", **response}}


@pytest.mark.parametrize(
    ("response", "status", "reason"),
    [
        ({"status": "completed"}, ReplyStatus.COMPLETED, None),
        ({}, ReplyStatus.COMPLETED, None),
        (
            {"status": "cancelled", "status_details": {"reason": "turn_detected"}},
            ReplyStatus.CANCELLED,
            "turn_detected",
        ),
        (
            {"status": "incomplete", "status_details": {"reason": "max_output_tokens"}},
            ReplyStatus.INCOMPLETE,
            "max_output_tokens",
        ),
        (
            {"status": "failed", "status_details": {"error": {"code": "quota", "type": "x"}}},
            ReplyStatus.FAILED,
            "quota",
        ),
        ({"status": "evaporated", "status_details": None}, ReplyStatus.FAILED, None),
        ({"status": "failed", "status_details": ["odd"]}, ReplyStatus.FAILED, None),
    ],
)
def test_a_reply_ends_with_its_status_and_reason(
    response: dict[str, Any], status: ReplyStatus, reason: str | None
) -> None:
    assert read(done(**response)) == [ReplyDone("resp_1", status, reason)]


def test_a_reply_s_usage_is_told_by_kind_of_token() -> None:
    usage = {
        "total_tokens": 190,
        "input_tokens": 130,
        "output_tokens": 60,
        "input_token_details": {
            "text_tokens": 100,
            "audio_tokens": 30,
            "cached_tokens": 84,
            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 20},
        },
        "output_token_details": {"text_tokens": 15, "audio_tokens": 45},
    }
    (ended,) = read(done(status="completed", usage=usage))
    assert isinstance(ended, ReplyDone)
    assert ended.usage == Usage(100, 30, 64, 20, 15, 45)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"input_tokens": 12, "output_tokens": 3}, Usage(input_text=12, output_text=3)),
        ({"input_token_details": {"cached_tokens": 5}}, Usage(cached_text=5)),
        (None, None),
        ("many", None),
        ({"input_tokens": "many"}, None),
    ],
)
def test_a_poorer_usage_never_costs_us_the_end_of_the_reply(
    usage: object, told: Usage | None
) -> None:
    (ended,) = read(done(status="completed", usage=usage))
    assert isinstance(ended, ReplyDone)
    assert ended.usage == told


# -- in: tool calls -----------------------------------------------------------------------------

CALL = {
    "id": "item_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "look_up",
    "arguments": '{"id": 7}',
}
REQUEST = ToolRequested("resp_1", "item_1", "call_1", "look_up", '{"id": 7}')


def arguments_done(arguments: str = '{"id": 7}', **fields: object) -> dict[str, Any]:
    return event(
        "response.function_call_arguments.done", call_id="call_1", arguments=arguments, **fields
    )


def test_a_tool_is_requested_once_however_often_it_is_told() -> None:
    told = read(
        arguments_done(name="look_up"),
        event("response.output_item.done", item=CALL),
        done(status="completed", output=[CALL]),
    )
    assert told == [REQUEST, ReplyDone("resp_1", ReplyStatus.COMPLETED)]


def test_any_one_of_the_three_tellings_is_enough() -> None:
    assert read(arguments_done(name="look_up")) == [REQUEST]
    assert read(event("response.output_item.done", item=CALL)) == [REQUEST]
    assert read(done(output=[CALL]))[0] == REQUEST
    assert read(arguments_done(), event("response.output_item.done", item=CALL)) == [REQUEST]


def test_several_tools_of_one_reply_are_each_requested() -> None:
    second = {**CALL, "id": "item_2", "call_id": "call_2"}
    told = read(done(output=[CALL, {"type": "mcp_call", "arguments": None}, second, 7]))
    assert [fact.call_id for fact in told if isinstance(fact, ToolRequested)] == [
        "call_1",
        "call_2",
    ]


def test_a_tool_call_that_was_cut_off_is_not_run() -> None:
    cut = {**CALL, "status": "incomplete", "arguments": '{"id": '}
    told = read(
        arguments_done('{"id": ', name="look_up"),
        event("response.output_item.done", item=cut),
        done(status="cancelled", output=[cut]),
    )
    assert told == [ReplyDone("resp_1", ReplyStatus.CANCELLED)]


def test_nonsense_for_arguments_is_passed_on_unchecked_once_the_call_is_whole() -> None:
    whole = {**CALL, "arguments": "seven"}
    told = read(arguments_done("seven", name="f"), event("response.output_item.done", item=whole))
    assert told == [ToolRequested("resp_1", "item_1", "call_1", "look_up", "seven")]


# -- in: hostile --------------------------------------------------------------------------------

MALFORMED = [
    b"",
    b"[]",
    b"null",
    b"not json",
    b'"text"',
    b"\xff\xfe\x00",
    b"{}",
    b'{"type": 5}',
    b'{"type": "response.done"}',
    b'{"type": "response.done", "response": {"id": null}}',
    b'{"type": "error", "error": "no"}',
    b'{"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": 1}',
    b'{"type": "error", "error": {"message": "\xff"}}',
    b'{"type": "x", "a": ' + b"[" * 100_000,
    b'{"type": "input_audio_buffer.speech_started", "item_id": "i", "audio_start_ms": 1e999}',
]


@pytest.mark.parametrize("frame", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_frame_is_refused_and_says_nothing_of_itself(frame: bytes) -> None:
    with pytest.raises(MalformedFrame) as refusal:
        Decoder().decode(frame)
    assert str(refusal.value) == "malformed frame from the service"


def understood(decoder: Decoder, frame: bytes | str) -> Facts | None:
    try:
        return decoder.decode(frame)
    except MalformedFrame:
        return None


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_garbage_is_refused_and_never_raises_anything_else(frame: bytes | str) -> None:
    assert not understood(Decoder(), frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = [
    *sorted({frame["type"] for frame, _ in MEANINGS}),
    "session.created",
    "session.updated",
    "response.created",
    "response.done",
    "response.output_item.added",
    "response.output_item.done",
    "response.function_call_arguments.done",
]
FIELDS = st.sampled_from(
    [
        *("response", "response_id", "item", "item_id", "call_id", "name", "arguments", "delta"),
        *("transcript", "text", "session", "error", "audio_start_ms", "audio_end_ms"),
    ]
)
INNER = st.dictionaries(
    st.sampled_from(["id", "type", "status", "output", "usage", "metadata", "call_id", "name"]),
    JSON | st.just("function_call"),
)


@given(st.sampled_from(KINDS), st.dictionaries(FIELDS, JSON | INNER))
def test_events_of_any_shape_are_understood_or_refused(kind: str, fields: dict[str, Any]) -> None:
    decoder = Decoder()
    frame = msgspec.json.encode({**fields, "type": kind})
    understood(decoder, frame)
    understood(decoder, frame)


# -- in: against the SDK's own types ------------------------------------------------------------

SERVER_EVENTS: list[type[BaseModel]] = [
    kind for kind in get_args(get_args(RealtimeServerEvent)[0]) if issubclass(kind, BaseModel)
]
LEAVES: dict[object, st.SearchStrategy[object]] = {
    str: st.text(max_size=12),
    int: st.integers(0, 10**9),
    float: st.floats(0, 1e9),
    bool: st.booleans(),
    type(None): st.none(),
    object: st.none(),
}


def worded(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # any annotation of the SDK
    """JSON that a type of the SDK can stand for."""
    parts = get_args(kind)
    match get_origin(kind):
        case None if kind in LEAVES:
            return LEAVES[kind]
        case None:
            return fields_of(kind)
        case typing.Literal:
            return st.sampled_from(parts)
        case typing.Annotated:
            return worded(parts[0])
        case typing.Union:
            return st.one_of(*map(worded, parts))
        case builtins.list:
            return st.lists(worded(parts[0]), max_size=2)
        case _:
            return st.dictionaries(st.text(max_size=8), worded(parts[1]), max_size=2)


def fields_of(kind: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    # An id that the types call optional is always sent by the service.
    always = {n: f for n, f in kind.model_fields.items() if f.is_required() or n == "id"}
    sometimes = {n: f for n, f in kind.model_fields.items() if n not in always}
    return st.fixed_dictionaries(
        {n: st.text(max_size=9) if n == "id" else worded(f.annotation) for n, f in always.items()},
        optional={n: st.deferred(lambda f=f: worded(f.annotation)) for n, f in sometimes.items()},
    )


@pytest.mark.parametrize("kind", SERVER_EVENTS, ids=lambda kind: kind.__name__)
def test_whatever_the_official_types_can_say_is_understood_or_passed_over(
    kind: type[BaseModel],
) -> None:
    @settings(max_examples=30)
    @given(worded(kind))
    def scene(frame: dict[str, Any]) -> None:
        kind.model_validate(frame)
        Decoder().decode(msgspec.json.encode(frame))

    scene()


# -- out ----------------------------------------------------------------------------------------

CLIENT_EVENT: TypeAdapter[BaseModel] = TypeAdapter(RealtimeClientEvent)


def official(frame: bytes) -> BaseModel:
    """The frame as the official type that it is, with no field the type does not know."""
    made = CLIENT_EVENT.validate_json(frame)
    assert_all_known(made)
    return made


def assert_all_known(value: object) -> None:
    if isinstance(value, BaseModel):
        assert not value.model_extra, f"{type(value).__name__} knows no {value.model_extra}"
        for name in type(value).model_fields:
            assert_all_known(getattr(value, name))
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]  # JSON
            assert_all_known(inner)  # pyright: ignore[reportUnknownArgumentType]  # JSON


# Half a surrogate pair can come in through JSON, so it may be in any text.
TEXT = st.text(st.characters(), max_size=60)
ID = st.text("abcdefghij0123456789_-", min_size=1, max_size=32)
COMMANDS: st.SearchStrategy[ModelCommand] = st.one_of(
    st.builds(RequestReply, ID, st.none() | TEXT, st.booleans()),
    st.builds(CancelReply, ID),
    st.builds(TruncateItem, ID, st.integers(0, 10**7)),
    st.builds(DeleteItem, ID),
    st.builds(AddCallerText, ID, TEXT),
    st.builds(AddNote, ID, TEXT),
    st.builds(AddToolOutput, ID, TEXT),
    st.builds(SetTurns, st.just({"type": "server_vad", "create_response": False})),
)


@given(COMMANDS)
def test_every_command_is_an_event_of_the_official_types(command: ModelCommand) -> None:
    assert official(encode(command))


def test_commands_say_what_they_mean() -> None:
    def said(command: ModelCommand) -> dict[str, Any]:
        return msgspec.json.decode(encode(command))

    assert said(RequestReply("t1", "Say hello.", allow_tools=False)) == {
        "type": "response.create",
        "event_id": "t1",
        "response": {
            "metadata": {"switchboard": "t1"},
            "instructions": "Say hello.",
            "tool_choice": "none",
        },
    }
    assert said(RequestReply("t2"))["response"] == {"metadata": {"switchboard": "t2"}}
    assert said(TruncateItem("i", 420)) == {
        "type": "conversation.item.truncate",
        "event_id": "truncate_i",
        "item_id": "i",
        "content_index": 0,
        "audio_end_ms": 420,
    }
    assert said(AddCallerText("i", "hello"))["item"] == {
        "id": "i",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "hello"}],
    }
    assert said(AddNote("i", "psst"))["item"]["role"] == "system"
    assert said(AddToolOutput("c", '{"ok":1}'))["item"] == {
        "type": "function_call_output",
        "call_id": "c",
        "output": '{"ok":1}',
    }


def test_half_a_surrogate_pair_does_not_end_the_call() -> None:
    frame = msgspec.json.decode(encode(AddCallerText("i", "caf\u00e9 \ud800!")))
    assert frame["item"]["content"][0]["text"] == "caf\u00e9 ?!"


@given(st.text('ABCDabcd0189+/=\\"', max_size=50))
def test_audio_is_passed_on_as_it_came(audio: str) -> None:
    made = official(append(audio))
    assert made.model_dump(exclude_unset=True) == {
        "type": "input_audio_buffer.append",
        "audio": audio,
    }


def test_a_session_is_put_in_the_official_words() -> None:
    spec = SessionSpec(
        model="deployment",
        instructions="Be brief.",
        voice="marin",
        turn_detection={"type": "semantic_vad", "eagerness": "high"},
        tools=[ToolSpec("look_up", "Looks up.", {"type": "object", "properties": {}})],
        speed=1.2,
        transcription={"model": "whisper", "language": "en"},
        noise_reduction="near_field",
        max_output_tokens=800,
        extra={"audio": {"input": {"transcription": {"language": "fr"}}}, "tracing": "auto"},
    )
    made = official(session_update(spec)).model_dump(exclude_unset=True)["session"]

    assert made == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                "transcription": {"model": "whisper", "language": "fr"},
                "noise_reduction": {"type": "near_field"},
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "voice": "marin",
                "speed": 1.2,
            },
        },
        "tools": [
            {
                "type": "function",
                "name": "look_up",
                "description": "Looks up.",
                "parameters": {"type": "object", "properties": {}},
            }
        ],
        "tool_choice": "auto",
        "max_output_tokens": 800,
        "tracing": "auto",
    }


def test_push_to_talk_is_said_and_the_deployment_is_not() -> None:
    spec = SessionSpec(model="deployment", instructions="", voice="marin", turn_detection=None)
    session = msgspec.json.decode(session_update(spec))["session"]

    assert session["audio"]["input"]["turn_detection"] is None
    assert "model" not in session
    assert "speed" not in session["audio"]["output"]
