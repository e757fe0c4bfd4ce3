"""Several ways to a model, other regions and other deployments: a call takes the first open one."""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from switchboard.conversation.legs import Dial, ModelLeg
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
    """Dials the model that was asked for in every region, then its fallbacks, in that order.

    Quota (429), a service in trouble (5xx) and one that cannot be reached lead to the next way; a
    refusal that will not pass is told, where it is the first way's, and passed over elsewhere.
    """

    def __init__(
        self, regions: Sequence[Dial], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._regions = regions
        self._clock = clock
        self._closed: dict[Way, float] = {}
        """Until when (monotonic seconds) a way is not the first to be tried."""

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        """As `Dial`. Raises `ModelUnavailable`: the first way's refusal, if every one refused."""
        async with AsyncExitStack() as opened:
            yield await self._first_open(spec, opened)

    async def _first_open(self, spec: SessionSpec, opened: AsyncExitStack) -> ModelLeg:
        refusal: ModelUnavailable | None = None
        asked = Way(0, spec.model)
        for way in self._ways(spec):
            try:
                leg = await opened.enter_async_context(
                    self._regions[way.region](replace(spec, model=way.model))
                )
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
            return leg
        raise refusal or ModelUnavailable("There is no way to the model.", retryable=False)

    def _ways(self, spec: SessionSpec) -> Iterator[Way]:
        """All of them; those known to be closed come last."""
        ways = [
            Way(region, model)
            for model in (spec.model, *spec.fallbacks)
            for region in range(len(self._regions))
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
