"""A softphone page without a browser: its socket, and what it has been told."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.softphone import Parts
from switchboard_local.loopback import LoopbackOnly
from switchboard_local.serving import serving
from switchboard_local.softphone.room import Room
from switchboard_local.softphone.routes import add_softphone
from tests.local.realtime.doubles import HummingVoice, ScriptedEars

YOU = "+442079460111"
HUMAN = "+442079460122"

type Said = dict[str, Any]


@dataclass
class SoftPage:
    """One page. What it is told is kept in order."""

    socket: ClientConnection
    told: list[Said] = field(default_factory=list[Said])
    sound: bytearray = field(default_factory=bytearray)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    async def read(self) -> None:
        try:
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.sound += message
                else:
                    self.told.append(json.loads(message))
                self.changed.set()
        except ConnectionClosed:
            pass
        self.over = True
        self.changed.set()

    async def wish(self, kind: str, line: int = 0, **more: object) -> None:
        await self.socket.send(json.dumps({"type": kind, "line": line, **more}))

    async def until(self, true: Callable[["SoftPage"], object]) -> None:
        async with asyncio.timeout(20):
            while not true(self):
                self.changed.clear()
                await self.changed.wait()

    async def line(self, state: str, index: int = 0) -> Said:
        """The line, once it is in that state."""
        await self.until(lambda it: it.now(index).get("state") == state)
        return self.now(index)

    async def first(self, kind: str) -> Said:
        await self.until(lambda it: it.of(kind))
        return self.of(kind)[0]

    def now(self, index: int = 0) -> Said:
        lines = [each for each in self.of("line") if each["line"] == index]
        return lines[-1] if lines else {}

    def spoken(self, index: int = 0) -> int:
        """How many typed texts the line has spoken to their end."""
        speaking = [each["speaking"] for each in self.of("line") if each["line"] == index]
        return sum(one and not after for one, after in pairwise(speaking))

    def of(self, kind: str) -> list[Said]:
        return [each for each in self.told if each["type"] == kind]

    def passages(self, kind: str) -> list[Said]:
        """Those of the flow of that kind, each as it was told last."""
        flowed = {each["id"]: each for told in self.of("flow") for each in told["passages"]}
        return [each for each in flowed.values() if each["kind"] == kind]


@dataclass
class Softphones:
    """Where pages come to."""

    port: int
    room: Room
    ears: ScriptedEars

    @asynccontextmanager
    async def page(
        self, tab: str = "a1", origin: str | None = None, *, lines: int = 1
    ) -> AsyncGenerator[SoftPage]:
        address = f"ws://127.0.0.1:{self.port}/local/softphone?tab={tab}"
        headers = {} if origin is None else {"origin": origin}
        async with connect(address, proxy=None, additional_headers=headers) as opened:
            page = SoftPage(opened)
            reading = asyncio.create_task(page.read())
            for index in range(lines):
                await page.wish("claim", index)
                await page.line("idle", index)
            yield page
            reading.cancel()


@asynccontextmanager
async def softphones(acs: Acs) -> AsyncGenerator[Softphones]:
    app = FastAPI()
    app.add_middleware(LoopbackOnly)
    ears = ScriptedEars(["good day"])
    room = Room(acs, Parts(HummingVoice(), ears))
    add_softphone(app, room)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener):
            yield Softphones(listener.getsockname()[1], room, ears)
