"""How many sockets one address may open and hold, before anybody asks who it is."""

from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from switchboard.access.identity import is_loopback
from switchboard.access.rates import Rate, Rates
from switchboard.access.refusals import TooOften
from switchboard.browser.problems import problem_answer

HANDSHAKES: Final = Rate(20, 200)
"""New sockets of one address, good or not."""


def elsewhere(scope: Scope, except_below: tuple[str, ...]) -> str | None:
    """The address that a request or socket comes from; `None` for this machine, and for whoever
    comes to one of these paths."""
    if scope["path"].startswith(except_below or ("\0",)):
        return None
    client = scope.get("client")
    return None if client is None or is_loopback(client[0]) else client[0]


class SocketsPerAddress:
    """ASGI middleware. Whoever is on this machine is not counted: behind a proxy here that is not
    named in `TRUSTED_PROXIES` all the world would be one address. Nor is who comes to one of
    `except_below`: the carrier has few addresses and many calls, and signs each."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        rate: Rate = HANDSHAKES,
        except_below: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._limit = limit
        self._rates = Rates(rate)
        self._except_below = except_below
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = self._counted(scope)
        if address is None:
            await self._app(scope, receive, send)
            return
        if (refusal := self._refusal(address)) is not None:
            answer = problem_answer(429, "too_many_sockets", refusal, {"Retry-After": "10"})
            await answer(scope, receive, send)
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _counted(self, scope: Scope) -> str | None:
        return elsewhere(scope, self._except_below) if scope["type"] == "websocket" else None

    def _refusal(self, address: str) -> str | None:
        if self._open[address] >= self._limit:
            return "There are as many sockets open from your address as there may be."
        try:
            self._rates.check(address)
        except TooOften as refusal:
            return str(refusal)
        return None
