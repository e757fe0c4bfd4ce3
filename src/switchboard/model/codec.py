"""The GA realtime dialect: frames from the service into events, commands into frames."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Union, assert_never, get_args

import msgspec

from switchboard.conversation.commands import (
    AddAgentText,
    AddCallerAudio,
    AddCallerText,
    AddNote,
    AddToolCall,
    AddToolOutput,
    AppendAudio,
    Aside,
    CancelReply,
    ClearPlayout,
    DeleteItem,
    ModelCommand,
    RequestReply,
    SetTurns,
    TruncateItem,
)
from switchboard.conversation.legs import ReplyAudio
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


def update_of(session: Mapping[str, Any], event_id: str = SESSION_UPDATE_ID) -> bytes:
    """`session.update` of a session object, whichever dialect's."""
    return _frame("session.update", event_id, session=session)


type AsideOf = Callable[[Aside], Mapping[str, Any]]


def encode(
    command: ModelCommand, *, agent_text: str = "output_text", aside: AsideOf | None = None
) -> bytes:
    """The frame for a command. A refusal names its event id, which for a reply is its tag.

    `agent_text` is what the dialect calls a text of the agent's, `aside` how it asks for a reply
    beside the conversation.
    """
    match command:
        case RequestReply():
            reply = _reply(command)
            if command.aside is not None:
                reply |= (aside or _aside)(command.aside)
            return _frame("response.create", command.tag, response=reply)
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
        case SetTurns(turns):
            session = {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}
            return update_of(session, "set_turns")
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


def _aside(aside: Aside) -> Mapping[str, Any]:
    return {
        "conversation": "none",
        "output_modalities": ["text"],
        "input": aside_input(aside),
        "max_output_tokens": aside.max_output_tokens,
    }


def aside_input(aside: Aside) -> list[dict[str, Any]]:
    """The one message that it is to read."""
    part = {"type": "input_text", "text": _utf8(aside.text)}
    return [{"type": "message", "role": "user", "content": [part]}]


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
_AUDIO: Final = b'audio.delta"'
"""How the names of audio's events end, in either dialect."""
_LOOKED_AT: Final = 256
"""Bytes in which a service says what an event is. Where it does not, `decode` finds out."""


class Events:
    """The events of one dialect that mean something to a call: `union` is the type of them all."""

    def __init__(self, union: Any) -> None:  # noqa: ANN401 - no type says "a union of types"
        self.reader: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(union)
        kinds: tuple[type[ServerEvent], ...] = get_args(union)
        audio = [kind for kind in kinds if issubclass(kind, replies.AudioDelta)]
        self.audio: msgspec.json.Decoder[replies.AudioDelta] = msgspec.json.Decoder(
            Union[tuple(audio)]  # noqa: UP007  # made of a list
        )
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

    def audio(self, frame: bytes) -> ReplyAudio | None:
        """The audio that the frame is; `None` for everything else, which `decode` reads."""
        if frame.find(_AUDIO, 0, _LOOKED_AT) < 0:
            return None
        try:
            event = self._events.audio.decode(frame)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return ReplyAudio(event.response_id, event.item_id, event.delta)

    def _unknown(self, frame: bytes | str) -> Facts:
        try:
            kind = _head.decode(frame).type
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedFrame("unreadable") from None
        if kind in self._events.known:
            raise MalformedFrame(kind)
        return NOTHING
