"""Simulated pages: each sends a frame every 20 ms and looks at each that comes back."""

import asyncio
import base64
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
from websockets.asyncio.client import ClientConnection

FRAME_S: Final = 0.020
FRAME_MS: Final = 20.0
_STAMP: Final = struct.Struct("<IQ")  # sequence number, nanoseconds: twelve bytes, sixteen letters
_STAMP_LETTERS: Final = 16
_FRAME_BYTES: Final = 960
_PLAYED_EVERY: Final = 5
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Tally:
    """What one page saw during the measured window."""

    sent: int = 0
    received: int = 0
    disordered: int = 0
    trips_ms: list[float] = field(default_factory=list[float])


class Far(Protocol):
    """What is at the other end of a page's socket: the product, or the stand-in itself."""

    def frame(self, audio: str) -> bytes: ...

    def audio_of(self, message: str | bytes) -> str | None: ...

    def played(self, ms: float) -> bytes | None: ...


class _PageMessage(msgspec.Struct):
    type: str
    audio: str = ""
    item: str = ""


class _ServerEvent(msgspec.Struct):
    """Its `item`, where there is one, is an object: nothing that is looked at here."""

    type: str
    delta: str = ""


class Product:
    """Speaks the page's protocol."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_PageMessage).decode
        self._item = ""

    def frame(self, audio: str) -> bytes:
        return b'{"type":"audio","audio":"' + audio.encode("ascii") + b'"}'

    def audio_of(self, message: str | bytes) -> str | None:
        event = self._decode(message)
        if event.type != "audio":
            return None
        self._item = event.item
        return event.audio

    def played(self, ms: float) -> bytes | None:
        return _encode({"type": "played", "item": self._item, "ms": ms}) if self._item else None


class Direct:
    """Speaks the realtime dialect."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_ServerEvent).decode

    def frame(self, audio: str) -> bytes:
        return b'{"type":"input_audio_buffer.append","audio":"' + audio.encode("ascii") + b'"}'

    def audio_of(self, message: str | bytes) -> str | None:
        event = self._decode(message)
        return event.delta if event.type == "response.output_audio.delta" else None

    def played(self, ms: float) -> bytes | None:
        del ms
        return None


class Page:
    """One simulated page: a frame every 20 ms, and a look at each that comes back."""

    def __init__(self, socket: ClientConnection, far: Far, frames: int = 1) -> None:
        """`frames` of 20 ms go into each message."""
        self._socket = socket
        self._frames = frames
        self._rest = base64.b64encode(bytes(frames * _FRAME_BYTES - _STAMP.size)).decode("ascii")
        self._far = far
        self._tally: Tally | None = None
        self._next = 0
        self._expected = 0

    def measure(self, tally: Tally | None) -> None:
        """From now on, count into `tally`."""
        self._tally = tally

    async def talk(self, first_at: float) -> None:
        """Send frames on a fixed schedule until cancelled; a late one is sent at once."""
        due = first_at
        while True:
            await asyncio.sleep(due - time.perf_counter())
            stamp = _STAMP.pack(self._next, time.perf_counter_ns())
            audio = base64.b64encode(stamp).decode("ascii") + self._rest
            await self._socket.send(self._far.frame(audio), text=True)
            if self._tally is not None:
                self._tally.sent += 1
            self._next += 1
            if self._next % _PLAYED_EVERY == 0 and (report := self._far.played(self._heard_ms)):
                await self._socket.send(report, text=True)
            due += FRAME_S * self._frames

    @property
    def _heard_ms(self) -> float:
        return self._expected * FRAME_MS * self._frames

    async def listen(self) -> None:
        """Read until cancelled."""
        async for message in self._socket:
            audio = self._far.audio_of(message)
            if audio is None:
                continue
            now = time.perf_counter_ns()
            number, sent_at = _STAMP.unpack(base64.b64decode(audio[:_STAMP_LETTERS]))
            self._count(number, (now - sent_at) / 1e6)

    def _count(self, number: int, trip_ms: float) -> None:
        if self._tally is not None:
            self._tally.received += 1
            self._tally.disordered += number != self._expected
            self._tally.trips_ms.append(trip_ms)
        self._expected = number + 1


@dataclass(frozen=True, slots=True)
class Second:
    """One second: what each page saw in it, and when it was (`time.time_ns`)."""

    tallies: Sequence[Tally]
    begin_ns: int
    end_ns: int


async def by_second(pages: Sequence[Page], seconds: float) -> list[Second]:
    """So many, one after the other: what a machine's host does to all for a moment is in one of
    them, and not in their median."""
    found: list[Second] = []
    for _ in range(max(1, round(seconds))):
        tallies = [Tally() for _ in pages]
        begin_ns = time.time_ns()
        for page, tally in zip(pages, tallies, strict=True):
            page.measure(tally)
        await asyncio.sleep(1.0)
        found.append(Second(tallies, begin_ns, time.time_ns()))
    for page in pages:
        page.measure(None)
    return found


def trips_of(tallies: Sequence[Tally]) -> list[float]:
    """Of all of them, in milliseconds. Raises `RuntimeError` if there is not one."""
    trips = [trip for tally in tallies for trip in tally.trips_ms]
    if not trips:
        raise RuntimeError("Not one frame came back: the reply never began.")
    return trips
