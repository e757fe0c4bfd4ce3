"""One proxied connection: a client's socket and the service's, and what passes between them.

Messages pass one at a time and are never read: a side that is slow pauses the other. Whatever ends
the connection does so through `_end`: the first reason counts, and both sides hear of it.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple, Protocol

import anyio
import anyio.lowlevel
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.access.rates import Bucket, Rate
from switchboard.access.standing import GRACE_S
from switchboard.browser.leg import Close
from switchboard.browser.proxy import closing
from switchboard.browser.proxy.early import EarlyMessages, size_bytes
from switchboard.browser.proxy.wanted import Wanted
from switchboard.errors import ModelUnavailable
from switchboard.extensions import ABORT, shortcut
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

BREATH: Final = 32
"""Messages after which other connections get their turn, however many are at hand."""
SOONEST_S: Final = 0.05
"""Between two looks at whether a connection is over."""


class Service(Protocol):
    """An open socket of the service. Iterating it ends when it is closed."""

    def __aiter__(self) -> AsyncIterator[str | bytes]: ...
    async def send(self, frame: str | bytes) -> None: ...
    def send_at_once(self, frame: str | bytes) -> bool:
        """If that takes no waiting; else `False`, and nothing is sent."""
        ...

    async def close(self, code: int, reason: str) -> None: ...
    @property
    def ending(self) -> tuple[int, str]:
        """Close code and reason; 1006 if it was lost."""
        ...


type OpenService = Callable[[Sequence[tuple[str, str]], str], AbstractAsyncContextManager[Service]]
"""From the query and the bearer token to an open socket. Raises `ModelUnavailable`."""


class Tokens(Protocol):
    """The server's identity."""

    async def token(self, wait_s: float) -> str:
        """A valid token. Raises `ModelUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Of one connection."""

    max_frame_bytes: int = 4 * 1024 * 1024
    """A larger message of the client closes it (1009)."""
    early_bytes: int = 1024 * 1024
    """Said before the service is there; beyond it the client is paused."""
    idle_s: float = 300.0
    """Without a message from either side."""
    lifetime_s: float = 3_600.0
    stall_s: float = 15.0
    """One message that cannot be sent for so long means nobody reads."""
    dial_s: float = 10.0
    """Token, TLS and upgrade together."""
    messages: Rate = field(default=Rate(500, 2_000))
    """Of the client. One that says more is slowed down."""
    close_s: float = 1.0
    """For the last words to leave."""


class Ending(NamedTuple):
    """Who ended it, and what each side is told."""

    by: str
    client: Close
    service: Close


