"""A call's media over WebRTC: steered from beside, lost, agreed upon anew.

dial ──▶ beside the media ──(lost)──▶ dial: the same session, resumed
dial, and the media are gone (404)     ─┐
dial while they last: a planned renewal ┴▶ the page is asked for an offer ──▶ beside new media
an offer that nobody asked for ──▶ new media; the former are hung up, and the call dials again
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import anyio

from switchboard.conversation.legs import ModelLeg, Negotiate, Negotiated
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable, NotAllowed

logger = logging.getLogger(__name__)

OFFER_WAIT_S: Final = 15.0
"""How long the page may take to offer fresh media."""
GONE: Final = 404


class CallMedia:
    """The media of one call. `dial` is the call's `Dial`."""

    def __init__(
        self,
        spec: SessionSpec,
        media: Negotiated,
        negotiate: Negotiate | None,
        *,
        offer_wait_s: float = OFFER_WAIT_S,
    ) -> None:
        """Without `negotiate`, media that are gone cannot be had anew."""
        self._spec = spec
        self._media = media
        self._negotiate = negotiate
        self._offer_wait_s = offer_wait_s
        self._fresh = anyio.Event()
        """Set, and replaced, by each new agreement."""
        self._one_at_a_time = anyio.Lock()
        self._over = False
        self._beside: Negotiated | None = None
        """The media that a leg is beside, as far as it is not lost."""
        self._asked = False
        self.ask_offer: Callable[[], object] = lambda: None
        """Asks the page for fresh media."""

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        """A model leg beside the media, however often it is lost. Raises `ModelUnavailable`."""
        if self._beside is self._media:
            await self._await_offer()  # its session is about to end, and its media with it
        async with AsyncExitStack() as stack:
            dialled = self._media
            try:
                leg = await stack.enter_async_context(dialled.dial(spec))
            except ModelUnavailable as failure:
                if failure.status != GONE:
                    raise
                if self._media is dialled:  # else the page has made an offer of its own accord
                    await self._await_offer()
                leg = await stack.enter_async_context(self._media.dial(spec))
            media = self._beside = self._media
            try:
                yield leg
            finally:
                await self._left(media)

    async def _left(self, media: Negotiated) -> None:
        """The leg beside `media` is gone; they end too if others have taken their place."""
        if self._beside is media:
            self._beside = None
        if self._media is not media:
            with anyio.CancelScope(shield=True):
                await media.hang_up()

    async def offered(self, offer: str) -> str:
        """The service's answer to a fresh offer of the page; the former media end.

        Raises `NotAllowed` once the call is over, and as `Negotiate` does.
        """
        if self._negotiate is None:
            raise NotAllowed("The media of this call are not agreed upon here.")
        async with self._one_at_a_time:
            self._refuse_if_over()
            media = await self._negotiate(self._spec, offer)
            if self._over:
                await media.hang_up()
            self._refuse_if_over()
            former, self._media = self._media, media
            self._fresh.set()
            self._fresh = anyio.Event()
            if not self._asked or self._beside is not former:
                await former.hang_up()  # no leg will do it
        return media.answer

    async def hang_up(self) -> None:
        """The call is over, and its media with it."""
        self._over = True
        await self._media.hang_up()

    async def _await_offer(self) -> None:
        if self._negotiate is None:
            raise ModelUnavailable("The media of this call cannot be renewed.", retryable=False)
        logger.info("asking the page for fresh media")
        fresh, self._asked = self._fresh, True
        try:
            self.ask_offer()
            with anyio.move_on_after(self._offer_wait_s) as patience:
                await fresh.wait()
        finally:
            self._asked = False
        if patience.cancelled_caught:
            raise ModelUnavailable("The page made no new offer in time.", retryable=False)

    def _refuse_if_over(self) -> None:
        if self._over:
            raise NotAllowed("This call has ended.")
