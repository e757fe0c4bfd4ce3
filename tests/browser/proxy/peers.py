"""The other sides of the proxy: a scripted Voice Live, and clients over real sockets."""

import asyncio
import base64
import json
import logging
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from switchboard.access.identity import Authenticator, Identify, LocalOnly
from switchboard.access.origins import KnownHosts, Origins, loopback_origins
from switchboard.access.rates import Rate
from switchboard.browser.problems import REFUSALS, LastWord, answer_refusal
from switchboard.browser.proxy.relay import Tokens
from switchboard.browser.proxy.routes import ProxyConfig, ProxyRoom, proxy_routes
from switchboard.errors import ModelUnavailable
from switchboard.model.passage import PassageConfig, Passages
from switchboard.turns import Turns
from tests.browser.peers import serving

SERVER_TOKEN = "the-servers-own-token"
MIB = 1024 * 1024

type Script = Callable[["VoiceLive", ServerConnection], Awaitable[None]]


@dataclass
class VoiceLive:
    """What the service saw."""

    endpoint: str = ""
    requests: list[Request] = field(default_factory=list[Request])
    heard: list[str | bytes] = field(default_factory=list[str | bytes])
    closed: list[tuple[int | None, str | None]] = field(
        default_factory=list[tuple[int | None, str | None]]
    )
    """Close code and reason of each session, as the service received them."""
    answering: anyio.Event = field(default_factory=anyio.Event)
    """Upgrades are answered once it is set."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        return self.requests[-1].path

    @property
    def bearer(self) -> str:
        return self.requests[-1].headers["Authorization"]


async def listen(live: VoiceLive, session: ServerConnection) -> None:
    """Take everything down."""
    async for message in session:
        live.heard.append(message)


async def echo(live: VoiceLive, session: ServerConnection) -> None:
    async for message in session:
        live.heard.append(message)
        await session.send(message)


@asynccontextmanager
async def voice_live(
    script: Script = echo,
    *,
    refuse: int | None = None,
    location: str | None = None,
    hold: bool = False,
    receive_buffer: int | None = None,
) -> AsyncGenerator[VoiceLive]:
    """Runs `script` for each session; or answers each upgrade with the status `refuse`."""
    live = VoiceLive()
    if not hold:
        live.answering.set()

    async def gate(_: ServerConnection, request: Request) -> Response | None:
        live.requests.append(request)
        await live.answering.wait()
        if refuse is None:
            return None
        body = b"secret upstream detail"
        headers = Headers({"Content-Length": str(len(body))})
        if location is not None:
            headers["Location"] = location
        return Response(refuse, "Refused", headers, body)

    async def session(opened: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(live, opened)
        await opened.wait_closed()
        live.closed.append((opened.close_code, opened.close_reason))

    door = socket.create_server(("127.0.0.1", 0))
    if receive_buffer is not None:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    async with serve(
        session, sock=door, process_request=gate, close_timeout=0.2, max_size=64 * MIB, max_queue=4
    ):
        live.endpoint = f"http://127.0.0.1:{door.getsockname()[1]}"
        try:
            yield live
        finally:
            live.answering.set()
            live.over.set()


@dataclass
class OurIdentity:
    """The server's token, or none."""

    value: str | None = SERVER_TOKEN

    async def token(self, wait_s: float) -> str:
        if self.value is None:
            raise ModelUnavailable("no identity: secret detail", retryable=True)
        return self.value


@dataclass
class Door:
    """The proxy, served."""

    port: int
    room: ProxyRoom
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What it wrote down of each connection."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def dial(
        self,
        query: str = "model=gpt-realtime",
        *,
        origin: str | None = "",
        protocols: Sequence[str] = (),
        max_queue: int = 16,
    ) -> connect:
        """A client's socket about to open; `async with` it."""
        return connect(
            f"ws://127.0.0.1:{self.port}/ws" + (f"?{query}" if query else ""),
            origin=self.origin if origin == "" else origin,  # pyright: ignore[reportArgumentType]  (any text, good or bad)
            subprotocols=[Subprotocol(name) for name in protocols] or None,
            proxy=None,
            max_size=64 * MIB,
            max_queue=max_queue,
            open_timeout=60,
            close_timeout=3,
        )

    async def refusal(self, query: str = "model=m", **how: Any) -> tuple[int, dict[str, str]]:  # noqa: ANN401  (as `dial` takes it)
        """Status and problem of a socket that is not accepted."""
        try:
            async with self.dial(query, **how):
                raise AssertionError("it was accepted")
        except InvalidStatus as refused:
            body = refused.response.body or b""
            return refused.response.status_code, json.loads(body)

    async def ending(self, query: str = "model=m", **how: Any) -> tuple[int | None, str | None]:  # noqa: ANN401  (as `dial` takes it)
        """Close code and reason of a socket that says nothing."""
        async with self.dial(query, **how) as client:
            return await closed(client)

    async def until(self, happened: Callable[[], object], patience_s: float = 20) -> None:
        """Wait for something on another side."""
        with anyio.fail_after(patience_s):
            while not happened():  # noqa: ASYNC110  (plain facts, without events of their own)
                await anyio.sleep(0.005)


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """Its close code and reason, once it is closed."""
    with anyio.fail_after(20), suppress(ConnectionClosed):
        while True:
            await client.recv()
    return client.close_code, client.close_reason


def jwt(life_s: float = 3_600, **claims: object) -> str:
    """A user's token, as far as anybody but the service can tell."""
    payload = {"aud": "https://ai.azure.com", "exp": int(time.time() + life_s), **claims}
    parts = [json.dumps({"alg": "RS256"}), json.dumps(payload)]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@asynccontextmanager
async def proxy(
    live: VoiceLive,
    config: ProxyConfig | None = None,
    *,
    tokens: Tokens | None = None,
    own_tokens_only: bool = False,
    authenticator: Authenticator | None = None,
    ping_s: float = 20.0,
) -> AsyncGenerator[Door]:
    """The proxy alone, on a real port and the stack that the product uses, in front of `live`."""
    config = config or ProxyConfig(address_rate=Rate(1_000, 1_000), user_rate=Rate(1_000, 1_000))
    passages = Passages(PassageConfig(live.endpoint, "2026-07-15", config.relay.max_frame_bytes))
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    origins = Origins(loopback_origins(port))
    room = ProxyRoom(
        origins,
        open_service=passages.open,
        tokens=None if own_tokens_only else tokens or OurIdentity(),
        config=config,
    )
    app = FastAPI()
    app.include_router(proxy_routes(room, Identify(authenticator or LocalOnly(), Turns())))
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, answer_refusal)
    app.add_middleware(KnownHosts, hosts=origins.hosts)
    app.add_middleware(LastWord)
    served = Door(port, room)
    with _written_down(served.lines):
        async with serving(app, door, ping_s=ping_s):
            yield served


class _Notebook(logging.Handler):
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(dict(vars(record)))


@contextmanager
def _written_down(lines: list[dict[str, Any]]) -> Generator[None]:
    logger = logging.getLogger("switchboard.browser.proxy.relay")
    level, notebook = logger.level, _Notebook(lines)
    logger.addHandler(notebook)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(notebook)
        logger.setLevel(level)
