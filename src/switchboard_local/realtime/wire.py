"""What clients may send: one frame of text in, one checked event out."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Discriminator, Field, StringConstraints, Tag

from switchboard_local.realtime.checking import Strict, check
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import (
    Format,
    FunctionTool,
    MaxTokens,
    Modalities,
    Name,
    Prompt,
    Reasoning,
    Text,
    ToolChoice,
    Tools,
    VoiceId,
    Word,
)

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024
"""Of base64 text in one `input_audio_buffer.append`."""
MAX_EVENT_BYTES: Final = 1024 * 1024
"""Of any other client event's JSON, but for items that bring audio or an image."""

type Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
type Base64 = Annotated[str, StringConstraints(max_length=MAX_APPEND_BYTES)]
type ItemStatus = Literal["completed", "incomplete", "in_progress"]


class InputText(Strict):
    type: Literal["input_text"]
    text: Text


class InputAudio(Strict):
    type: Literal["input_audio"]
    audio: Base64 | None = None
    transcript: Text | None = None


class InputImage(Strict):
    type: Literal["input_image"]
    image_url: Base64
    detail: Literal["auto", "low", "high"] | None = None


class OutputText(Strict):
    type: Literal["output_text"]
    text: Text


class _Item(Strict):
    id: Id | None = None
    object: Literal["realtime.item"] | None = None
    status: ItemStatus | None = None


class SystemMessage(_Item):
    type: Literal["message"]
    role: Literal["system"]
    content: Annotated[list[InputText], Field(min_length=1, max_length=64)]


type UserPart = Annotated[InputText | InputAudio | InputImage, Field(discriminator="type")]


class UserMessage(_Item):
    type: Literal["message"]
    role: Literal["user"]
    content: Annotated[list[UserPart], Field(min_length=1, max_length=64)]


class AssistantMessage(_Item):
    """No `output_audio`: a client cannot put sound into the agent's mouth."""

    type: Literal["message"]
    role: Literal["assistant"]
    content: Annotated[list[OutputText], Field(min_length=1, max_length=64)]


class FunctionCall(_Item):
    type: Literal["function_call"]
    name: Name
    arguments: Text
    call_id: Id | None = None


class FunctionCallOutput(_Item):
    type: Literal["function_call_output"]
    call_id: Id
    output: Annotated[str, StringConstraints(max_length=MAX_EVENT_BYTES)]


class ItemReference(Strict):
    """In a response's own `input`: an item of the conversation."""

    type: Literal["item_reference"]
    id: Id


