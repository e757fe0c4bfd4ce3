"""Replies on their way to the ear of a caller over WebRTC, where the service itself plays them.

The dialect's output audio buffer: filled faster than real time, emptied at the ear's pace, so that
what was heard is known here and nowhere else.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from switchboard_local.realtime.effects import Tape
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import Pcm, Session
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS

FRAME_MS: Final = 20
_FRAME_BYTES: Final = FRAME_MS * PCM_BYTES_PER_MS
SILENCE: Final = bytes(_FRAME_BYTES)


@dataclass(slots=True)
class _Item:
    """The sound of one item."""

    id: str
    waiting: bytearray = field(default_factory=bytearray)
    heard_bytes: int = 0

    @property
    def heard_ms(self) -> float:
        return self.heard_bytes / PCM_BYTES_PER_MS


@dataclass(slots=True)
class _Part:
    """The sound of one response."""

    response_id: str
    items: list[_Item] = field(default_factory=list[_Item])
    begun: bool = False
    complete: bool = False
    """Nothing more of it will come."""

    def take(self, size: int) -> bytes:
        """At most `size` bytes of what waits, in order."""
        taken = b""
        for item in self.items:
            piece = bytes(item.waiting[: size - len(taken)])
            del item.waiting[: len(piece)]
            item.heard_bytes += len(piece)
            taken += piece
        return taken

    def unheard(self) -> Sequence[_Item]:
        """The items that would be cut off here."""
        return [
            item
            for item in self.items
            if item.waiting or (not self.complete and item is self.items[-1])
        ]


class Playout:
    """One caller's output audio buffer. Responses are heard one after another."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._parts: deque[_Part] = deque()
        self._hushed: set[str] = set()
        """Responses in the making that are not to be heard any more."""
        self._ahead_bytes = 0

    @property
    def ahead_ms(self) -> float:
        """Audio waiting to be heard."""
        return self._ahead_bytes / PCM_BYTES_PER_MS

    def offer(self, response_id: str, item_id: str, pcm: bytes) -> None:
        """More of a response, to be heard after all that waits."""
        if response_id in self._hushed:
            return
        part = self._part(response_id)
        if part is None:
            part = _Part(response_id)
            self._parts.append(part)
        if not part.items or part.items[-1].id != item_id:
            part.items.append(_Item(item_id))
        part.items[-1].waiting += pcm
        self._ahead_bytes += len(pcm)

    def complete(self, response_id: str) -> None:
        """Nothing more of the response will come."""
        self._hushed.discard(response_id)
        part = self._part(response_id)
        if part is not None:
            part.complete = True

    def take(self) -> bytes:
        """The next 20 ms, silent as far as there is nothing."""
        frame = b""
        while self._parts:
            part = self._parts[0]
            if not part.begun:
                part.begun = True
                self._tape.emit("output_audio_buffer.started", response_id=part.response_id)
            frame += part.take(_FRAME_BYTES - len(frame))
            if any(item.waiting for item in part.items) or not part.complete:
                break
            self._parts.popleft()
            self._tape.emit("output_audio_buffer.stopped", response_id=part.response_id)
        self._ahead_bytes -= len(frame)
        return frame.ljust(_FRAME_BYTES, b"\0")

    def clear(self) -> Sequence[tuple[str, float]]:
        """Nothing that waits is heard. Returns the items cut off, and the ms heard of each."""
        cut = [(item.id, item.heard_ms) for part in self._parts for item in part.unheard()]
        self._hushed |= {part.response_id for part in self._parts if not part.complete}
        if self._parts and self._parts[0].begun:
            begun = self._parts[0].response_id
            self._tape.emit("output_audio_buffer.cleared", response_id=begun)
        self._parts.clear()
        self._ahead_bytes = 0
        return cut

    def _part(self, response_id: str) -> _Part | None:
        return next((part for part in self._parts if part.response_id == response_id), None)


def require_pcm(session: Session) -> None:
    """Raises `Refused` if `session` asks for audio that this way in does not have."""
    for side, audio in (("input", session.audio.input), ("output", session.audio.output)):
        if audio.format != Pcm():
            raise only_opus(f"session.audio.{side}.format")


def only_opus(param: str) -> Refused:
    """Over WebRTC the audio's format is no question of the session."""
    return Refused("invalid_value", "Over WebRTC audio is Opus: leave the format out.", param)
