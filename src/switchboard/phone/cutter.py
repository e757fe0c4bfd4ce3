"""Cuts replies into frames without decoding them: base64 in, base64 of 20 ms out. Pure.

960 bytes are 1,280 characters without padding, so that audio is cut where text is. Only where a
piece ends in padding must it be joined to the next by hand.
"""

import base64
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switchboard.conversation.audio import FRAME_MS, PCM_24K, base64_size_bytes, is_pcm

FRAME_BYTES: Final = PCM_24K.size_bytes(FRAME_MS)
FRAME_CHARS: Final = FRAME_BYTES * 4 // 3


@dataclass(frozen=True, slots=True)
class Frame:
    """At most 20 ms of an item, padded with silence to just that."""

    item_id: str
    audio: str
    ms: float
    """How much of it is the item's own."""


class Cutter:
    """What waits to be played, in order, taken frame by frame."""

    def __init__(self) -> None:
        self._items: deque[_Item] = deque()
        self._waiting_bytes = 0

    @property
    def waiting_ms(self) -> float:
        return PCM_24K.duration_ms(self._waiting_bytes)

    @property
    def item_ids(self) -> Sequence[str]:
        """The items of which something waits."""
        return [item.item_id for item in self._items]

    def put(self, item_id: str, audio: str) -> None:
        """Add base64 PCM 24 kHz of an item. Raises `ValueError` for what is none."""
        if not is_pcm(audio):
            raise ValueError("this audio is not base64 of 16-bit samples")
        if not audio:
            return
        if not self._items or self._items[-1].item_id != item_id:
            self._items.append(_Item(item_id))
        self._items[-1].add(audio)
        self._waiting_bytes += base64_size_bytes(audio)

    def take(self, *, rest: bool = False) -> Frame | None:
        """The next frame, or `None` when there is none to take.

        What is left of an item, less than a frame, is taken once another item follows, or if
        `rest` says that the ear cannot wait for more of it.
        """
        if not self._items:
            return None
        item = self._items[0]
        if item.size_bytes < FRAME_BYTES and len(self._items) == 1 and not rest:
            return None
        audio = item.cut()
        if not item.chars:
            self._items.popleft()
        size_bytes = base64_size_bytes(audio)
        self._waiting_bytes -= size_bytes
        return Frame(item.item_id, _filled(audio), PCM_24K.duration_ms(size_bytes))

    def clear(self) -> None:
        self._items.clear()
        self._waiting_bytes = 0


class _Item:
    """Pieces of one item, all but the last without padding."""

    __slots__ = ("_offset", "_pieces", "chars", "item_id")

    def __init__(self, item_id: str) -> None:
        self.item_id = item_id
        self.chars = 0
        """Characters that wait."""
        self._pieces: deque[str] = deque()
        self._offset = 0
        """Characters of the first piece that are gone already."""

    @property
    def size_bytes(self) -> int:
        return self.chars * 3 // 4 - (self._pieces[-1].count("=", -2) if self._pieces else 0)

    def add(self, audio: str) -> None:
        if self._pieces and self._pieces[-1].endswith("="):
            audio = self._joined_to_last(audio)
        self._pieces.append(audio)
        self.chars += len(audio)

    def cut(self) -> str:
        """Up to a frame from the front."""
        taken: list[str] = []
        missing = FRAME_CHARS
        while missing and self._pieces:
            first = self._pieces[0]
            part = first[self._offset : self._offset + missing]
            taken.append(part)
            missing -= len(part)
            self._offset += len(part)
            if self._offset == len(first):
                self._pieces.popleft()
                self._offset = 0
        self.chars -= FRAME_CHARS - missing
        return "".join(taken)

    def _joined_to_last(self, audio: str) -> str:
        last = self._pieces.pop()
        if not self._pieces:
            last, self._offset = last[self._offset :], 0
        self.chars -= len(last)
        return base64.b64encode(base64.b64decode(last) + base64.b64decode(audio)).decode()


def _filled(audio: str) -> str:
    """A whole frame: what is missing is silence."""
    if len(audio) == FRAME_CHARS and not audio.endswith("="):
        return audio
    pcm = base64.b64decode(audio)
    return base64.b64encode(pcm + bytes(FRAME_BYTES - len(pcm))).decode()
