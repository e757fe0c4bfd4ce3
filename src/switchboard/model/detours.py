"""Several ways to a model, other regions and other deployments: a call takes the first open one."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from switchboard.conversation.legs import Dial, Mint, Minted, ModelLeg, Negotiate, Negotiated
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable

logger = logging.getLogger(__name__)

REST_S: Final = 30.0
"""How long a way that was closed is only tried after all others."""


@dataclass(frozen=True, slots=True)
class Way:
    """One region, by its place among them, and one deployment there."""

    region: int
    model: str


class Detours:
    """Tries the model that was asked for in every region, then its fallbacks, in that order.

    Quota (429), a service in trouble (5xx) and one that cannot be reached lead to the next way; a
    refusal that will not pass is told, where it is the first way's, and passed over elsewhere.
    """

    def __init__(self, regions: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._regions = regions
        self._clock = clock
        self._closed: dict[Way, float] = {}
        """Until when (monotonic seconds) a way is not the first to be tried."""

    async def first_open[T](
        self, spec: SessionSpec, attempt: Callable[[int, SessionSpec], Awaitable[T]]
    ) -> T:
        """What `attempt` gives for the first way that is open: a region's place, and the session
        with the model it is to have there.

        Raises `ModelUnavailable`: the first way's refusal, if every one refused.
        """
        refusal: ModelUnavailable | None = None
        asked = Way(0, spec.model)
        for way in self._ways(spec):
            try:
                found = await attempt(way.region, replace(spec, model=way.model))
            except ModelUnavailable as closed:
                if way == asked and not closed.retryable:
                    raise
                if refusal is None or way == asked:
                    refusal = closed
                self._close(way, closed)
                continue
            self._closed.pop(way, None)
            if way != asked:
                logger.warning("detour", extra={"region": way.region, "model": way.model})
            return found
        raise refusal or ModelUnavailable("There is no way to the model.", retryable=False)

    def _ways(self, spec: SessionSpec) -> Iterator[Way]:
        """All of them; those known to be closed come last."""
        ways = [
            Way(region, model)
            for model in (spec.model, *spec.fallbacks)
            for region in range(self._regions)
        ]
        now = self._clock()
        resting = {way for way in ways if self._closed.get(way, now) > now}
        yield from (way for way in ways if way not in resting)
        yield from (way for way in ways if way in resting)

    def _close(self, way: Way, refusal: ModelUnavailable) -> None:
        self._closed[way] = self._clock() + REST_S
        logger.warning(
            "way closed",
            extra={"region": way.region, "model": way.model, "status": refusal.status},
        )


def dialling(detours: Detours, regions: Sequence[Dial]) -> Dial:
    """Dials in the first region that takes the call."""

    @asynccontextmanager
    async def dial(spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        async with AsyncExitStack() as opened:
            yield await detours.first_open(
                spec, lambda region, here: opened.enter_async_context(regions[region](here))
            )

    return dial


def negotiating(detours: Detours, regions: Sequence[Negotiate]) -> Negotiate:
    """Has the first region answer that takes the call."""

    async def negotiate(spec: SessionSpec, offer: str, /) -> Negotiated:
        return await detours.first_open(spec, lambda region, here: regions[region](here, offer))

    return negotiate


def minting(detours: Detours, regions: Sequence[Mint]) -> Mint:
    """Has the first region mint a secret that would."""

    async def mint(spec: SessionSpec, /) -> Minted:
        return await detours.first_open(spec, lambda region, here: regions[region](here))

    return mint
