"""The dialect of Azure AI Voice Live: flat sessions and the events' older names.

Commands read the same in both dialects, but for what the agent has said. What the service says
means the same as well: the structs below only answer to other names.
"""

from collections.abc import Mapping
from typing import Any, override

from switchboard.conversation.audio import PCM_24K
from switchboard.conversation.commands import Aside, ModelCommand, SetTurns
from switchboard.conversation.events import ReplyStarted, WordTimed
from switchboard.conversation.session import SessionSpec
from switchboard.model import codec, replies, wire
from switchboard.model.codec import Decoder, Events, update_of
from switchboard.model.session import merged, tool_object
from switchboard.model.wire import Facts, Seen, ServerEvent

# -- out ----------------------------------------------------------------------------------------


def session_update(spec: SessionSpec) -> bytes:
    return update_of(session_object(spec))


def session_object(spec: SessionSpec) -> dict[str, Any]:
    """The session as it goes on the wire. `model` is not in it: the service refuses it there."""
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "voice": spec.voice_object or {"type": "openai", "name": spec.voice},
        "input_audio_format": "pcm16",
        "input_audio_sampling_rate": PCM_24K.rate_hz,
        "output_audio_format": "pcm16",
        # Said even when it is none: left out, the service's own default holds.
        "turn_detection": _turns(spec.turn_detection),
    } | _mind(spec)
    if spec.transcription is not None:
        session["input_audio_transcription"] = spec.transcription
    if spec.noise_reduction is not None:
        session["input_audio_noise_reduction"] = {"type": spec.noise_reduction}
    if spec.max_output_tokens is not None:
        session["max_response_output_tokens"] = spec.max_output_tokens
    return merged(session, spec.extra)


def _mind(spec: SessionSpec) -> dict[str, Any]:
    """What it goes by. A Foundry agent has that already, and its session refuses another's."""
    if spec.agent is not None:
        return {}
    return {
        "instructions": spec.instructions,
        "tools": [tool_object(tool) for tool in spec.tools],
        "tool_choice": "auto",
    }


def _turns(detection: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Without the one field of the GA dialect's that this service does not know."""
    if detection is None:
        return None
    return {name: value for name, value in detection.items() if name != "idle_timeout_ms"}


def encode(command: ModelCommand) -> bytes:
    """The frame for a command."""
    if isinstance(command, SetTurns):
        return update_of({"turn_detection": _turns(command.turn_detection)}, "set_turns")
    return codec.encode(command, agent_text="text", aside=_aside)


def _aside(aside: Aside) -> Mapping[str, Any]:
    """It is not committed to the conversation; `input_items` are all that is read."""
    return {
        "commit": False,
        "modalities": ["text"],
        "input_items": codec.aside_input(aside),
        "max_output_tokens": aside.max_output_tokens,
    }


# -- in -----------------------------------------------------------------------------------------


class AudioDelta(replies.AudioDelta, tag="response.audio.delta", frozen=True, gc=False):
    pass


class TranscriptDelta(
    replies.TranscriptDelta, tag="response.audio_transcript.delta", frozen=True, gc=False
):
    pass


class TranscriptDone(
    replies.TranscriptDone, tag="response.audio_transcript.done", frozen=True, gc=False
):
    pass


class TextDelta(replies.TextDelta, tag="response.text.delta", frozen=True, gc=False):
    pass


class TextDone(replies.TextDone, tag="response.text.done", frozen=True, gc=False):
    pass


class ResponseCreated(replies.ResponseCreated, tag="response.created", frozen=True, gc=False):
    @override
    def facts(self, seen: Seen) -> Facts:
        # A missing conversation id means nothing here: it is optional, and no call asks for a
        # reply out of band.
        return (ReplyStarted(self.response.id, tag=self.response.tag),)


class AudioTimestamp(ServerEvent, tag="response.audio_timestamp.delta", frozen=True, gc=False):
    """A spoken word, and when it sounds in the item's audio."""

    item_id: str
    text: str
    audio_offset_ms: float
    audio_duration_ms: float = 0.0

    @override
    def facts(self, seen: Seen) -> Facts:
        return (WordTimed(self.item_id, self.text, self.audio_offset_ms + self.audio_duration_ms),)


type _AnyEvent = (
    AudioDelta
    | AudioTimestamp
    | TranscriptDelta
    | TranscriptDone
    | TextDelta
    | TextDone
    | ResponseCreated
    | replies.OutputItemAdded
    | replies.OutputItemDone
    | replies.ArgumentsDone
    | replies.ResponseDone
    | wire.SessionCreated
    | wire.SessionUpdated
    | wire.ErrorEvent
    | wire.SpeechStartedEvent
    | wire.SpeechStoppedEvent
    | wire.Committed
    | wire.TranscriptionDelta
    | wire.TranscriptionCompleted
    | wire.TranscriptionFailed
    | wire.Truncated
)
_events = Events(_AnyEvent.__value__)


def decoder() -> Decoder:
    """Reads one session's frames."""
    return Decoder(_events)
