"""Clients of the proxy: some only hold their line, some talk as a caller does.

The load of one that talks: 50 frames a second up (20 ms of 24 kHz PCM, base64 in JSON), and five
deltas of 200 ms a second down.
"""

import asyncio
import base64
import json
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, override

from bench.wire import ClientWire, frame

FRAME_S: Final = 0.020
FRAME_BYTES: Final = 960
DELTA_EVERY: Final = 10
"""Frames up for one delta down: 200 ms."""
APPEND: Final = b'{"type":"input_audio_buffer.append","audio":"'
AUDIO_AT: Final = len(APPEND)
COUNT: Final = b'{"type":"count"}'
_DELTA: Final = (
    b'{"type":"response.audio.delta","event_id":"event_0","response_id":"resp_0",'
    b'"item_id":"item_0","output_index":0,"content_index":0,"delta":"'
)
_STAMP: Final = struct.Struct("<IQ")  # sequence number, nanoseconds: twelve bytes, sixteen letters
STAMP_LETTERS: Final = 16
_REST_UP: Final = base64.b64encode(bytes(FRAME_BYTES - _STAMP.size)) + b'"}'
_REST_DOWN: Final = base64.b64encode(bytes(DELTA_EVERY * FRAME_BYTES - _STAMP.size)) + b'"}'
_TICKS: Final = 20
"""In one frame's time. Clients are spread over them, as independent callers are."""


def stamp(number: int, at_ns: int) -> bytes:
    """As the first letters of base64 audio."""
    return base64.b64encode(_STAMP.pack(number, at_ns))


def read_stamp(letters: bytes) -> tuple[int, int]:
    """Sequence number and nanoseconds."""
    number, at_ns = _STAMP.unpack(base64.b64decode(letters))
    return number, at_ns


def delta(stamp_letters: bytes) -> bytes:
    """200 ms of the service's voice, stamped."""
    return _DELTA + stamp_letters + _REST_DOWN


@dataclass(slots=True)
class Tally:
    """What the talkers saw during the measured window."""

    sent: int = 0
    deltas: int = 0
    disordered: int = 0
    trips_ms: list[float] = field(default_factory=list[float])


class Idler(ClientWire):
    """Holds its line and says nothing; pongs it does."""

    @override
    def heard(self, payload: bytes, key: bytes) -> None:
        raise RuntimeError("Nobody had asked.")


class Talker(ClientWire):
    """Says a frame when told to, and looks at each delta that comes back."""

    def __init__(self, host: str, port: int, target: str) -> None:
        super().__init__(host, port, target)
        self.tally: Tally | None = None
        self.sent = 0
        self._expected = DELTA_EVERY - 1
        self._counts: asyncio.Future[dict[str, int]] | None = None

    def talk(self) -> None:
        audio = APPEND + stamp(self.sent, time.perf_counter_ns()) + _REST_UP
        self.say(frame(audio, masked=True))
        self.sent += 1
        if self.tally is not None:
            self.tally.sent += 1

    async def ask_counts(self) -> dict[str, int]:
        """How many frames arrived at the service, and how many of them out of order."""
        self._counts = asyncio.get_running_loop().create_future()
        self.say(frame(COUNT, masked=True))
        async with asyncio.timeout(20):
            return await self._counts

    @override
    def heard(self, payload: bytes, key: bytes) -> None:
        if not payload.startswith(_DELTA):
            if self._counts is not None:
                self._counts.set_result(json.loads(payload))
            return
        number, sent_ns = read_stamp(payload[len(_DELTA) : len(_DELTA) + STAMP_LETTERS])
        if self.tally is not None:
            self.tally.deltas += 1
            self.tally.disordered += number != self._expected
            self.tally.trips_ms.append((time.perf_counter_ns() - sent_ns) / 1e6)
        self._expected = number + DELTA_EVERY


async def keep_talking(talkers: Sequence[Talker]) -> None:
    """Every talker says a frame each 20 ms, until cancelled; what is late is said at once."""
    shifts = [talkers[number::_TICKS] for number in range(_TICKS)]
    due = time.perf_counter()
    while True:
        for shift in shifts:
            due += FRAME_S / _TICKS
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            for talker in shift:
                talker.talk()
        await asyncio.sleep(0)  # however late we are, answers are looked at, too
