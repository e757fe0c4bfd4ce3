"""The GA realtime dialect: frames from the service into events, commands into frames."""

from collections.abc import Mapping
from typing import Any, assert_never, get_args

import msgspec

from switchboard.conversation.commands import (
    AddAgentText,
    AddCallerAudio,
    AddCallerText,
    AddNote,
    AddToolCall,
    AddToolOutput,
    AppendAudio,
    CancelReply,
    ClearPlayout,
    DeleteItem,
    ModelCommand,
    RequestReply,
    TruncateItem,
)
from switchboard.conversation.session import SessionSpec
from switchboard.model import replies, wire
from switchboard.model.replies import TAG_KEY
from switchboard.model.session import session_object
from switchboard.model.wire import NOTHING, Facts, Seen, ServerEvent

SESSION_UPDATE_ID = "session_update"
"""The event id of our one `session.update`: an `error` that names it means we are not welcome."""

# -- out ----------------------------------------------------------------------------------------


class _Append(
    msgspec.Struct, tag_field="type", tag="input_audio_buffer.append", frozen=True, gc=False
):
    audio: str


_encoder = msgspec.json.Encoder()


def append(audio: str) -> bytes:
    """`input_audio_buffer.append` of base64 PCM: the frame that is sent fifty times a second."""
    return _encoder.encode(_Append(audio))


def session_update(spec: SessionSpec) -> bytes:
    return update_of(session_object(spec))


def update_of(session: Mapping[str, Any]) -> bytes:
    """`session.update` of a session object, whichever dialect's."""
    return _frame("session.update", SESSION_UPDATE_ID, session=session)


def encode(command: ModelCommand, *, agent_text: str = "output_text") -> bytes:
    """The frame for a command. A refusal names its event id, which for a reply is its tag.

    `agent_text` is what the dialect calls a text of the agent's.
    """
    match command:
        case RequestReply():
            return _frame("response.create", command.tag, response=_reply(command))
        case CancelReply(reply_id):
            return _frame("response.cancel", f"cancel_{reply_id}", response_id=reply_id)
        case ClearPlayout():
            return _frame("output_audio_buffer.clear", "clear_playout")
        case TruncateItem(item_id, audio_end_ms):
            return _frame(
                "conversation.item.truncate",
                f"truncate_{item_id}",
                item_id=item_id,
                content_index=0,
                audio_end_ms=audio_end_ms,
            )
        case DeleteItem(item_id):
            return _frame("conversation.item.delete", f"delete_{item_id}", item_id=item_id)
        case AppendAudio(audio):
            return append(audio)
        case _:
            event_id, item = _item_of(command, agent_text)
            return _frame("conversation.item.create", event_id, item=item)


type _Addition = (
    AddCallerText | AddCallerAudio | AddAgentText | AddNote | AddToolCall | AddToolOutput
)


def _item_of(command: _Addition, agent_text: str) -> tuple[str, dict[str, Any]]:
    """The event id and the item of a command that adds one to the conversation."""
    match command:
        case AddCallerText(item_id, text):
            return f"add_{item_id}", _message(item_id, "user", "input_text", text)
        case AddCallerAudio(item_id, audio):
            return f"add_{item_id}", _message(item_id, "user", "input_audio", audio)
        case AddAgentText(item_id, text):
            return f"add_{item_id}", _message(item_id, "assistant", agent_text, text)
        case AddNote(item_id, text):
            return f"add_{item_id}", _message(item_id, "system", "input_text", text)
        case AddToolCall(item_id, call_id, name, arguments):
            call = {"call_id": call_id, "name": name, "arguments": _utf8(arguments)}
            return f"add_{item_id}", {"id": item_id, "type": "function_call", **call}
        case AddToolOutput(call_id, output):
            item = {"type": "function_call_output", "call_id": call_id, "output": _utf8(output)}
            return f"answer_{call_id}", item
        case _:
            assert_never(command)


def _reply(command: RequestReply) -> dict[str, Any]:
    reply: dict[str, Any] = {"metadata": {TAG_KEY: command.tag}}
    if command.instructions is not None:
        reply["instructions"] = _utf8(command.instructions)
    if not command.allow_tools:
        reply["tool_choice"] = "none"
    return reply


def _message(item_id: str, role: str, kind: str, content: str) -> dict[str, Any]:
    field = "audio" if kind == "input_audio" else "text"
    part = {"type": kind, field: _utf8(content)}
    return {"id": item_id, "type": "message", "role": role, "content": [part]}


def _frame(kind: str, event_id: str, /, **fields: object) -> bytes:
    return _encoder.encode({"type": kind, "event_id": event_id, **fields})


def _utf8(text: str) -> str:
    """Text that can be sent: half a surrogate pair, which JSON may smuggle in, becomes `?`."""
    return text.encode("utf-8", "replace").decode()


# -- in -----------------------------------------------------------------------------------------


class MalformedFrame(Exception):
    """Not JSON, not an event, or a known event in an unknown shape. Repeats none of it."""

    def __init__(self, kind: str) -> None:
        super().__init__("malformed frame from the service")
        self.kind = kind
        """The event's type where it is one of ours, else `unreadable`."""


type _AnyEvent = (
    replies.AudioDelta
    | replies.TranscriptDelta
    | replies.TranscriptDone
    | replies.TextDelta
    | replies.TextDone
    | replies.OutputItemAdded
    | replies.OutputItemDone
    | replies.ArgumentsDone
    | replies.ResponseCreated
    | replies.ResponseDone
    | wire.SessionCreated
    | wire.SessionUpdated
    | wire.ErrorEvent
    | wire.SpeechStartedEvent
    | wire.SpeechStoppedEvent
    | wire.Committed
    | wire.TimeoutTriggered
    | wire.TranscriptionDelta
    | wire.TranscriptionCompleted
    | wire.TranscriptionFailed
    | wire.Truncated
    | wire.BufferStarted
    | wire.BufferStopped
    | wire.BufferCleared
)


class _Head(msgspec.Struct, frozen=True, gc=False):
    type: str


_head = msgspec.json.Decoder(_Head)


class Events:
    """The events of one dialect that mean something to a call: `union` is the type of them all."""

    def __init__(self, union: Any) -> None:  # noqa: ANN401 - no type says "a union of types"
        self.reader: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(union)
        kinds: tuple[type[ServerEvent], ...] = get_args(union)
        self.known = frozenset(str(kind.__struct_config__.tag) for kind in kinds)


GA_EVENTS = Events(_AnyEvent.__value__)


class Decoder:
    """Reads one session's frames. Knows what it has seen, so that twins are acted on once."""

    def __init__(self, events: Events = GA_EVENTS) -> None:
        self._events = events
        self._seen = Seen()

    def decode(self, frame: bytes | str) -> Facts:
        """What the frame means: mostly one fact, none for an event we have no use for.

        Raises `MalformedFrame`.
        """
        try:
            event = self._events.reader.decode(frame)
        except msgspec.ValidationError:
            return self._unknown(frame)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedFrame("unreadable") from None
        return event.facts(self._seen)

    def _unknown(self, frame: bytes | str) -> Facts:
        try:
            kind = _head.decode(frame).type
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedFrame("unreadable") from None
        if kind in self._events.known:
            raise MalformedFrame(kind)
        return NOTHING
