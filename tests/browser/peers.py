"""The other sides of the browser's room: a real server, a real client, a scripted exchange."""

import asyncio
import base64
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from switchboard.access.identity import Authenticator, Identify, LocalOnly
from switchboard.access.origins import KnownHosts, Origins, loopback_origins
from switchboard.access.principal import Principal
from switchboard.access.standing import Verify, nobody_verifies
from switchboard.access.tickets import TicketOffice
from switchboard.browser.problems import REFUSALS, answer_refusal
from switchboard.browser.protocol import (
    MAX_FRAME_BYTES,
    SUBPROTOCOL,
    TICKET_PREFIX,
    AgentChoice,
    ModelChoice,
    PageConfig,
    PhoneChoice,
    VoiceChoice,
)
from switchboard.browser.requests import BoundedRequests
from switchboard.browser.routes import BrowserConfig, BrowserRoom, browser_routes
from switchboard.browser.sockets import BoundedSockets
from switchboard.conversation.events import CallerEvent, CallerLeft
from switchboard.conversation.legs import CallerAudio, CallerLeg, Line
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.records.store import Store, sqlite_url
from switchboard.records.tickets import TicketTable
from switchboard.turns import Turns

FRAME = base64.b64encode(bytes(960)).decode()
"""20 ms of silence."""

CHOICES = PageConfig(
    version="test",
    agents=[AgentChoice("bank", "Bank", "", "#000000", "#ffffff", [], "marin", "gpt-realtime")],
    default_agent="bank",
    models=[ModelChoice("gpt-realtime", "Realtime")],
    voices=[VoiceChoice("marin", "Marin")],
)


class ScriptedExchange:
    """Takes down what each leg says; tests push into `leg`."""

    def __init__(self) -> None:
        self.placed: list[str] = []
        self.cancelled: list[str] = []
        self.gone: set[str] = set()
        self.events: list[CallerEvent | CallerAudio] = []
        self.legs: list[CallerLeg] = []
        self.left: list[str] = []
        """Calls whose leg has gone, in order."""
        self.lines = 1_000
        self.pace_s = 0.0
        """How long it takes to hear one event."""

    @property
    def leg(self) -> CallerLeg:
        return self.legs[-1]

    async def book(self, principal: Principal) -> str | None:
        return None

    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        line: Line | None = None,
        call_id: str | None = None,
    ) -> str:
        if len(self.placed) >= self.lines:
            raise LinesBusy("Every line is taken.")
        self.placed.append(f"call-{len(self.placed)}")
        return self.placed[-1]

    def adopt(self, call_id: str, **_: Any) -> bool:  # noqa: ANN401  (as each room adopts)
        return False

    async def carry(self, call_id: str, leg: CallerLeg) -> None:
        if call_id in self.gone:
            raise NotAllowed("This call has ended.")
        self.legs.append(leg)
        try:
            async for event in leg:
                self.events.append(event)
                if isinstance(event, CallerLeft):
                    self.gone.add(call_id)
                    await leg.close(event.reason)
                if self.pace_s:
                    await anyio.sleep(self.pace_s)
        finally:
            self.left.append(call_id)

    def cancel(self, call_id: str) -> None:
        self.cancelled.append(call_id)