class Relay:
    """Joins an accepted socket to the service, until one of them leaves."""

    def __init__(
        self,
        socket: WebSocket,
        wanted: Wanted,
        *,
        principal_id: str,
        open_service: OpenService,
        tokens: Tokens | None,
        limits: RelayLimits,
        until: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`until`: when the token ends that let its user in, epoch seconds. Nothing is said here
        that is not the service's, so no other can be shown."""
        ends = [] if until is None else [until + GRACE_S]
        if wanted.token is not None:
            ends.append(wanted.token.expires_at)
        self._until = min(ends, default=inf)
        self._socket = socket
        self._wanted = wanted
        self._principal_id = principal_id
        self._open_service = open_service
        self._tokens = tokens
        self._limits = limits
        self._clock = clock
        self._began = self._last_message = clock()
        self._pace = Bucket(limits.messages.per_second, limits.messages.burst, self._began)
        self._early = EarlyMessages(limits.early_bytes)
        self._service: Service | None = None
        self._work = anyio.CancelScope()
        self._ending: Ending | None = None
        self._is_waiting = False
        """For the client's next message: nothing it said is on its way."""
        self._is_gone = False
        """The client has closed its socket, or lost it."""
        self._sending_up: float | None = None
        self._sending_down: float | None = None
        self._status: int | None = None
        self._fault: str | None = None
        self._messages = {"up": 0, "down": 0}
        self._bytes = {"up": 0, "down": 0}

    async def run(self) -> None:
        """Carry messages both ways; leaves one line in the log."""
        try:
            with self._work:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(quietly, self._watch)
                    tasks.start_soon(quietly, self._listen)
                    await self._serve()
        finally:
            self._end("server", closing.FAULT)  # unless something else has
            await self._leave_client()
            self._write_down()

    def stop(self) -> None:
        """The server is being stopped."""
        self._end("server", closing.STOPPING)

    # -- upwards ----------------------------------------------------------------------------

    async def _listen(self) -> None:
        shortcut(self._socket.scope, self._pass_up_at_once)
        while True:
            self._is_waiting = True
            message = await self._socket.receive()
            self._is_waiting = False
            if message["type"] == "websocket.disconnect":
                self._client_left(message)
                return
            text = message.get("text")
            heard = text if text is not None else message["bytes"]
            await self._slow_down()
            await self._pass_up(heard)

    def _pass_up_at_once(self, message: str | bytes) -> bool:
        """Most messages go this way: no queue, no task, half the cost. False: it must wait."""
        if not self._is_waiting or self._service is None or self._ending is not None:
            return False
        if not (self._pace.take(self._clock()) and self._service.send_at_once(message)):
            return False
        self._note("up", message)
        return True

    async def _slow_down(self) -> None:
        if not self._pace.take(self._clock()):
            await anyio.sleep(self._pace.wait_s())
            self._pace.take(self._clock())

    async def _pass_up(self, message: str | bytes) -> None:
        await self._count("up", message)
        while self._service is None and not self._early.fits(message):
            await self._early.freed()
        if self._service is None:
            self._early.keep(message)
        else:
            await self._send_up(self._service, message)

    async def _send_up(self, service: Service, message: str | bytes) -> None:
        self._sending_up = self._clock()
        await service.send(message)
        self._sending_up = None

    # -- downwards --------------------------------------------------------------------------

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            service = await self._dial(stack)
            if service is None:
                return
            try:
                await self._join(service)
            finally:
                await self._leave_both(service)

    async def _dial(self, stack: AsyncExitStack) -> Service | None:
        try:
            with anyio.fail_after(self._limits.dial_s):
                bearer = await self._bearer()
                if bearer is None:
                    return self._end("server", closing.NO_IDENTITY)
                return await stack.enter_async_context(
                    self._open_service(self._wanted.query, bearer)
                )
        except TimeoutError:
            return self._end("service", closing.NO_ANSWER)
        except ModelUnavailable as refusal:
            self._status, self._fault = refusal.status, type(refusal.__cause__).__name__
            return self._end("service", closing.refused(refusal.status))

    async def _bearer(self) -> str | None:
        if self._wanted.token is not None:
            return self._wanted.token.value
        try:
            return await self._tokens.token(self._limits.dial_s) if self._tokens else None
        except ModelUnavailable:
            return None

    async def _join(self, service: Service) -> None:
        while self._early:
            await self._send_up(service, self._early.take())
        self._service = service  # nothing waits, so what comes next may go straight through
        async for message in service:
            await self._count("down", message)
            await self._send_down(message)
        code, reason = service.ending
        self._end("service", closing.carried(code, reason, lost=closing.SERVICE_LOST))

    async def _send_down(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        self._sending_down = self._clock()
        try:
            await self._socket.send({"type": "websocket.send", kind: message})
        except (WebSocketDisconnect, RuntimeError, OSError):
            # It went while we were sending; servers disagree on how to say so. `_listen` knows why.
            await anyio.sleep(self._limits.close_s)
            self._client_left({"code": 1006})
        self._sending_down = None

    # -- both -------------------------------------------------------------------------------

    def _note(self, way: str, message: str | bytes) -> None:
        self._last_message = self._clock()
        self._bytes[way] += size_bytes(message)
        self._messages[way] += 1

    async def _count(self, way: str, message: str | bytes) -> None:
        self._note(way, message)
        if self._messages[way] % BREATH == 0:
            await anyio.lowlevel.checkpoint()

    async def _watch(self) -> None:
        """End a connection that is over, says nothing, or takes nothing."""
        while True:
            await anyio.sleep(self._until_next_look())
            now = self._clock()
            if self._until <= time.time():
                self._end("limit", closing.TOKEN_OVER)
            elif now - self._began > self._limits.lifetime_s:
                self._end("limit", closing.OVER)
            elif self._is_stalled(self._sending_down, now):
                self._end("limit", closing.TOO_SLOW)
            elif self._is_stalled(self._sending_up, now):
                self._end("limit", closing.SERVICE_TOO_SLOW)
            elif now - self._last_message > self._limits.idle_s:
                self._end("limit", closing.IDLE)

    def _until_next_look(self) -> float:
        """Seldom: with a thousand idle connections this is what costs."""
        rest = min(self._limits.idle_s / 4, self._limits.stall_s / 4)
        rest = min(rest, self._until - time.time())
        return max(rest, SOONEST_S)

    def _is_stalled(self, since: float | None, now: float) -> bool:
        return since is not None and now - since > self._limits.stall_s

    def _client_left(self, message: Message) -> None:
        self._is_gone = True
        code = message["code"]
        if "reason" not in message and code == 1005:
            code = 1006  # uvicorn calls a lost connection that; a closed one has a reason, if empty
        reason = message.get("reason") or ""
        told = closing.carried(code, reason, lost=closing.LEFT)
        self._end("client", Close(code, reason), told)

    def _end(self, by: str, client: Close, service: Close = closing.AWAY) -> None:
        if self._ending is None:
            self._ending = Ending(by, client, service)
            self._work.cancel()

    async def _leave_both(self, service: Service) -> None:
        # Shielded: a cancelled connection says goodbye, too, but not for long.
        with anyio.move_on_after(self._limits.close_s, shield=True):
            self._end("server", closing.FAULT)
            async with anyio.create_task_group() as goodbyes:
                goodbyes.start_soon(self._leave_client)
                if self._ending is not None:
                    goodbyes.start_soon(service.close, *self._ending.service)

    async def _leave_client(self) -> None:
        if self._is_gone or self._ending is None:
            return
        self._is_gone = True
        with anyio.move_on_after(self._limits.close_s, shield=True) as patience:
            try:
                await self._socket.close(*self._ending.client)
            except (WebSocketDisconnect, RuntimeError, OSError):
                return  # it went first
        if patience.cancelled_caught:
            # It does not read: a polite close would wait behind the rest for ever.
            abort = self._socket.scope.get("extensions", {}).get(ABORT)
            if abort is not None:
                abort["now"]()

    def _write_down(self) -> None:
        ending = self._ending
        logger.info(
            "proxied connection ended",
            extra={
                "principal": self._principal_id,
                "mode": self._wanted.mode.value,
                "identity": "server" if self._wanted.token is None else "user",
                "duration_s": round(self._clock() - self._began, 3),
                "bytes_up": self._bytes["up"],
                "bytes_down": self._bytes["down"],
                "messages_up": self._messages["up"],
                "messages_down": self._messages["down"],
                "code": ending.client.code if ending else None,
                "ended_by": ending.by if ending else None,
                "status": self._status,
                "fault": self._fault,
            },
        )
