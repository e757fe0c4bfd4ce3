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


class Turns:
    """Lets one go on each time that the loop has looked at its sockets, in the order they came."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_going = False

    async def wait(self) -> None:
        """Until it is our turn: the loop looks at its sockets at least once."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._is_going:
            self._is_going = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever waited may have been cancelled
                turn.set_result(None)
                # It goes on in the loop's next round. What the sockets bring meanwhile asyncio's
                # own loop does in the round after that: only then comes the next.
                soon = asyncio.get_running_loop().call_soon
                soon(soon, self._next)
                return
        self._is_going = False


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
            await self._turns.wait()
            return await receive()

        async def send_in_turn(message: Message) -> None:
            if message["type"] in _ANSWERS:
                await self._turns.wait()
            await send(message)

        is_request = scope["type"] == "http"
        await super().__call__(scope, receive_in_turn if is_request else receive, send_in_turn)
