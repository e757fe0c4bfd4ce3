"""The other sides of the telephone's room: a media socket as ACS opens it, a clock by hand."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
from fastapi import FastAPI
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from switchboard.conversation.events import CallerEvent
from switchboard.conversation.legs import CallerAudio
from switchboard.phone.leg import PhoneLeg
from switchboard.phone.limits import MediaLimits
from switchboard.phone.metronome import Metronome
from tests.browser.peers import serving

FRAME = base64.b64encode(bytes(960)).decode()
"""20 ms of silence."""
TONE = base64.b64encode(b"\x01\x02" * 480).decode()


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Carrier:
    """ACS's half of a media socket."""

    socket: ClientConnection

    async def opens(self, rate_hz: int = 24_000) -> None:
        """Say what the stream is."""
        metadata = {
            "subscriptionId": "s1",
            "encoding": "PCM",
            "sampleRate": rate_hz,
            "channels": 1,
            "length": 640,
        }
        await self.says("AudioMetadata", audioMetadata=metadata)

    async def says(self, kind: str, **parts: object) -> None:
        await self.socket.send(json.dumps({"kind": kind, **parts}))

    async def hears(self, audio: str = FRAME, *, silent: bool = False) -> None:
        """Pass on 20 ms of the caller."""
        await self.says("AudioData", audioData={"data": audio, "silent": silent})

    async def next(self) -> dict[str, Any]:
        """What we are to play, or `StopAudio`."""
        with anyio.fail_after(20):
            return json.loads(await self.socket.recv())

    async def played(self, count: int) -> Sequence[bytes]:
        """The next frames, which must be audio."""
        frames = [await self.next() for _ in range(count)]
        return [base64.b64decode(frame["audioData"]["data"]) for frame in frames]

    async def closed(self) -> int:
        with anyio.fail_after(20):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code or 0


@dataclass
class Line:
    """One leg on a real socket, with what it said, and its carrier."""

    leg: PhoneLeg
    clock: Clock
    metronome: Metronome
    said: list[CallerEvent | CallerAudio]
    hung_up: list[str]
    over: asyncio.Event
    carrier: Carrier = field(init=False)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait for something on the server's side."""
        with anyio.fail_after(20):
            while not happened():  # noqa: ASYNC110  (plain facts, without events of their own)
                await anyio.sleep(0.005)

    async def is_open(self) -> None:
        """The stream has opened and been heard: what the leg is told now it acts on."""
        await self.carrier.opens()
        await self.carrier.hears()
        await self.until(lambda: self.said)
        self.said.clear()

    async def pass_time(self, ms: float) -> None:
        """Move the clock, with a beat every 20 ms, and let the leg send what is due."""
        while ms > 0:
            self.clock.now += min(ms, 20) / 1_000
            ms -= 20
            self.metronome.beat()
            for _ in range(3):
                await anyio.lowlevel.checkpoint()


@dataclass
class Legs:
    """Serves media sockets, one leg each."""

    port: int = 0
    limits: MediaLimits = field(default_factory=MediaLimits)
    latency_ms: float = 0.0
    clock: Clock = field(default_factory=Clock)
    metronome: Metronome = field(default_factory=Metronome)
    _waiting: "asyncio.Queue[Line]" = field(default_factory=lambda: asyncio.Queue[Line]())

    async def media(self, websocket: WebSocket) -> None:
        await websocket.accept()
        hung_up: list[str] = []

        async def hang_up(_: str) -> None:
            hung_up.append("call")

        leg = PhoneLeg(
            websocket,
            "call",
            metronome=self.metronome,
            hang_up=hang_up,
            latency_ms=self.latency_ms,
            limits=self.limits,
            clock=self.clock,
        )
        said: list[CallerEvent | CallerAudio] = []
        over = asyncio.Event()

        async def listen() -> None:
            async for event in leg:
                said.append(event)
            over.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leg.run)
            tasks.start_soon(listen)
            line = Line(leg, self.clock, self.metronome, said, hung_up, over)
            await self._waiting.put(line)

    @asynccontextmanager
    async def line(self, *, max_queue: int = 64) -> AsyncGenerator[Line]:
        """A carrier that has just opened its socket."""
        url = f"ws://127.0.0.1:{self.port}/media"
        async with connect(url, proxy=None, max_queue=max_queue) as opened:
            line = await self._waiting.get()
            line.carrier = Carrier(opened)
            yield line


@asynccontextmanager
async def legs(
    *, limits: MediaLimits | None = None, latency_ms: float = 0.0
) -> AsyncGenerator[Legs]:
    door = socket.create_server(("127.0.0.1", 0))
    served = Legs(door.getsockname()[1], limits or MediaLimits(), latency_ms)
    app = FastAPI()
    app.add_api_websocket_route("/media", served.media)
    async with serving(app, door):
        yield served
