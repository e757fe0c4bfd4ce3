"""Hands a few things to many who wait: the most urgent first, then in order of arrival."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

PATIENT: Final = 2
"""From this urgency on a borrower can wait."""


class Full(Exception):
    """Too many wait already."""


class Turnstile[T]:
    """Lends each thing to one borrower at a time. Bounded: it refuses rather than queue forever."""

    def __init__(
        self,
        things: Iterable[T],
        *,
        most_waiting: int,
        kept: int = 0,
        rank: Callable[[T], int] = lambda _: 0,
    ) -> None:
        """`rank` says which of several free things is lent first: the lowest.

        The last `kept` of them are not lent to the patient.
        """
        self._free = list(things)
        self._kept = kept
        self._most_waiting = most_waiting
        self._rank = rank
        self._arrivals = count()
        self._waiting: list[tuple[int, int, asyncio.Future[T]]] = []

    @asynccontextmanager
    async def borrow(self, *, urgency: int = 0) -> AsyncGenerator[T]:
        """Lends one thing; the lowest `urgency` is served first. Raises `Full`."""
        thing = await self.take(urgency=urgency)
        try:
            yield thing
        finally:
            self.give(thing)

    async def take(self, *, urgency: int = 0) -> T:
        """As `borrow`, for who may not give the thing back at once. Raises `Full`."""
        if len(self._free) > self._spared(urgency):
            best = min(self._free, key=self._rank)
            self._free.remove(best)
            return best
        if len(self._waiting) >= self._most_waiting:
            raise Full
        turn: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = (urgency, next(self._arrivals), turn)
        heapq.heappush(self._waiting, entry)
        try:
            return await turn
        except asyncio.CancelledError:
            self._leave(entry)
            raise

    def _leave(self, entry: tuple[int, int, asyncio.Future[T]]) -> None:
        turn = entry[2]
        if turn.done() and not turn.cancelled():
            self.give(turn.result())  # lent in the same moment as the borrower left
        elif entry in self._waiting:
            self._waiting.remove(entry)
            heapq.heapify(self._waiting)

    def give(self, thing: T) -> None:
        """Take a thing back, or lend it on at once."""
        # Who waits for a thing that is free already is patient, and so are all behind them.
        while self._waiting and len(self._free) >= self._spared(self._waiting[0][0]):
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(thing)
                return
        self._free.append(thing)

    def _spared(self, urgency: int) -> int:
        """How many must stay free beside the one that is lent."""
        return self._kept if urgency >= PATIENT else 0
