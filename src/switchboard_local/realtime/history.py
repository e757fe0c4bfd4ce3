"""A session's conversation: its items in order, and what the mind is told of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.usage import Tokens, agent_tokens, caller_tokens, text_tokens
from switchboard_local.realtime.words import Sentence, heard_text

MAX_ITEMS: Final = 1000
MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
MAX_AUDIO_BYTES: Final = 32 * 1024 * 1024
"""Of callers' audio kept for `conversation.item.retrieve`; beyond it the oldest goes."""


@dataclass(slots=True)
class Speech:
    """The agent's audio of one item, in time: the sound itself is not kept."""

    sentences: list[Sentence] = field(default_factory=list[Sentence])
    duration_ms: float = 0.0
    cut_ms: float | None = None
    """Where the client truncated it."""

    def heard(self) -> str:
        """What was heard of it before it was cut; all of it if it was not."""
        return heard_text(self.sentences, self.left_ms)

    @property
    def left_ms(self) -> float:
        """What there is of it after a truncation."""
        return self.duration_ms if self.cut_ms is None else self.cut_ms


@dataclass(slots=True)
class Item:
    """One item. `body` is its form on the wire, audio left out."""

    body: dict[str, Any]
    audio: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """The caller's 24 kHz audio, by content index."""
    audio_ms: float = 0.0
    ear: str | None = None
    """The transcription this item waits for."""
    words: str | None = None
    """What the ears made of its audio, whether or not the client asks to be told."""
    announced: bool = False
    """Whether the client is to be told of the transcription."""
    speech: Speech | None = None

    @property
    def id(self) -> str:
        return self.body["id"]

    @property
    def in_progress(self) -> bool:
        return self.body.get("status") == "in_progress"

    def cut(self, heard_ms: float) -> None:
        """Only `heard_ms` of its audio were heard: the rest was never said."""
        if self.speech is None:
            return
        self.speech.cut_ms = heard_ms
        if not self.in_progress:
            self.body["content"] = [{"type": "output_audio", "transcript": self.speech.heard()}]

    def wire(self) -> dict[str, Any]:
        """As sent in events: a copy, so that what was sent stays as it was."""
        body = dict(self.body)
        if "content" in body:
            body["content"] = [dict(part) for part in body["content"]]
        return body

    def for_mind(self) -> dict[str, Any]:
        """As the mind reads it: callers' audio by its words, the agent's by what was heard."""
        body = self.wire()
        for part in body.get("content", ()):
            if part["type"] == "input_audio" and self.words is not None:
                part["transcript"] = self.words
        return body

    def tokens(self) -> Tokens:
        """What reading this item costs."""
        texts = [str(self.body.get(key, "")) for key in ("name", "arguments", "output")]
        parts: list[dict[str, Any]] = self.body.get("content", [])
        texts.extend(part.get("text") or part.get("transcript") or "" for part in parts)
        text = text_tokens("".join(texts))
        if self.speech is None:
            return Tokens(text, caller_tokens(self.audio_ms))
        return Tokens(text, agent_tokens(self.speech.left_ms))


class History:
    """The items of the default conversation."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._text_bytes = 0

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def get(self, item_id: str) -> Item | None:
        return next((item for item in self._items if item.id == item_id), None)

    def last_id(self) -> str | None:
        return self._items[-1].id if self._items else None

    def before(self, item: Item) -> Item | None:
        """The item in front of `item`; `item` itself when it is no longer here."""
        for at, each in enumerate(self._items):
            if each is item:
                return self._items[at - 1] if at else None
        return item

    def add(self, item: Item, previous_id: str | None = None) -> str | None:
        """Put `item` after `previous_id` ("root": in front; none: at the end).

        Returns the id of the item now before it. Raises `Refused`.
        """
        self._admit(item)
        at = self._place(previous_id)
        self._items.insert(at, item)
        self._trim_audio()
        return self._items[at - 1].id if at else None

    def remove(self, item: Item) -> None:
        self._items.remove(item)

    def has_call(self, call_id: str) -> bool:
        """Whether some item is the function call `call_id`."""
        return any(
            item.body["type"] == "function_call" and item.body.get("call_id") == call_id
            for item in self._items
        )

    def _admit(self, item: Item) -> None:
        size = len(str(item.body))
        if len(self._items) >= MAX_ITEMS or self._text_bytes + size > MAX_TEXT_BYTES:
            raise Refused("conversation_too_long", "The conversation holds no more items.", "item")
        if self.get(item.id) is not None:
            raise Refused("item_create_duplicate_id", f"Item '{item.id}' exists.", "item.id")
        self._text_bytes += size

    def _place(self, previous_id: str | None) -> int:
        if previous_id is None:
            return len(self._items)
        if previous_id == "root":
            return 0
        for at, item in enumerate(self._items):
            if item.id == previous_id:
                return at + 1
        raise Refused(
            "item_create_invalid_previous_item_id",
            f"There is no item '{previous_id}' to come after.",
            "previous_item_id",
        )

    def _trim_audio(self) -> None:
        kept = sum(len(pcm) for item in self._items for pcm in item.audio.values())
        for item in self._items:
            if kept <= MAX_AUDIO_BYTES:
                return
            kept -= sum(len(pcm) for pcm in item.audio.values())
            item.audio.clear()


def waiting(items: Iterable[Item]) -> set[str]:
    """The transcriptions that must come in before the mind can read `items`."""
    return {item.ear for item in items if item.ear is not None and item.words is None}
