"""A page without a browser: one call's socket, a paced microphone, a speaker, and what it saw."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import anyio
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from switchboard.browser.protocol import SUBPROTOCOL, TICKET_PREFIX
from switchboard.conversation.audio import PCM_24K, base64_size_bytes
from tests.soak.ear import Ear, Position
from tests.soak.speech import FRAME_MS
from tests.soak.tap import ModelLine

PATIENCE_S = 45.0
"""Whatever takes longer than this does not come at all, on however busy a machine."""
REPORT_FRAMES = 5
"""The play head is reported this often while it moves."""
PING_FRAMES = 500


class NeverCame(Exception):
    """Something the page waited for."""


@dataclass
class Seen:
    """Everything about a call that the checks ask for."""

    sent_frames: int = 0
    audio_bytes: dict[str, int] = field(default_factory=dict[str, int])
    """The agent's audio, item by item."""
    order: list[str] = field(default_factory=list[str])
    """Items in the order in which they began to sound."""
    turns: dict[str, int] = field(default_factory=dict[str, int])
    """The caller's lines, and how many items had sounded before each."""
    silenced: set[str] = field(default_factory=set[str])
    """Items that were flushed."""
    broken: set[str] = field(default_factory=set[str])
    """Items whose audio may be incomplete because the socket was lost."""
    flushes: int = 0
    tools: int = 0
    latencies_ms: list[float] = field(default_factory=list[float])
    complaints: list[str] = field(default_factory=list[str])
    """What the server should not have said or done."""
    whole: set[str] = field(default_factory=set[str])
    """Items that had to arrive, every byte of them, before the caller left."""
    ended: str | None = None


