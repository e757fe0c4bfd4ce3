"""The server events of the GA realtime dialect that mean something to a call.

One struct per event, and with it what it means: `facts` turns a frame into the house's own events.
Fields that we do not use are not named, and are skipped unread. Here are the session and the
caller's side; the model's replies are in `replies`.

`conversation.item.created` and its successors `.added` and `.done` are not here on purpose: all a
call needs of an item is in the `response.output_item.*` twins, so nothing can be acted on twice.
"""

from collections.abc import Sequence
from typing import Annotated, override

import msgspec
from msgspec import Raw, Struct

from switchboard.conversation.events import (
    CallerIdle,
    CallerWords,
    CallerWordsFailed,
    ItemTruncated,
    ModelEvent,
    ModelReady,
    ModelRefused,
    PlayoutCleared,
    PlayoutStarted,
    PlayoutStopped,
    SpeechStarted,
    SpeechStopped,
    TurnCommitted,
)
from switchboard.conversation.legs import ReplyAudio

type Fact = ModelEvent | ReplyAudio
type Facts = Sequence[Fact]

NOTHING: Facts = ()
_REMEMBERED_CALLS = 1024


class Seen:
    """What one session has said already, so that each thing is acted on once."""

    def __init__(self) -> None:
        self.session_id = ""
        self.expires_at: float | None = None
        self.conversation_id: str | None = None
        self.ready = False
        self._calls: dict[str, None] = {}

    def first_time(self, call_id: str) -> bool:
        """Whether this tool call is new. Remembers a bounded number of them."""
        if call_id in self._calls:
            return False
        self._calls[call_id] = None
        if len(self._calls) > _REMEMBERED_CALLS:
            del self._calls[next(iter(self._calls))]
        return True


class ServerEvent(Struct, tag_field="type", frozen=True, gc=False):
    """One frame from the service."""

    def facts(self, seen: Seen) -> Facts:
        raise NotImplementedError


def lenient[T](raw: Raw | bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    """The part, or `None` where it is absent, null or of another shape."""
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


_EPOCH = msgspec.json.Decoder(float)


class _Agent(Struct, frozen=True, gc=False):
    """Of a session in Voice Live's agent mode. That `thread_id` is what `conversation-id` takes
    is not written anywhere: the SDK calls it the ID of the conversation thread."""

    thread_id: str | None = None


_AGENT = msgspec.json.Decoder(_Agent)


# -- the session --------------------------------------------------------------------------------


class Session(Struct, frozen=True, gc=False):
    id: str | None = None
    expires_at: Raw = Raw()
    """Epoch seconds, one would think; whatever else it is must not cost us the session."""
    agent: Raw = Raw()

    def note(self, seen: Seen) -> None:
        seen.session_id = self.id or seen.session_id
        seen.expires_at = lenient(self.expires_at, _EPOCH) or seen.expires_at
        if agent := lenient(self.agent, _AGENT):
            seen.conversation_id = agent.thread_id or seen.conversation_id


class SessionCreated(ServerEvent, tag="session.created", frozen=True, gc=False):
    session: Session

    @override
    def facts(self, seen: Seen) -> Facts:
        self.session.note(seen)
        return NOTHING


class SessionUpdated(ServerEvent, tag="session.updated", frozen=True, gc=False):
    session: Session

    @override
    def facts(self, seen: Seen) -> Facts:
        self.session.note(seen)
        if seen.ready:
            return NOTHING
        seen.ready = True
        return (ModelReady(seen.session_id, seen.expires_at, conversation_id=seen.conversation_id),)


_PARAM = msgspec.json.Decoder(Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.\[\]]{1,100}\Z")])


class ErrorDetail(Struct, frozen=True, gc=False):
    message: str = ""
    type: str | None = None
    code: str | None = None
    event_id: str | None = None
    param: Raw = Raw()


class ErrorEvent(ServerEvent, tag="error", frozen=True, gc=False):
    error: ErrorDetail

    @override
    def facts(self, seen: Seen) -> Facts:
        code = self.error.code or self.error.type or "unknown"
        error = self.error
        param = lenient(error.param, _PARAM)
        return (ModelRefused(code, error.message, error.event_id, param),)


# -- the caller's side --------------------------------------------------------------------------


class SpeechStartedEvent(
    ServerEvent, tag="input_audio_buffer.speech_started", frozen=True, gc=False
):
    item_id: str
    audio_start_ms: float

    @override
    def facts(self, seen: Seen) -> Facts:
        return (SpeechStarted(self.item_id, self.audio_start_ms),)


class SpeechStoppedEvent(
    ServerEvent, tag="input_audio_buffer.speech_stopped", frozen=True, gc=False
):
    item_id: str
    audio_end_ms: float

    @override
    def facts(self, seen: Seen) -> Facts:
        return (SpeechStopped(self.item_id, self.audio_end_ms),)


class Committed(ServerEvent, tag="input_audio_buffer.committed", frozen=True, gc=False):
    item_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (TurnCommitted(self.item_id),)


class TimeoutTriggered(
    ServerEvent, tag="input_audio_buffer.timeout_triggered", frozen=True, gc=False
):
    item_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (CallerIdle(self.item_id),)


class TranscriptionDelta(
    ServerEvent,
    tag="conversation.item.input_audio_transcription.delta",
    frozen=True,
    gc=False,
):
    item_id: str
    delta: str | None = None

    @override
    def facts(self, seen: Seen) -> Facts:
        return (CallerWords(self.item_id, self.delta, final=False),) if self.delta else NOTHING


class TranscriptionCompleted(
    ServerEvent,
    tag="conversation.item.input_audio_transcription.completed",
    frozen=True,
    gc=False,
):
    item_id: str
    transcript: str | None = None

    @override
    def facts(self, seen: Seen) -> Facts:
        return (CallerWords(self.item_id, self.transcript or "", final=True),)


class TranscriptionFailed(
    ServerEvent,
    tag="conversation.item.input_audio_transcription.failed",
    frozen=True,
    gc=False,
):
    item_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (CallerWordsFailed(self.item_id),)


class Truncated(ServerEvent, tag="conversation.item.truncated", frozen=True, gc=False):
    item_id: str
    audio_end_ms: float

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ItemTruncated(self.item_id, self.audio_end_ms),)


# -- the service's own playout, over WebRTC -----------------------------------------------------


class BufferStarted(ServerEvent, tag="output_audio_buffer.started", frozen=True, gc=False):
    response_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (PlayoutStarted(self.response_id),)


class BufferStopped(ServerEvent, tag="output_audio_buffer.stopped", frozen=True, gc=False):
    response_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (PlayoutStopped(self.response_id),)


class BufferCleared(ServerEvent, tag="output_audio_buffer.cleared", frozen=True, gc=False):
    response_id: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (PlayoutCleared(self.response_id),)
