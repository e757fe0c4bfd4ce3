"""The other end of a link: a server of ours asks to see a call that is ours, to hear it, or
to speak in it."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import anyio
import msgspec
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.access.identity import address_of
from switchboard.access.rates import Places, Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import looks_like_ticket
from switchboard.browser.problems import Refusal
from switchboard.console import protocol as wire
from switchboard.console.calldesk import CallDesk, CallOver, NotPossible
from switchboard.console.feed import Streams
from switchboard.console.links import (
    BUSY,
    LINK_PATH,
    LINK_PROTOCOL,
    NOT_NOW,
    NOT_UNDERSTOOD,
    OVER,
    PULSE,
    SCHEME,
    Follow,
    Hear,
    Live,
    Sit,
    Topic,
    about,
)
from switchboard.console.listening import SocketEar
from switchboard.console.orders import acted_here
from switchboard.console.passes import Passes
from switchboard.console.register import Register
from switchboard.console.seat import SocketSeat
from switchboard.console.watched import Watched
from switchboard.errors import LinesBusy
from switchboard.extensions import ABORT
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

MOST: Final = 200
TOPIC_S: Final = 5.0
MOST_TOPIC_CHARS: Final = 8_192
STALL_S: Final = 20.0
OPEN_RATE: Final = Rate(20, 200)
"""Links of one address, good tickets or not."""
DONE: Final = (1000, "that was all")

MOST_REASON_BYTES: Final = 123
"""Of the words in a close frame."""

_topic: Final = msgspec.json.Decoder(Topic)


class LinkRoom:
    """Serves other servers. `passes` are of the kind `link`, `replica` is this server."""

    def __init__(self, register: Register, desk: CallDesk, passes: Passes, replica: str) -> None:
        self._register = register
        self._desk = desk
        self._passes = passes
        self._replica = replica
        self._places = Places(MOST)
        self._opening = Rates(OPEN_RATE)
        self._streams = Streams(MOST)

    async def open(self, socket: WebSocket) -> None:
        """`WS /api/replicas/link`, until one side leaves. Raises before it is accepted."""
        self._opening.check(address_of(socket))
        offered: list[str] = socket.scope.get("subprotocols", [])
        if LINK_PROTOCOL not in offered:
            raise Refusal(400, "unknown_protocol", f"This socket speaks {LINK_PROTOCOL}.")
        shown = socket.headers.get("authorization", "")
        ticket = shown.removeprefix(SCHEME)
        known = shown.startswith(SCHEME) and looks_like_ticket(ticket)
        if not known or not await self._passes.redeem(ticket, about(self._replica)):
            raise NotIdentified("This socket needs a ticket.")
        with self._places.take():
            await socket.accept(LINK_PROTOCOL)
            await self._serve(socket)

    async def _serve(self, socket: WebSocket) -> None:
        topic = await _topic_of(socket)
        await self._register.settle()
        match topic:
            case Live():
                await self._tell(
                    socket, self._streams.messages(self._register.feed, self._register.now)
                )
            case Follow(call=call_id):
                await self._follow(socket, call_id)
            case Hear() | Sit() as wish:
                await self._let_in(socket, wish)
            case None:
                await _close(socket, NOT_UNDERSTOOD)

    async def _follow(self, socket: WebSocket, call_id: str) -> None:
        watched = self._register.find(call_id)
        if watched is None:
            await _close(socket, OVER)
            return

        def now() -> wire.StreamMessage:
            try:
                can = self._desk.can(call_id)
            except CallOver:
                can = None
            return wire.DetailNow(watched.detail(can), self._register.now_s())

        await self._tell(socket, self._streams.messages(watched.feed, now))

    async def _let_in(self, socket: WebSocket, wish: Hear | Sit) -> None:
        try:
            match wish:
                case Hear():
                    await self._let_hear(socket, wish)
                case Sit():
                    await self._let_sit(socket, wish)
        except CallOver:
            await _close(socket, OVER)
        except NotPossible as why:
            await _close(socket, (NOT_NOW, _reason(why)))
        except LinesBusy as why:
            await _close(socket, (BUSY, _reason(why)))

    async def _let_hear(self, socket: WebSocket, wish: Hear) -> None:
        ear = SocketEar(socket)
        ear.muted(False)  # so that whoever asks learns that it is let in, before anybody speaks
        watched = self._found(wish.call)
        with self._desk.listening(wish.call, ear):
            watched.acted(acted_here(wish.acted, wish.at, watched, "taken"))
            await ear.run()

    async def _let_sit(self, socket: WebSocket, wish: Sit) -> None:
        seat = SocketSeat(socket)
        seat.muted(False)
        watched = self._found(wish.call)
        with self._desk.taking_over(wish.call, seat, wish.acted.by) as seat.mouth:
            watched.acted(acted_here(wish.acted, wish.at, watched, "taken"))
            self._register.tell(watched)
            await seat.run()

    def _found(self, call_id: str) -> Watched:
        watched = self._register.find(call_id)
        if watched is None:
            raise CallOver
        return watched

    async def _tell(
        self, socket: WebSocket, messages: AsyncGenerator[wire.StreamMessage | None]
    ) -> None:
        """Pass messages on, until they end or the other side is gone or does not read."""
        async with anyio.create_task_group() as tasks:

            async def write() -> None:
                try:
                    async with aclosing(messages) as told:
                        async for message in told:
                            with anyio.fail_after(STALL_S):
                                await socket.send_text(_frame(message))
                    await _close(socket, DONE)
                except TimeoutError:
                    socket.scope["extensions"][ABORT]["now"]()
                except (WebSocketDisconnect, RuntimeError, OSError):
                    pass  # it went while we were sending; servers disagree on how to say so
                tasks.cancel_scope.cancel()

            tasks.start_soon(quietly, write)
            # It has nothing to say: whoever speaks all the same is let go.
            if (await socket.receive())["type"] != "websocket.disconnect":
                await _close(socket, NOT_UNDERSTOOD)
            tasks.cancel_scope.cancel()


def link_routes(room: LinkRoom) -> APIRouter:
    """The room's route. It asks for a ticket that only a server of ours can have."""
    router = APIRouter()

    @router.websocket(LINK_PATH)
    async def link(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.open(socket)

    return router


def _frame(message: wire.StreamMessage | None) -> str:
    return PULSE if message is None else msgspec.json.encode(message).decode()


async def _topic_of(socket: WebSocket) -> Topic | None:
    """What the first frame says; `None` where it does not come, or says nothing."""
    with anyio.move_on_after(TOPIC_S):
        frame = await socket.receive()
        text = frame.get("text") or ""
        if frame["type"] != "websocket.receive" or len(text) > MOST_TOPIC_CHARS:
            return None
        try:
            return _topic.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return None
    return None


def _reason(why: Exception) -> str:
    return str(why).encode()[:MOST_REASON_BYTES].decode(errors="ignore")


async def _close(socket: WebSocket, why: tuple[int, str]) -> None:
    with anyio.move_on_after(1, shield=True):
        try:
            await socket.close(*why)
        except (RuntimeError, OSError):
            return
