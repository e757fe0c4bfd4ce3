"""One response: from what the mind thinks to the dialect's events, in the documented order."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from switchboard_local.realtime.history import History, Item, Speech
from switchboard_local.realtime.playout import Playout
from switchboard_local.realtime.session_object import Format
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS, Converter, bytes_per_ms, saying
from switchboard_local.realtime.usage import Tokens, agent_tokens, text_tokens
from switchboard_local.realtime.wire import ContextItem
from switchboard_local.realtime.words import Sentence

type Emit = Callable[..., None]
"""`emit(type, **fields)` sends one server event."""
type NewId = Callable[[str], str]
"""A fresh id with the given prefix."""
type Status = Literal["completed", "cancelled", "incomplete", "failed"]


SENTENCE_PLACED: Final = "local.sentence_placed"
"""An event of ours alone, for dialects that tell when each word is spoken: `text`, `start_ms` and
`end_ms` in the item's audio."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one response goes by: its session's settings, and where it differs."""

    in_conversation: bool
    aloud: bool
    format: Format
    voice: str
    speed: float
    instructions: str
    response_instructions: str | None
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any]
    context: Sequence[ContextItem] | None
    """Items to read instead of the conversation."""
    metadata: Mapping[str, str] | None
    max_output_tokens: int | Literal["inf"]


@dataclass(frozen=True, slots=True)
class SentenceBegun:
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the present sentence, to be shown: transcript or text."""

    delta: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of the present sentence, to be heard: 24 kHz PCM."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class SentenceOver:
    pass


@dataclass(frozen=True, slots=True)
class ToolWanted:
    name: str
    arguments: str


type Piece = SentenceBegun | Words | Sound | SentenceOver | ToolWanted


@dataclass(frozen=True, slots=True)
class Ending:
    """How a response ended, and why."""

    status: Status = "completed"
    reason: str | None = None
    error: str | None = None

    def details(self) -> dict[str, Any] | None:
        if self.status == "completed":
            return None
        details: dict[str, Any] = {"type": self.status}
        if self.reason is not None:
            details["reason"] = self.reason
        if self.error is not None:
            details["error"] = {
                "type": "server_error",
                "code": "server_error",
                "message": self.error,
            }
        return details


@dataclass(slots=True)
class _Message:
    """The message item being said."""

    item: Item
    speech: Speech
    index: int
    converter: Converter
    text: str = ""


@dataclass(slots=True)
class _Made:
    """What the response has cost so far."""

    text: str = ""
    audio_ms: float = 0.0

    def tokens(self) -> Tokens:
        return Tokens(text_tokens(self.text), agent_tokens(self.audio_ms))


