"""A conversation whose line to the model is cut again and again, as its caller lives it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_S: Final = 30.0
QUESTIONS: Final = (
    "How much is my bill?",
    "How much data do I have left?",
    "Which plans do you have?",
    "How much is my bill?",
    "How much data do I have left?",
)
"""For the telecom agent; each takes a tool."""
MOMENTS: Final = ("asked", "tool", "sounds", "quiet", "answered")
"""When the line is cut: the question has just been sent; the tool has run; the answer has begun to
sound; nobody speaks; the answer has been generated and still plays."""


class Cutter:
    """Stands on the wire between the product and the service, and cuts it without a word."""

    def __init__(self, service_port: int) -> None:
        self._service_port = service_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[object]] = set()
        self.connections = 0
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()
            if self._carrying:
                await asyncio.wait(self._carrying, timeout=5)

    def cut(self) -> None:
        """Every connection there is ends now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if (task := asyncio.current_task()) is not None:
            self._carrying.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._service_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        self._writers -= ends


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass  # cut
    finally:
        writer.transport.abort()


@dataclass
class Caller:
    """A page that types, and plays what it hears at once."""

    socket: ClientConnection
    lines: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    tools: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    notices: list[str] = field(default_factory=list[str])
    floor: str = "nobody"
    heard_at: float = 0.0
    """When the latest audio came, perf_counter seconds."""
    heard_ms: dict[str, float] = field(default_factory=dict[str, float])
    ended: str | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Take in everything until the socket closes."""
        async for frame in self.socket:
            await self._take(msgspec.json.decode(frame))
            self._news.set()

    async def until(
        self, happened: Callable[[], object], what: str, within_s: float = PATIENCE_S
    ) -> None:
        """Raises `TimeoutError` naming what never came."""
        try:
            async with asyncio.timeout(within_s):
                while not happened():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{what} never came; the call: {self.ended or 'alive'}") from None

    async def types(self, item: str, text: str) -> None:
        await self._say({"type": "text", "id": item, "text": text})

    @property
    def words(self) -> list[str]:
        """What the agent said, line by line."""
        return [line["text"] for line in self.lines.values() if line["speaker"] == "agent"]

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "audio":
                await self._hear(message["item"], len(message["audio"]) * 3 / 4 / 48)
            case "line":
                self.lines[message["id"]] = message
            case "tool":
                self.tools[message["id"]] = message
            case "floor":
                self.floor = message["floor"]
            case "notice":
                self.notices.append(message["code"])
            case "ended":
                self.ended = message["reason"]
            case _:
                pass

    async def _hear(self, item: str, ms: float) -> None:
        self.heard_at = time.perf_counter()
        self.heard_ms[item] = self.heard_ms.get(item, 0.0) + ms
        # What came is said to have been played; the server believes no more than the clock allows.
        await self._say({"type": "played", "item": item, "ms": self.heard_ms[item]})

    async def report(self) -> None:
        """Say again how much was played, as a page does while it plays."""
        for item, ms in list(self.heard_ms.items())[-2:]:
            await self._say({"type": "played", "item": item, "ms": ms})

    async def _say(self, message: dict[str, Any]) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())


@asynccontextmanager
async def calling(address: str, agent: str = "telecom") -> AsyncGenerator[Caller]:
    """A call to the agent, in which its greeting was heard."""
    async with httpx.AsyncClient(
        base_url=address, headers={"Origin": address}, timeout=PATIENCE_S, trust_env=False
    ) as http:
        placed = (await http.post("/api/calls", json={"agent": agent})).raise_for_status().json()
    protocols = [Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{placed['ticket']}")]
    place = f"{address.replace('http', 'ws', 1)}{placed['socket']}"
    async with connect(place, origin=Origin(address), subprotocols=protocols, proxy=None) as socket:
        caller = Caller(socket)
        tasks = [asyncio.ensure_future(caller.read()), asyncio.ensure_future(_report(caller))]
        try:
            await caller.until(lambda: caller.heard_at, "the greeting")
            await caller.until(lambda: caller.floor == "nobody", "the end of the greeting")
            yield caller
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _report(caller: Caller) -> None:
    while True:
        await asyncio.sleep(0.1)
        await caller.report()


@dataclass(frozen=True)
class Loss:
    """What one loss cost."""

    moment: str
    gap_ms: float
    """From the cut (without one, from the question) to the next sound of the agent's answer."""
    apologies: int


async def turn(caller: Caller, cutter: Cutter, number: int, moment: str | None) -> Loss:
    """One question, with the line cut at `moment`, if at all; returns once the answer was heard."""
    tools, lines, sounded = len(caller.tools), len(caller.words), caller.heard_at
    asked_at = _cut(cutter) if moment == "quiet" else time.perf_counter()
    await caller.types(f"q{number}", QUESTIONS[number % len(QUESTIONS)])
    if moment == "asked":
        asked_at = _cut(cutter)
    await caller.until(lambda: _done(caller, tools), "the tool's result")
    if moment == "tool":
        asked_at = _cut(cutter)
    await caller.until(lambda: caller.heard_at > sounded, "the answer")
    gap_ms = (caller.heard_at - asked_at) * 1000
    if moment == "answered":
        await asyncio.sleep(0.5)  # it is made faster than it plays
    if moment in ("sounds", "answered"):
        gap_ms = await _next_sound(caller, _cut(cutter))
    await caller.until(lambda: caller.floor == "nobody", "the end of the answer")
    sorry = sum("sorry" in words.lower() for words in caller.words[lines:])
    return Loss(moment or "no loss", gap_ms, sorry)


def _cut(cutter: Cutter) -> float:
    """When it was cut."""
    at = time.perf_counter()
    cutter.cut()
    return at


async def _next_sound(caller: Caller, cut_at: float) -> float:
    """Milliseconds until more is heard; 0 where the answer had come to its end before the cut."""
    await asyncio.sleep(0.05)  # what was on its way when the line was cut
    sounded = caller.heard_at
    await caller.until(
        lambda: caller.heard_at > sounded or caller.floor == "nobody", "the rest of the answer"
    )
    return (caller.heard_at - cut_at) * 1000 if caller.heard_at > sounded else 0.0


def _done(caller: Caller, known: int) -> bool:
    return len(caller.tools) > known and list(caller.tools.values())[-1]["state"] == "done"