class Page:
    """One call, as the page lives it. `async with page.at_work():` runs microphone and ear."""

    def __init__(self, address: str, placed: dict[str, Any], room: Sequence[str]) -> None:
        self.call: str = placed["call"]
        self.seen = Seen()
        self.line = ModelLine()
        self.asking: str | None = None
        """A tool call that asks for consent."""
        self._address = address
        self._path: str = placed["socket"]
        self._ticket: str = placed["ticket"]
        self._room = cycle(room)
        self._speech: deque[str] = deque()
        self._ear = Ear()
        self._socket: ClientConnection | None = None
        self._holding = True
        """The microphone sends nothing."""
        self._leaving = False
        """The socket ends because we want it to."""
        self._floor = "nobody"
        self._ready: dict[str, Any] | None = None
        self._pings = 0
        self._ponged = 0.0
        self._news = anyio.Event()

    # -- the caller ---------------------------------------------------------------------------

    async def open(self) -> None:
        """Join the call, or join it again."""
        protocols = [SUBPROTOCOL, TICKET_PREFIX + self._ticket]
        self._ready = None
        self._socket = await connect(
            f"{self._address.replace('http', 'ws', 1)}{self._path}",
            origin=Origin(self._address),
            subprotocols=[Subprotocol(name) for name in protocols],
            proxy=None,
            open_timeout=PATIENCE_S,
        )
        self._stir()

    async def ready(self) -> bool:
        """Wait to be let in; whether the call was resumed."""
        await self.until(lambda: self._ready, "ready")
        assert self._ready is not None
        self._leaving = False
        return bool(self._ready["resumed"])

    def listen(self) -> None:
        """Open the microphone. What is said before the model is there is kept for two seconds
        only, by design: to count every frame, wait for the greeting."""
        self._holding = False

    async def speak(self, frames: Sequence[str]) -> None:
        """Say something; returns when the last frame has been sent."""
        self._speech.extend(frames)
        await self.until(lambda: not self._speech, "the microphone")

    async def type(self, item: str, text: str) -> None:
        await self._say({"type": "text", "id": item, "text": text})

    async def agree(self, call: str) -> None:
        self.asking = None
        await self._say({"type": "decide", "call": call, "agreed": True})

    async def lose_socket(self) -> None:
        """Vanish without a word, everything sent so far having arrived."""
        await self._settle()
        assert self._socket is not None
        self._leaving = True
        self.seen.broken |= set(self.line.audio_bytes)
        self._socket.transport.abort()
        await self.until(lambda: self._socket is None, "the loss")

    async def hang_up(self) -> None:
        """Say goodbye."""
        await self._finish()
        await self._say({"type": "end"})
        await self.until(lambda: self.seen.ended, "goodbye")

    async def close_tab(self) -> None:
        """What a browser does to the socket of a page that is closed."""
        await self._finish()
        assert self._socket is not None
        await self._socket.close(1001)

    async def _finish(self) -> None:
        """Leave nothing on its way, neither to the model nor to the ear."""
        await self._settle()
        sent = self.seen.sent_frames
        await self._eventually(lambda: self.line.frames >= sent)
        whole = self.whole_items()
        await self._eventually(lambda: not any(map(self.missing, whole)))
        self.seen.whole = whole - self.seen.silenced
        self._leaving = True

    # -- waiting ------------------------------------------------------------------------------

    @property
    def hears_agent(self) -> bool:
        return self._ear.sounds

    @property
    def is_quiet(self) -> bool:
        """Nobody has the floor and everything was heard."""
        return self._floor == "nobody" and not self._ear.sounds

    async def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait for something the page can see. Raises `NeverCame`."""
        with anyio.move_on_after(PATIENCE_S):
            while not happened():
                if self.seen.ended and not self._leaving:
                    raise NeverCame(f"{what}: the call ended ({self.seen.ended})")
                await self._news.wait()
            return
        raise NeverCame(f"{what}: not within {PATIENCE_S:g} s")

    async def _eventually(self, happened: Callable[[], object]) -> None:
        """Wait for something on the far side of the product; the checks judge if it failed."""
        with anyio.move_on_after(PATIENCE_S):
            while not happened():  # noqa: ASYNC110  (it has no event)
                await anyio.sleep(0.02)

    def whole_items(self) -> set[str]:
        """Items that must have come to the ear exactly as the model sent them."""
        return (self.line.complete & set(self.seen.order)) - self.seen.silenced - self.seen.broken

    def missing(self, item: str) -> int:
        """Bytes of an item that the model sent and the page has not got."""
        return self.line.audio_bytes[item] - self.seen.audio_bytes.get(item, 0)

    # -- the machine --------------------------------------------------------------------------

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Microphone, speaker and reader run beside the block."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._sound)
            tasks.start_soon(self._read)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                if self._socket is not None:
                    with anyio.CancelScope(shield=True):
                        await self._socket.close()

    async def _settle(self) -> None:
        """Hold the microphone until the server has read everything sent."""
        self._holding = True
        number = self._pings + 1
        await self._ping()
        await self.until(lambda: self._ponged >= number, "pong")

    async def _sound(self) -> None:
        """Both directions of the sound card, paced by one clock; a late tick is made up for."""
        began, ticks = anyio.current_time(), 0
        while True:
            await anyio.sleep(max(0.0, began + ticks * FRAME_MS / 1000 - anyio.current_time()))
            ticks += 1
            await self._capture()
            sounded = self._ear.sounds
            reports = self._ear.play(FRAME_MS)
            if sounded and not ticks % REPORT_FRAMES and (now := self._ear.position):
                reports.append(now)
            for position in reports:
                await self._report(position)
            if sounded and not self._ear.sounds:
                self._stir()
            if not ticks % PING_FRAMES:
                await self._ping()

    async def _capture(self) -> None:
        if self._socket is None or self._ready is None or self._holding:
            return
        frame = self._speech.popleft() if self._speech else next(self._room)
        if await self._send(f'{{"type":"audio","audio":"{frame}"}}'):
            self.seen.sent_frames += 1
        if not self._speech:
            self._stir()

    async def _ping(self) -> None:
        self._pings += 1
        await self._say({"type": "ping", "at": float(self._pings)})

    async def _report(self, position: Position) -> None:
        await self._say({"type": "played", "item": position.item, "ms": position.ms})

    async def _say(self, message: dict[str, Any]) -> None:
        await self._send(msgspec.json.encode(message).decode())

    async def _send(self, frame: str) -> bool:
        if self._socket is None or self.seen.ended is not None:
            return False
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            return False  # the reader says why
        return True

    async def _read(self) -> None:
        """Everything that comes, from one socket after the other."""
        while True:
            while (socket := self._socket) is None:
                await self._news.wait()
            try:
                while True:
                    await self._take(msgspec.json.decode(await socket.recv()))
                    self._stir()
            except ConnectionClosed as closed:
                self._closed(closed)
            self._stir()

    def _closed(self, closed: ConnectionClosed) -> None:
        self._socket = None
        if not self._leaving:
            self.seen.complaints.append(f"socket closed: {closed}")
            self.seen.ended = self.seen.ended or "closed"

    def _stir(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "audio":
                self._hear(message["item"], message["audio"])
            case "flush":
                await self._flush()
            case "ready":
                self._ready, self._ticket = message, message["resume"]
            case "ended":
                self._end(message["reason"])
            case "refused" | "notice":
                self.seen.complaints.append(f"{message['type']}: {message['code']}")
            case _:
                self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "line" if message["speaker"] == "caller":
                self.seen.turns.setdefault(message["id"], len(self.seen.order))
            case "tool":
                self._tool(message)
            case "floor":
                self._floor = message["floor"]
            case "latency":
                self.seen.latencies_ms.append(message["firstAudioMs"])
            case "pong":
                self._ponged = message["at"]
            case _:
                pass

    def _hear(self, item: str, audio: str) -> None:
        size = base64_size_bytes(audio)
        if item in self.seen.silenced:
            self.seen.complaints.append("audio of a silenced item")
        if item not in self.seen.audio_bytes:
            self.seen.audio_bytes[item] = 0
            self.seen.order.append(item)
        self.seen.audio_bytes[item] += size
        self._ear.push(item, PCM_24K.duration_ms(size))

    async def _flush(self) -> None:
        self.seen.flushes += 1
        position, silenced = self._ear.flush()
        self.seen.silenced |= silenced
        if position is not None:
            self.seen.silenced.add(position.item)
            await self._report(position)

    def _tool(self, message: dict[str, Any]) -> None:
        if message["state"] == "asking":
            self.asking = message["id"]
        elif message["id"] == self.asking:
            self.asking = None
        if message["state"] in ("done", "failed"):
            self.seen.tools += 1

    def _end(self, reason: str) -> None:
        self.seen.ended = reason
        if not self._leaving:
            self.seen.complaints.append(f"ended: {reason}")
