"""A scripted server for the page: speaks its protocol, and does what the test says."""

import asyncio
import base64
import math
import secrets
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles

from switchboard.browser import protocol
from switchboard.browser.protocol import AudioIn, PageMessage, Ready, ServerMessage

CSP = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self' ws://127.0.0.1:*; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CALL = "call_1"

CONFIG = protocol.PageConfig(
    version="0.1.0",
    agents=[
        protocol.AgentChoice(
            id="bank",
            title="Contoso Bank",
            tagline="Your accounts and cards, by voice",
            accent="#1f4e79",
            accent_dark="#8ec2f2",
            suggestions=["Block my card", "What is my balance?", "Show my last payments"],
            voice="marin",
            model="gpt-realtime",
        ),
        protocol.AgentChoice(
            id="telco",
            title="Contoso Telecom",
            tagline="Bills, data and faults, sorted while you talk",
            accent="#7a2e6a",
            accent_dark="#e8a6d8",
            suggestions=["Why is my bill higher?", "Is there an outage?"],
            voice="cedar",
            model="gpt-realtime",
        ),
    ],
    default_agent="bank",
    models=[
        protocol.ModelChoice(id="gpt-realtime", title="gpt-realtime"),
        protocol.ModelChoice(id="gpt-realtime-mini", title="gpt-realtime-mini"),
    ],
    voices=[
        protocol.VoiceChoice(id="marin", title="Marin"),
        protocol.VoiceChoice(id="cedar", title="Cedar"),
    ],
)


class Desk:
    """Everything a test may look at or do; its methods are safe from the test's thread."""

    def __init__(self, page: Path, axe: Path) -> None:
        self.address = ""
        self.received: list[PageMessage] = []
        self.placed: list[protocol.PlaceCall] = []
        self.tickets: set[str] = set()
        self.problem: tuple[int, protocol.Problem] | None = None
        self.config = CONFIG
        self.config_works = True
        self.joins = 0
        self.open_sockets = 0
        self.resumable = True
        self._axe = axe
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox: asyncio.Queue[ServerMessage | int] = asyncio.Queue()
        self.app = self._build(page)

    # -- what a test does -----------------------------------------------------------------------

    def say(self, *messages: ServerMessage) -> None:
        for message in messages:
            self._post(message)

    def drop(self, code: int = 1012) -> None:
        """Close the socket under the call."""
        self._post(code)

    def wait(self, done: Callable[[], bool], timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, f"waited {timeout_s} s; got {self.words()[-5:]}"
            time.sleep(0.005)

    def of[T: PageMessage](self, kind: type[T]) -> list[T]:
        return [message for message in list(self.received) if isinstance(message, kind)]

    def words(self) -> list[PageMessage]:
        return [message for message in list(self.received) if not isinstance(message, AudioIn)]

    def fresh(self) -> None:
        """Forget what other tests left behind, and let no page of theirs come back."""
        self.tickets.clear()
        self.wait(lambda: self.open_sockets == 0)
        self.received.clear()
        self.placed.clear()
        self.problem = None
        self.config_works = True
        self.resumable = True
        self.joins = 0
        self._outbox = asyncio.Queue()

    # -- the server -----------------------------------------------------------------------------

    def _post(self, item: ServerMessage | int) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._outbox.put_nowait, item)

    def _build(self, page: Path) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.middleware("http")(_strict)
        app.get("/api/config")(self._config)
        app.post("/api/calls")(self._place)
        app.get("/axe.js")(self._axe_source)
        app.websocket("/api/calls/{call}/audio")(self._socket)
        self._add_routes(app)
        app.mount("/", StaticFiles(directory=page, html=True))
        return app

    def _add_routes(self, app: FastAPI) -> None:
        """For a desk that can do more."""

    async def _config(self) -> Response:
        if not self.config_works:
            return as_json(protocol.Problem(code="broken", text="Broken."), 500)
        return as_json(self.config)

    async def _axe_source(self) -> Response:
        return Response(self._axe.read_bytes(), media_type="text/javascript")

    async def _place(self, request: Request) -> Response:
        self.placed.append(msgspec.json.decode(await request.body(), type=protocol.PlaceCall))
        if self.problem is not None:
            status, problem = self.problem
            return as_json(problem, status)
        placed = protocol.CallPlaced(
            call=CALL,
            socket=f"/api/calls/{CALL}/audio",
            ticket=self._ticket(),
            expires_in_seconds=30,
        )
        return as_json(placed, 201)

    def _ticket(self) -> str:
        ticket = secrets.token_urlsafe(24)
        self.tickets.add(ticket)
        return ticket

    async def _socket(self, ws: WebSocket) -> None:
        version, ticket = ws.scope["subprotocols"]
        assert version == "switchboard.v1"
        word = ticket.removeprefix("ticket.")
        if word not in self.tickets or (self.joins and not self.resumable):
            await ws.close(4401)
            return
        self.tickets.discard(word)
        self.open_sockets += 1  # before anything is waited for: whoever was let in counts
        try:
            await ws.accept(subprotocol=version)
            self.joins += 1
            ready = Ready(
                call=CALL, resume=self._ticket(), reattach_seconds=3, resumed=self.joins > 1
            )
            await ws.send_text(as_text(ready))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._speak, ws)
                await self._listen(ws)
                tasks.cancel_scope.cancel()
        finally:
            self.open_sockets -= 1

    async def _listen(self, ws: WebSocket) -> None:
        try:
            while True:
                frame = await ws.receive_text()
                message = msgspec.json.decode(frame, type=PageMessage)
                self.received.append(message)
                if isinstance(message, protocol.Ping):
                    await ws.send_text(as_text(protocol.Pong(at=message.at)))
        except WebSocketDisconnect:
            return

    async def _speak(self, ws: WebSocket) -> None:
        while True:
            item = await self._outbox.get()
            if isinstance(item, int):
                await ws.close(item)
                return
            await ws.send_text(as_text(item))

    @contextmanager
    def serving(self) -> Generator[None]:
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(self.app, log_level="error", lifespan="off", ws_max_size=65_536)
        )

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="desk")
        thread.start()
        try:
            self.wait(lambda: server.started)
            yield
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            listener.close()


async def _strict(request: Request, call_next: Callable[[Request], Any]) -> Response:
    response: Response = await call_next(request)
    response.headers["content-security-policy"] = CSP
    response.headers["x-content-type-options"] = "nosniff"
    return response


def as_json(value: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def as_text(message: ServerMessage) -> str:
    return msgspec.json.encode(message).decode()


def murmur(ms: int) -> list[str]:
    """Base64 frames of 20 ms that swell and fade like syllables, so that its line looks alive."""
    rise = [math.sin(math.pi * (at % 240) / 240) ** 2 for at in range(0, ms, 20)]
    loud = [0.3 + 0.7 * abs(math.sin(at / 700)) for at in range(0, ms, 20)]
    return [tone(20, int(7_000 * a * b)) for a, b in zip(rise, loud, strict=True)]


def tone(ms: int, height: int = 3_000) -> str:
    """Base64 of `ms` of a quiet square wave at 24 kHz: audible, and not silence anywhere."""
    cycle = height.to_bytes(2, "little", signed=True) * 30
    cycle += (-height).to_bytes(2, "little", signed=True) * 30
    size = 24 * ms * 2
    return base64.b64encode((cycle * (size // len(cycle) + 1))[:size]).decode()
