"""How often, and how many at once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from switchboard.access.refusals import TooOften
from switchboard.errors import LinesBusy


class Bucket:
    """A token bucket: `burst` at once, `per_second` on average."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Whether there was enough for `cost` at `now` (seconds, monotonic)."""
        tokens = self._tokens + (now - self._at) * self._per_second
        if tokens > self._burst:  # fifty times a second and call, `min` is felt
            tokens = self._burst
        self._at = now
        enough = tokens >= cost
        self._tokens = tokens - cost if enough else tokens
        return enough

    def wait_s(self, cost: float = 1.0) -> float:
        """How long until there is enough again."""
        return max(0.0, (cost - self._tokens) / self._per_second)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one of many may do something."""

    per_second: float
    burst: float


class Rates:
    """A bucket for each key, of at most `remember` keys: the longest unseen is forgotten first."""

    def __init__(
        self, rate: Rate, *, remember: int = 4096, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._remember = remember
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def check(self, key: str) -> None:
        """Count one. Raises `TooOften`."""
        now = self._clock()
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = Bucket(self._rate.per_second, self._rate.burst, now)
        self._buckets[key] = bucket
        if len(self._buckets) > self._remember:
            self._buckets.popitem(last=False)
        if not bucket.take(now):
            raise TooOften("Too many tries. Wait a moment.", retry_after_s=bucket.wait_s())


class Places:
    """At most `limit` at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0

    @contextmanager
    def take(self) -> Generator[None]:
        """Hold one while the block runs. Raises `LinesBusy`."""
        if self.taken >= self._limit:
            raise LinesBusy("Every line is taken. Try again in a moment.")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
