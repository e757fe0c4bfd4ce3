"""A page that talks over WebRTC: real media by aiortc, an event stream, messages by POST."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from switchboard.app import create_app
from switchboard.house import House
from switchboard.settings import Settings
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.browser.peers import serving
from tests.local.realtime.doubles import last_words
from tests.local.webrtc.caller import Caller, Mouth, offered

ROOT = Path(__file__).parents[3]
PATIENCE_S = 20
LONG = "I can tell you about cards and accounts, and much besides, for as long as you like."

type Event = dict[str, Any]


def clerk(request: Request) -> Sequence[Thought]:
    """A bank's clerk: greets, looks a balance up, blocks a card when the house lets him."""
    said = last_words(request)
    if request.response_instructions:
        return [Say("Good day.")]
    if said.startswith("result"):
        return [Say("Shall I?" if "confirm" in said else "It is done.")]
    if "balance" in said:
        return [Call("get_balance", "{}")]
    if "block" in said or "go ahead" in said:
        return [Call("block_card", '{"card": "4417"}')]
    return [Say(LONG)]


@dataclass
class Stream:
    """One event stream of a page, and what it has said."""

    came: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])
    pings: int = 0
    over: bool = False
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _read: int = 0

    async def until(self, wanted: Callable[[Event], object] | str) -> Event:
        """The next event that is wanted; those before it are passed over."""

        def found(event: Event) -> object:
            return event["type"] == wanted if isinstance(wanted, str) else wanted(event)

        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._read < len(self.came):
                    self._read += 1
                    if found(self.came[self._read - 1][1]):
                        return self.came[self._read - 1][1]
                assert not self.over, f"the stream ended: {[kind for _, kind in self.came[-3:]]}"
                self.stirred.clear()
                await self.stirred.wait()

    async def ended(self) -> list[Event]:
        """Everything, once the stream has closed."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.over:
                self.stirred.clear()
                await self.stirred.wait()
        return [event for _, event in self.came]

    def take(self, line: str, number: int) -> int:
        """One line of the stream; returns the event's number as known so far."""
        if line.startswith("id: "):
            return int(line.removeprefix("id: "))
        if line.startswith("data: "):
            self.came.append((number, json.loads(line.removeprefix("data: "))))
        self.pings += line.startswith(": ping")
        self.stirred.set()
        return number


@dataclass
class RtcPage:
    """A page in a call."""

    http: httpx.AsyncClient
    placed: dict[str, Any]
    caller: Caller
    """Its microphone and its ear."""
    everything: list[str]
    """Every body that the product has answered with."""

    @property
    def ticket(self) -> dict[str, str]:
        return {"Switchboard-Ticket": self.placed["ticket"]}

    @asynccontextmanager
    async def stream(self, since: int | None = None) -> AsyncGenerator[Stream]:
        stream = Stream()
        headers = self.ticket if since is None else {**self.ticket, "Last-Event-ID": str(since)}

        async def read(answer: httpx.Response) -> None:
            number = 0
            with suppress(httpx.TransportError):
                async for line in answer.aiter_lines():
                    self.everything.append(line)
                    number = stream.take(line, number)
            stream.over = True
            stream.stirred.set()

        async with self.http.stream("GET", self.placed["events"], headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            reading = asyncio.create_task(read(answer))
            yield stream
            reading.cancel()

    async def post(self, what: str, **body: object) -> httpx.Response:
        answer = await self.http.post(self.placed[what], json=body, headers=self.ticket)
        self.everything.append(answer.text)
        return answer

    async def say(self, type_: str, /, **fields: object) -> None:
        answer = await self.post("messages", type=type_, **fields)
        assert answer.status_code == 204, answer.text

    async def media_gone(self) -> None:
        """Until the service has hung up."""
        async with asyncio.timeout(PATIENCE_S):
            await self.caller.over.wait()


@dataclass
class Product:
    """It, being served."""

    house: House
    http: httpx.AsyncClient
    everything: list[str] = field(default_factory=list[str])

    async def place(self, offer: str, **body: object) -> httpx.Response:
        wanted = {"agent": "banking", "offer": offer, **body}
        answer = await self.http.post("/api/calls", json=wanted)
        self.everything.append(answer.text)
        return answer

    @asynccontextmanager
    async def calling(self, **body: object) -> AsyncGenerator[RtcPage]:
        """A page whose media are connected; it has no stream yet."""
        async with connection(self.everything) as (peer, mouth):
            answer = await self.place(await offered(peer), **body)
            assert answer.status_code == 201, answer.text
            caller = Caller(peer, answer.json()["call"], mouth)
            listening = await connect(peer, caller, answer.json()["answer"])
            yield RtcPage(self.http, answer.json(), caller, self.everything)
            await peer.close()
            await listening

    async def quiet(self) -> None:
        """Until no call is left."""
        async with asyncio.timeout(PATIENCE_S):
            while self.house.switchboard.live():  # noqa: ASYNC110 - a fact without an event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def connection(
    told: list[str] | None = None,
) -> AsyncGenerator[tuple[RTCPeerConnection, Mouth]]:
    """One that is about to offer. `told` gets what the service says on its data channel."""
    peer, mouth = RTCPeerConnection(RTCConfiguration(iceServers=[])), Mouth()
    peer.addTrack(mouth)
    channel = peer.createDataChannel("oai-events")
    if told is not None:
        channel.on("message", told.append)
    try:
        yield peer, mouth
    finally:
        await peer.close()


async def connect(peer: RTCPeerConnection, caller: Caller, answer: str) -> asyncio.Task[None]:
    """Until the media flow. The task listens as long as they do."""
    up = asyncio.Event()

    def changed() -> None:
        if peer.connectionState == "connected":
            up.set()

    peer.on("connectionstatechange", changed)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    listening = asyncio.create_task(caller.listen(peer.getReceivers()[0].track))
    async with asyncio.timeout(PATIENCE_S):
        await up.wait()
    return listening


@dataclass
class Relay:
    """Stands where the product believes the service to be, and can be cut."""

    port: int = 0
    wires: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def cut(self) -> None:
        """Every connection breaks; new ones are let through."""
        for wire in self.wires:
            wire.transport.abort()


@asynccontextmanager
async def relay_to(port: int) -> AsyncGenerator[Relay]:
    relay = Relay()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay.wires.add(writer)
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        relay.wires.discard(writer)
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, there), carry(there_reader, writer))

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        relay.port = server.sockets[0].getsockname()[1]
        yield relay
        relay.cut()


@asynccontextmanager
async def product(
    data_dir: Path,
    endpoint: str | None,
    *,
    door: socket.socket | None = None,
    ping_s: float = 20.0,
    **settings: object,
) -> AsyncGenerator[Product]:
    """The product, nothing in it replaced, on a service at `endpoint`.

    `door`: where it listens, for those who must know before it is built.
    """
    door = door or socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    given = {
        "port": port,
        "data_dir": data_dir,
        "session_config": ROOT / "session_config.json",
        "azure_openai_endpoint": endpoint,
        "reattach_seconds": 2,
    }
    app = create_app(Settings.model_validate({**given, **settings}))
    origin = f"http://127.0.0.1:{port}"
    async with (
        serving(app, door, ping_s=ping_s),
        httpx.AsyncClient(
            base_url=origin, headers={"Origin": origin}, trust_env=False, timeout=PATIENCE_S
        ) as http,
    ):
        async with asyncio.timeout(PATIENCE_S):
            while (await http.get("/health")).status_code != 200:  # noqa: ASYNC110 - its first token
                await asyncio.sleep(0.01)
        yield Product(app.state.house, http)
