"""Fresh tokens of somebody on a socket: asked for, checked one at a time, and never in the way."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from switchboard.access.standing import RAN_OUT, SomebodyElse, Standing
from switchboard.errors import NotAllowed

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How late it may be noticed that a token has run out."""


class Renewal:
    """On one socket. `run` must run beside it."""

    def __init__(
        self,
        standing: Standing,
        *,
        ask: Callable[[], None],
        taken: Callable[[float], Awaitable[None]],
        refused: Callable[[str], None],
    ) -> None:
        """`ask` asks the page for a token; it hears that one was `taken`, and until when that
        holds (epoch seconds), or `refused`, in words."""
        self._standing = standing
        self._ask = ask
        self._taken = taken
        self._refused = refused
        self._token: str | None = None
        self._came = anyio.Event()

    def offer(self, token: str) -> None:
        """The page shows this. Of several that wait the last counts."""
        self._token = token
        self._came.set()

    async def run(self) -> str:
        """Returns why nobody stands behind this socket any more, in words for the page."""
        while not self._standing.is_over:
            if self._standing.asks():
                self._ask()
            with anyio.move_on_after(LOOK_S):
                await self._came.wait()
            self._came = anyio.Event()
            token, self._token = self._token, None
            if token is not None and (end := await self._look_at(token)) is not None:
                return end
        return RAN_OUT

    async def _look_at(self, token: str) -> str | None:
        """Why it ends here, if it does."""
        try:
            until = await self._standing.renew(token)
        except SomebodyElse as end:
            logger.info("token of somebody else, or without a role")
            self._standing.end()
            return str(end)
        except NotAllowed as refusal:
            self._refused(str(refusal))
            return None
        try:
            await self._taken(until)
        except Exception as reason:  # noqa: BLE001  (a busy store: the socket stays, and asks again)
            logger.warning("fresh token not kept", extra={"error": type(reason).__name__})
        return None