@dataclass
class House:
    """A served browser room."""

    port: int
    exchange: ScriptedExchange
    tickets: TicketOffice
    http: httpx.AsyncClient = field(init=False)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def place(self, **body: object) -> dict[str, Any]:
        answer = await self.http.post("/api/calls", json={"agent": "bank", **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def dial(
        self,
        placed: dict[str, Any],
        *,
        ticket: str | None = None,
        origin: str | None = None,
        protocols: list[str] | None = None,
        max_queue: int = 16,
    ) -> connect:
        """A socket about to open; `async with` it."""
        names = protocols or [SUBPROTOCOL, TICKET_PREFIX + (ticket or placed["ticket"])]
        return connect(
            f"ws://127.0.0.1:{self.port}{placed['socket']}",
            origin=origin or self.origin,  # pyright: ignore[reportArgumentType]  (any text, good or bad)
            subprotocols=[Subprotocol(name) for name in names],
            proxy=None,
            open_timeout=60,
            max_queue=max_queue,
        )

    @asynccontextmanager
    async def talking(self, *, max_queue: int = 16) -> AsyncGenerator["Page"]:
        """A page on a fresh call, greeted."""
        async with self.dial(await self.place(), max_queue=max_queue) as opened:
            page = Page(opened)
            page.ready = await page.next("ready")
            yield page

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait for something on the server's side."""
        with anyio.fail_after(20):
            while not happened():  # noqa: ASYNC110  (plain facts, without events of their own)
                await anyio.sleep(0.005)


@dataclass
class Page:
    """A page's half of a socket."""

    socket: ClientConnection
    ready: dict[str, Any] = field(default_factory=dict[str, Any])

    async def say(self, type_: str, /, **fields: object) -> None:
        await self.socket.send(msgspec.json.encode({"type": type_, **fields}).decode())

    async def next(self, type_: str | None = None) -> dict[str, Any]:
        """The next message, or the next one of a type."""
        with anyio.fail_after(20):
            while True:
                message = msgspec.json.decode(await self.socket.recv())
                if type_ in (None, message["type"]):
                    return message

    async def closed(self) -> tuple[int, list[dict[str, Any]]]:
        """The close code, and what was said before."""
        said: list[dict[str, Any]] = []
        with anyio.fail_after(20):
            try:
                while True:
                    said.append(msgspec.json.decode(await self.socket.recv()))
            except ConnectionClosed:
                return self.socket.close_code or 0, said


@dataclass
class Setting:
    """What a scene may change about the house."""

    config: BrowserConfig = field(default_factory=BrowserConfig)
    authenticator: Authenticator = field(default_factory=LocalOnly)
    open_s: float = 30.0
    phone: Callable[[Principal], PhoneChoice | None] = lambda _: None
    verify: Verify = nobody_verifies


@asynccontextmanager
async def serving(
    app: FastAPI, door: socket.socket, *, ping_s: float = 20.0
) -> AsyncGenerator[None]:
    """`app` answers at `door` while the block runs, on the stack that the product uses."""
    config = uvicorn.Config(
        app,
        log_config=None,
        http=BoundedRequests,
        ws=BoundedSockets,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        timeout_graceful_shutdown=1,
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    # No task group: a fixture is left in another task than it was entered in.
    served = asyncio.create_task(server.serve([door]))
    try:
        with anyio.fail_after(20):
            while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
                await anyio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await served


@asynccontextmanager
async def house(data_dir: Path, setting: Setting | None = None) -> AsyncGenerator[House]:
    """The browser's room alone, on a real port, with a scripted exchange behind it."""
    setting = setting or Setting()
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    async with Store(sqlite_url(data_dir)).opened() as store:
        exchange = ScriptedExchange()
        tickets = TicketOffice(TicketTable(store), open_s=setting.open_s)
        origins = Origins(loopback_origins(port))
        room = BrowserRoom(
            exchange,
            tickets,
            origins,
            page_config=lambda: CHOICES,
            title_of=lambda name: f"Title of {name}",
            config=setting.config,
            phone=setting.phone,
            verify=setting.verify,
        )
        app = FastAPI()
        app.include_router(browser_routes(room, Identify(setting.authenticator, Turns())))
        for refusal in REFUSALS:
            app.add_exception_handler(refusal, answer_refusal)
        app.add_middleware(KnownHosts, hosts=origins.hosts)
        served = House(port, exchange, tickets)
        async with (
            serving(app, door),
            httpx.AsyncClient(
                base_url=served.origin, headers={"Origin": served.origin}, trust_env=False
            ) as http,
        ):
            served.http = http
            yield served
