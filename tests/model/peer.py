"""A remote realtime service on a free port, which does what a scene tells it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from switchboard.conversation.events import ModelEvent, ModelLost
from switchboard.conversation.legs import ModelLeg, ReplyAudio
from switchboard.conversation.session import SessionSpec
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from switchboard.model.profiles import AZURE_OPENAI, Capabilities

type Script = Callable[["Peer", ServerConnection], Awaitable[None]]

SPEC = SessionSpec(
    model="front desk/1",
    instructions="Be brief.",
    voice="marin",
    turn_detection={"type": "server_vad", "silence_duration_ms": 500},
)
EXPIRES_AT = 1_900_000_000


@dataclass
class Peer:
    """What the service saw."""

    endpoint: str = ""
    requests: list[Request] = field(default_factory=list[Request])
    heard: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The scene is over; a script that does nothing waits for it."""

    async def listen(self, socket: ServerConnection) -> dict[str, Any]:
        frame: dict[str, Any] = msgspec.json.decode(await socket.recv())
        self.heard.append(frame)
        return frame

    async def welcome(self, socket: ServerConnection) -> None:
        """The opening of every session: created, our update, updated."""
        session = {"id": "sess_1", "type": "realtime", "expires_at": EXPIRES_AT}
        await say(socket, "session.created", session=session)
        await self.listen(socket)
        await say(socket, "session.updated", session=session)

    async def listen_on(self, socket: ServerConnection) -> None:
        while True:
            await self.listen(socket)


async def welcome_and_listen(peer: Peer, socket: ServerConnection) -> None:
    """A service that does nothing else."""
    await peer.welcome(socket)
    await peer.listen_on(socket)


async def say(socket: ServerConnection, kind: str, /, **fields: object) -> None:
    frame = {"type": kind, "event_id": "event_1", **fields}
    await socket.send(msgspec.json.encode(frame), text=True)


@asynccontextmanager
async def serving(
    script: Script,
    *,
    refusals: Sequence[int] = (),
    refusal_body: bytes = b"",
    redirect_to: str = "",
    receive_buffer: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Peer]:
    """Runs `script` for each session, after refusing the first upgrades with these statuses."""
    peer = Peer()
    waiting = list(refusals)

    def gate(_: ServerConnection, request: Request) -> Response | None:
        peer.requests.append(request)
        if not waiting:
            return None
        headers = Headers({"Content-Length": str(len(refusal_body))})
        if redirect_to:
            headers["Location"] = redirect_to
        return Response(waiting.pop(0), "Refused", headers, refusal_body)

    async def session(opened: ServerConnection) -> None:
        with suppress(ConnectionClosed):  # hanging up is how every scene ends
            await script(peer, opened)

    listener = socket.create_server(("127.0.0.1", 0))
    if receive_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    async with serve(
        session, sock=listener, process_request=gate, close_timeout=0.2, ssl=tls
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        peer.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        try:
            yield peer
        finally:
            peer.over.set()


@dataclass
class FixedToken:
    """A token that is always there."""

    value: str = "a-secret-token"

    async def token(self, wait_s: float) -> str:
        return self.value


def line_to(peer: Peer, service: Capabilities = AZURE_OPENAI, **settings: float) -> Line:
    config = replace(ModelConfig(endpoint=peer.endpoint), **settings)
    return Line(config, FixedToken(), service=service)


async def until(event: type[Any], leg: ModelLeg) -> list[ModelEvent | ReplyAudio]:
    """What the leg says, up to and with the first of this kind."""
    said: list[ModelEvent | ReplyAudio] = []
    async with asyncio.timeout(20):
        async for fact in leg:
            said.append(fact)
            if isinstance(fact, event):
                return said
    raise AssertionError(f"the leg ended without {event.__name__}: {said}")


async def last_word(leg: ModelLeg) -> ModelLost:
    ended = (await until(ModelLost, leg))[-1]
    assert isinstance(ended, ModelLost)
    return ended


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  # the other end of a socket sets no event
            await asyncio.sleep(0.005)