@dataclass(slots=True)
class Reply:
    """A response in the making."""

    id: str
    plan: Plan
    conversation_id: str | None
    """`None` when it is out of band."""
    history: History
    emit: Emit
    new_id: NewId
    playout: Playout | None = None
    """Where its sound goes; `None` is to the client, in events."""
    ending: Ending | None = None
    """Set when it is to stop early."""
    made: _Made = field(default_factory=_Made)
    _output: list[Item] = field(default_factory=list[Item])
    _message: _Message | None = None

    def affords(self, piece: Piece) -> bool:
        """Whether `piece` keeps within `max_output_tokens`."""
        limit = self.plan.max_output_tokens
        return limit == "inf" or (self.made.tokens() + _cost(piece)).total <= limit

    def begin(self) -> None:
        self.emit("response.created", response=self.wire("in_progress"))

    def add(self, piece: Piece) -> None:
        match piece:
            case SentenceBegun(text):
                self._begin_sentence(text)
            case Words(delta):
                self._show(delta)
            case Sound(pcm):
                self._sound(pcm)
            case SentenceOver():
                self._end_sentence()
            case ToolWanted(name, arguments):
                self._call(name, arguments)

    def end(self, usage: Mapping[str, Any]) -> None:
        ending = self.ending or Ending()
        self._close("completed" if ending.status == "completed" else "incomplete")
        self.emit("response.done", response=self.wire(ending.status, usage))

    def wire(
        self, status: Status | Literal["in_progress"], usage: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The response object."""
        plan = self.plan
        spoken = {"format": plan.format.model_dump(), "voice": plan.voice}
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": self.ending.details() if self.ending else None,
            "output": [item.wire() for item in self._output],
            "conversation_id": self.conversation_id,
            "output_modalities": ["audio" if plan.aloud else "text"],
            "max_output_tokens": plan.max_output_tokens,
            "audio": {"output": spoken},
            "usage": usage,
            "metadata": plan.metadata,
        }

    def _begin_sentence(self, text: str) -> None:
        message = self._message or self._open_message()
        message.speech.sentences.append(Sentence(text, message.speech.duration_ms))

    def _show(self, delta: str) -> None:
        message = self._message or self._open_message()
        message.text += delta
        self.made.text += delta
        aloud = "response.output_audio_transcript.delta" if self.plan.aloud else None
        self._emit_part(message, aloud or "response.output_text.delta", delta=delta)

    def _sound(self, pcm: bytes, *, last: bool = False) -> None:
        message = self._message or self._open_message()
        data = message.converter.feed(pcm, last=last)
        if not data:
            return
        duration_ms = len(data) / bytes_per_ms(self.plan.format)
        message.speech.duration_ms += duration_ms
        self.made.audio_ms += duration_ms
        if self.playout is not None:
            self.playout.offer(self.id, message.item.id, data)
            return
        delta = b64encode(data).decode()
        self._emit_part(message, "response.output_audio.delta", delta=delta)

    def _end_sentence(self) -> None:
        if self._message is None:
            return
        speech = self._message.speech
        sentence = speech.sentences[-1]
        sentence.end_ms = speech.duration_ms
        if self.plan.aloud:
            times = {"start_ms": sentence.start_ms, "end_ms": sentence.end_ms}
            self._emit_part(self._message, SENTENCE_PLACED, text=sentence.text, **times)

    def _open_message(self) -> _Message:
        item = Item(
            {
                "id": self.new_id("item"),
                "object": "realtime.item",
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
        )
        index = self._add_item(item)
        self._message = _Message(item, Speech(), index, saying(self.plan.format))
        if self.plan.aloud:
            item.speech = self._message.speech
        self._emit_part(self._message, "response.content_part.added", part=self._part(""))
        return self._message

    def _call(self, name: str, arguments: str) -> None:
        self._close("completed")
        call_id = self.new_id("call")
        item = Item(
            {
                "id": self.new_id("item"),
                "object": "realtime.item",
                "type": "function_call",
                "status": "in_progress",
                "call_id": call_id,
                "name": name,
                "arguments": "",
            }
        )
        index = self._add_item(item)
        self.made.text += name + arguments
        place = {
            "response_id": self.id,
            "item_id": item.id,
            "output_index": index,
            "call_id": call_id,
        }
        for at in range(0, len(arguments), 32):
            piece = arguments[at : at + 32]
            self.emit("response.function_call_arguments.delta", **place, delta=piece)
        done = {"name": name, "arguments": arguments}
        self.emit("response.function_call_arguments.done", **place, **done)
        item.body |= {"arguments": arguments, "status": "completed"}
        self._finish_item(item, index)

    def _close(self, status: str) -> None:
        """Finish the message being said, if there is one."""
        message = self._message
        if message is None:
            return
        if self.plan.aloud and status == "completed":
            self._sound(b"", last=True)
        self._message = None
        if self.plan.aloud:
            self._emit_part(message, "response.output_audio.done")
            done = "response.output_audio_transcript.done"
            self._emit_part(message, done, transcript=message.text)
        else:
            self._emit_part(message, "response.output_text.done", text=message.text)
        self._emit_part(message, "response.content_part.done", part=self._part(message.text))
        self._settle_content(message)
        message.item.body["status"] = status
        self._finish_item(message.item, message.index)

    def _settle_content(self, message: _Message) -> None:
        """What the conversation keeps: all that was said, or, once truncated, what was heard."""
        if not self.plan.aloud:
            content = {"type": "output_text", "text": message.text}
        else:
            cut = message.speech.cut_ms is not None
            text = message.speech.heard() if cut else message.text
            content = {"type": "output_audio", "transcript": text}
        message.item.body["content"] = [content]

    def _part(self, text: str) -> dict[str, Any]:
        if self.plan.aloud:
            return {"type": "audio", "transcript": text}
        return {"type": "text", "text": text}

    def _add_item(self, item: Item) -> int:
        self._output.append(item)
        index = len(self._output) - 1
        self.emit(
            "response.output_item.added",
            response_id=self.id,
            output_index=index,
            item=item.wire(),
        )
        if self.plan.in_conversation:
            before = self.history.add(item)
            self.emit("conversation.item.added", previous_item_id=before, item=item.wire())
        return index

    def _finish_item(self, item: Item, index: int) -> None:
        if self.plan.in_conversation and (before := self.history.before(item)) is not item:
            before_id = before.id if before else None
            self.emit("conversation.item.done", previous_item_id=before_id, item=item.wire())
        self.emit(
            "response.output_item.done",
            response_id=self.id,
            output_index=index,
            item=item.wire(),
        )

    def _emit_part(self, message: _Message, kind: str, **fields: object) -> None:
        self.emit(
            kind,
            response_id=self.id,
            item_id=message.item.id,
            output_index=message.index,
            content_index=0,
            **fields,
        )


def _cost(piece: Piece) -> Tokens:
    match piece:
        case Words(delta):
            return Tokens(text=text_tokens(delta))
        case Sound(pcm):
            return Tokens(audio=agent_tokens(len(pcm) / PCM_BYTES_PER_MS))
        case ToolWanted(name, arguments):
            return Tokens(text=text_tokens(name + arguments))
        case SentenceBegun() | SentenceOver():
            return Tokens()
