"""What was said and done, in order, as a new model session could be told it again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_ENTRIES: Final = 2_000
"""A call of half an hour has a few hundred. Beyond this the oldest are forgotten."""


class Role(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(slots=True)
class Said:
    """A message item."""

    item_id: str
    role: Role
    text: str = ""
    heard_chars: int | None = None
    """For an agent's item that was cut: only this much of `text` was heard."""

    @property
    def heard_text(self) -> str:
        return self.text if self.heard_chars is None else self.text[: self.heard_chars]


@dataclass(slots=True)
class Called:
    """A function call and, once there is one, its output: always replayed as a pair."""

    item_id: str
    call_id: str
    name: str
    arguments: str
    output: str | None = None


type Entry = Said | Called


@dataclass(slots=True)
class History:
    """The conversation's items by id, in the order the model has them."""

    _entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _calls: dict[str, Called] = field(default_factory=dict[str, Called])

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._entries

    def said(self, item_id: str, role: Role) -> Said:
        """The message `item_id`, begun now if it is new."""
        entry = self._entries.get(item_id)
        if isinstance(entry, Said):
            return entry
        new = Said(item_id, role)
        self._add(item_id, new)
        return new

    def find(self, item_id: str) -> Said | None:
        entry = self._entries.get(item_id)
        return entry if isinstance(entry, Said) else None

    def called(self, call: Called) -> None:
        self._add(call.item_id, call)
        self._calls[call.call_id] = call

    def answered(self, call_id: str, output: str) -> None:
        if call := self._calls.get(call_id):
            call.output = output

    def forget(self, item_id: str) -> None:
        """Nothing of this message was heard: it never was."""
        if isinstance(self._entries.get(item_id), Said):
            del self._entries[item_id]

    def entries(self) -> Iterator[Entry]:
        """Everything that was said and done, oldest first; a message may have no text (yet)."""
        yield from self._entries.values()

    def name_of(self, call_id: str) -> str:
        """The tool that this call is of."""
        call = self._calls.get(call_id)
        return call.name if call else "tool"

    def unanswered(self) -> Iterator[str]:
        """The calls that have no output yet."""
        for call in self._calls.values():
            if call.output is None:
                yield call.call_id

    def _add(self, item_id: str, entry: Entry) -> None:
        self._entries[item_id] = entry
        while len(self._entries) > MAX_ENTRIES:
            oldest = self._entries.pop(next(iter(self._entries)))
            if isinstance(oldest, Called):
                self._calls.pop(oldest.call_id, None)


def heard_chars(text: str, heard_ms: float, received_ms: float) -> int:
    """About how many characters of `text` were heard: to the end of the last whole word."""
    if received_ms <= 0 or heard_ms >= received_ms:
        return len(text) if received_ms > 0 else 0
    cut = int(len(text) * heard_ms / received_ms)
    if cut < len(text) and not text[cut].isspace():
        cut = text.rfind(" ", 0, cut) + 1
    return len(text[:cut].rstrip())
