"""Links: a WebSocket from the server that asks to the one that carries a call.

One link is about one thing (`Topic`, its first frame), so that voices never wait behind words. The
one that carries the call answers in the frames that a page of its own would get: messages of the
event streams, or those of a listener or of a seat. Frames go both ways.
"""

import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.typing import Subprotocol

from switchboard.access.peers import is_fit
from switchboard.console import protocol as wire
from switchboard.console.passes import Passes
from switchboard.records.whereabouts import Peer

logger = logging.getLogger(__name__)

LINK_PATH: Final = "/api/replicas/link"
LINK_PROTOCOL: Final = "switchboard.link.v1"
SCHEME: Final = "Ticket "
"""Of the `Authorization` header: a server can send one, and no page can."""
OPEN_S: Final = 5.0
CLOSE_S: Final = 1.0
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one frame: a long call as it stands."""
PULSE: Final = '{"type":"pulse"}'
"""A sign of life, where there is nothing else to say."""
NO_ADDRESS: Final = "The server that carries this call has no address at which this one reaches it."
NOT_REACHED: Final = "The server that carries this call cannot be reached from this one."
NOT_KNOWN: Final = "The server that carries this call is of another version and cannot do that."
NOT_UNDERSTOOD: Final = (1008, "not understood")
OVER: Final = (1000, "the call has ended")
BUSY: Final = 1013
"""Somebody else has the place that was asked for; the reason says so in words."""
NOT_NOW: Final = 4409
"""The call cannot do that; the reason says why."""

_message: Final = msgspec.json.Decoder(wire.StreamMessage)


class OutOfReach(Exception):
    """There is no link to the other server, or it was lost. The message is safe to show."""


class _Topic(msgspec.Struct, frozen=True, tag_field="type", rename="camel"):
    """What a link is about: its first frame."""


class Live(_Topic, frozen=True, tag="live"):
    """All live calls of the server."""


class Follow(_Topic, frozen=True, tag="follow"):
    """One of them."""

    call: str


class Hear(_Topic, frozen=True, tag="hear"):
    """Both its voices, for an operator whose deed is written down."""

    call: str
    acted: wire.Acted
    at: float
    """Of the deed, epoch seconds."""


class Sit(_Topic, frozen=True, tag="sit"):
    """The agent's place in it, for an operator whose deed is written down."""

    call: str
    acted: wire.Acted
    at: float
    """Of the deed, epoch seconds."""


Topic = Live | Follow | Hear | Sit


async def told(link: ClientConnection) -> AsyncGenerator[wire.StreamMessage | None]:
    """What the other server says of its calls, to the end of it; `None` for a sign of life.

    Raises `ConnectionClosed` where it is lost.
    """
    while True:
        try:
            frame = await link.recv()
        except ConnectionClosedOK:
            return
        try:
            yield None if frame == PULSE else _message.decode(frame)
        except (msgspec.MsgspecError, RecursionError):
            logger.warning("another server is not understood")  # a newer one


class Links:
    """Opens links. `passes` are of the kind `link`, `replica` is this server."""

    def __init__(self, passes: Passes, replica: str) -> None:
        self._passes = passes
        self._replica = replica
        # At debug level the library writes every header and frame, the ticket among them.
        self._wire_log = logging.getLogger(f"{__name__}.wire")
        self._wire_log.setLevel(logging.INFO)

    @asynccontextmanager
    async def open(self, peer: Peer, topic: Topic) -> AsyncGenerator[ClientConnection]:
        """A link about `topic`, closed when the block ends. Raises `OutOfReach`."""
        if peer.url is None or not is_fit(peer.url):
            raise OutOfReach(NO_ADDRESS)
        try:
            with anyio.fail_after(OPEN_S):
                opened = await self._dial(peer.url, peer.id)
                await opened.send(msgspec.json.encode(topic).decode())
        except Exception as reason:  # noqa: BLE001  (it, or the database with the ticket)
            extra = {"replica": peer.id, "error": type(reason).__name__}
            logger.info("another server is not reached", extra=extra)
            raise OutOfReach(NOT_REACHED) from None
        try:
            yield opened
        except ConnectionClosed:
            raise OutOfReach(NOT_REACHED) from None
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                await opened.close()
            opened.transport.abort()

    async def _dial(self, url: str, replica: str) -> ClientConnection:
        ticket = await self._passes.issue(about(replica), self._replica)
        address = url.rstrip("/").replace("http", "ws", 1) + LINK_PATH
        how: dict[str, Any] = {"proxy": None}
        if url.startswith("https"):
            how["ssl"] = ssl.create_default_context()
        return await connect(
            address,
            additional_headers={"Authorization": SCHEME + ticket},
            subprotocols=[Subprotocol(LINK_PROTOCOL)],
            user_agent_header="switchboard",
            compression=None,
            open_timeout=None,  # the caller has one
            ping_interval=5.0,
            ping_timeout=5.0,
            close_timeout=CLOSE_S,
            max_size=MOST_BYTES,
            max_queue=32,
            logger=self._wire_log,
            **how,
        )


def about(replica: str) -> str:
    """What a link's pass is about: the server that it may be shown to. No call's id looks so."""
    return f"link:{replica}"
