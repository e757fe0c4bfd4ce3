"""Who is refused again and again at one address waits for the answer: guessing and floods get slow,
and so take little from the calls beside them."""

from functools import partial
from typing import Final

import anyio
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from switchboard.access.rates import Rate, Rates
from switchboard.access.refusals import TooOften
from switchboard.browser.crowd import elsewhere

WAIT_S: Final = 5.0
"""A connection, of which an address has so many, is refused once in this time."""
WAITING: Final = 500
"""Answers that wait at once; further ones are not worth their memory, and go out."""
_STARTS: Final = ("http.response.start", "websocket.http.response.start")
_BUSY: Final = 503
_KEY: Final = "switchboard.refused_slowly"


async def refused_slowly(connection: HTTPConnection) -> None:
    """Count a refusal that is no answer, but said on a socket that was accepted; wait, if whoever
    is there is to."""
    if (wait := connection.scope.get(_KEY)) is not None:
        await wait()


class RefusedSlowly:
    """ASGI middleware. What is refused is an answer of 400 to 499, or 503, whatever the reason;
    those within `rate` go out at once, further ones after `wait_s`.

    It is the answer that waits, not the next request: at one address, neighbours who are served
    notice nothing. As `SocketsPerAddress` it leaves out whoever is on this machine, and who comes
    to one of `except_below`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rate: Rate,
        wait_s: float = WAIT_S,
        waiting: int = WAITING,
        except_below: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._rates = Rates(rate)
        self._wait_s = wait_s
        self._room = waiting
        self._except_below = except_below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] != "lifespan"
        address = elsewhere(scope, self._except_below) if is_asked else None
        if address is None:
            await self._app(scope, receive, send)
            return

        async def send_in_time(message: Message) -> None:
            if message["type"] in _STARTS and _is_refusal(message["status"]):
                await self._refused(address)
            await send(message)

        scope[_KEY] = partial(self._refused, address)

        await self._app(scope, receive, send_in_time)

    async def _refused(self, address: str) -> None:
        try:
            self._rates.check(address)
        except TooOften:
            if self._room > 0:
                self._room -= 1
                try:
                    await anyio.sleep(self._wait_s)
                finally:
                    self._room += 1


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 or status == _BUSY
