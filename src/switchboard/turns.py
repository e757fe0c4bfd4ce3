"""Requests take turns, so that audio goes between any two of them.

The event loop does everything that is ready before it looks at its sockets again. Ten requests that
came together would be ten steps of a millisecond, and each call's audio would wait for all of them.
"""

import asyncio
from collections import deque
from collections.abc import Collection
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ANSWERS: Final = ("http.response.start", "websocket.accept", "websocket.http.response.start")

LATE_S: Final = 0.1
LATE_AT_ONCE: Final = 5
"""Where the loop is so busy that somebody has waited for this long, so many go on together: rounds
of ten milliseconds are no reason to answer fifty requests a second."""


class Turns:
    """Lets one go on each time that the loop has looked at its sockets, in the order they came."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[asyncio.Future[None], float]] = deque()
        self._is_going = False

    async def wait(self) -> None:
        """Until it is our turn: the loop looks at its sockets at least once."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append((turn, loop.time()))
        if not self._is_going:
            self._is_going = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        going = 0
        while self._waiting and (going == 0 or self._is_late(going, loop.time())):
            turn, _ = self._waiting.popleft()
            if not turn.done():  # whoever waited may have been cancelled
                turn.set_result(None)
                going += 1
        if going:
            # They go on in the loop's next round. What the sockets bring meanwhile asyncio's own
            # loop does in the round after that: only then comes the next.
            loop.call_soon(loop.call_soon, self._next)
        else:
            self._is_going = False

    def _is_late(self, going: int, now: float) -> bool:
        _, came = self._waiting[0]
        return going < LATE_AT_ONCE and now - came > LATE_S


class Begin:
    """ASGI middleware: requests and sockets begin in turn, but for those to `except_paths`."""

    def __init__(self, app: ASGIApp, turns: Turns, except_paths: Collection[str] = ()) -> None:
        self._app = app
        self._turns = turns
        self._except_paths = except_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._waits(scope):
            await self._turns.wait()
        await self._app(scope, receive, send)

    def _waits(self, scope: Scope) -> bool:
        return scope["type"] != "lifespan" and scope["path"] not in self._except_paths


class InTurn(Begin):
    """ASGI middleware: requests, and sockets until they are open, go on in turn: when they begin,
    when their body is read, and when they are answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._waits(scope):
            await self._app(scope, receive, send)
            return

        async def receive_in_turn() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                await self._turns.wait()  # whoever cancels this has lost what was read
            return message

        async def send_in_turn(message: Message) -> None:
            if message["type"] in _ANSWERS:
                await self._turns.wait()
            await send(message)

        is_request = scope["type"] == "http"
        await super().__call__(scope, receive_in_turn if is_request else receive, send_in_turn)