def _tag(data: object) -> str | None:
    """Which kind of item `data` is, or `None`: then it is none we know."""
    kind = data.get("type") if isinstance(data, dict) else getattr(data, "type", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - any JSON
    role = data.get("role") if isinstance(data, dict) else getattr(data, "role", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - any JSON
    tag = f"{role}" if kind == "message" else f"{kind}"
    return tag if tag in _TAGS else None


_TAGS: Final = frozenset(
    {"system", "user", "assistant", "function_call", "function_call_output", "item_reference"}
)

type NewItem = Annotated[
    Annotated[SystemMessage, Tag("system")]
    | Annotated[UserMessage, Tag("user")]
    | Annotated[AssistantMessage, Tag("assistant")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")],
    Discriminator(_tag),
]
type ContextItem = Annotated[
    Annotated[SystemMessage, Tag("system")]
    | Annotated[UserMessage, Tag("user")]
    | Annotated[AssistantMessage, Tag("assistant")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")]
    | Annotated[ItemReference, Tag("item_reference")],
    Discriminator(_tag),
]


class ResponseAudioOut(Strict):
    format: Format | None = None
    voice: Word | VoiceId | None = None


class ResponseAudio(Strict):
    output: ResponseAudioOut | None = None


class ResponseParams(Strict):
    """What one response does differently from its session."""

    conversation: Literal["auto", "none"] | None = None
    input: Annotated[list[ContextItem], Field(max_length=512)] | None = None
    instructions: Text | None = None
    output_modalities: Modalities | None = None
    audio: ResponseAudio | None = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(max_length=64)],
                Annotated[str, StringConstraints(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = None
    max_output_tokens: MaxTokens | None = None
    reasoning: Reasoning | None = None
    parallel_tool_calls: bool | None = None
    prompt: Prompt | None = None


class _Event(Strict):
    event_id: Annotated[str, StringConstraints(max_length=512)] | None = None


class SessionUpdate(_Event):
    type: Literal["session.update"]
    session: dict[str, Any]


class Append(_Event):
    type: Literal["input_audio_buffer.append"]
    audio: Base64


class Commit(_Event):
    type: Literal["input_audio_buffer.commit"]


class Clear(_Event):
    type: Literal["input_audio_buffer.clear"]


class ItemCreate(_Event):
    type: Literal["conversation.item.create"]
    item: NewItem
    previous_item_id: Id | None = None


class ItemRetrieve(_Event):
    type: Literal["conversation.item.retrieve"]
    item_id: Id


class ItemDelete(_Event):
    type: Literal["conversation.item.delete"]
    item_id: Id


class ItemTruncate(_Event):
    type: Literal["conversation.item.truncate"]
    item_id: Id
    content_index: Annotated[int, Field(ge=0)]
    audio_end_ms: Annotated[int, Field(ge=0)]


class ResponseCreate(_Event):
    type: Literal["response.create"]
    response: ResponseParams | None = None


class ResponseCancel(_Event):
    type: Literal["response.cancel"]
    response_id: Id | None = None


class OutputClear(_Event):
    type: Literal["output_audio_buffer.clear"]


type ClientEvent = (
    SessionUpdate
    | Append
    | Commit
    | Clear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
    | OutputClear
)

_KINDS: Final[Mapping[str, type[ClientEvent]]] = {
    "session.update": SessionUpdate,
    "input_audio_buffer.append": Append,
    "input_audio_buffer.commit": Commit,
    "input_audio_buffer.clear": Clear,
    "conversation.item.create": ItemCreate,
    "conversation.item.retrieve": ItemRetrieve,
    "conversation.item.delete": ItemDelete,
    "conversation.item.truncate": ItemTruncate,
    "response.create": ResponseCreate,
    "response.cancel": ResponseCancel,
    "output_audio_buffer.clear": OutputClear,
}
_BULKY: Final = frozenset({"input_audio_buffer.append", "conversation.item.create"})


def parse(raw: str) -> dict[str, Any]:
    """One frame as a JSON object. Raises `Refused`."""
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused("invalid_json", "The event is not JSON.") from None
    if not isinstance(data, dict):
        raise Refused("invalid_event", "An event is a JSON object.")
    return data  # pyright: ignore[reportUnknownVariableType] - any JSON


def event_id_of(data: Mapping[str, Any]) -> str | None:
    """The client's own id of the event, for the error that answers it."""
    event_id = data.get("event_id")
    return event_id[:512] if isinstance(event_id, str) else None


def decode(data: Mapping[str, Any], size_bytes: int) -> ClientEvent:
    """The event that a frame of `size_bytes` stands for. Raises `Refused`."""
    kind = data.get("type")
    if kind is None:
        raise Refused("missing_required_parameter", "Missing required parameter: 'type'.", "type")
    model = _KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise Refused(
            "invalid_value", f"Unknown event type; known are: {', '.join(_KINDS)}.", "type"
        )
    if size_bytes > MAX_EVENT_BYTES and kind not in _BULKY:
        raise Refused("event_too_large", f"At most {MAX_EVENT_BYTES} bytes for a {kind}.")
    return check(model, data)


def tools_wire(tools: list[FunctionTool]) -> list[dict[str, Any]]:
    """Tools as the mind reads them."""
    return [tool.model_dump(mode="json") for tool in tools]
