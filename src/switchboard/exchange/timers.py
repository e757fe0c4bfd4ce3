"""The named timers of one call."""

import asyncio
import math
from collections.abc import Callable


class Timers:
    """At most one timer of each name; setting it again moves it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        """For the earliest, or for one that there is no more; there while `run` waits."""
        self._alarm_at = -math.inf
        self._stopped = False

    def set(self, name: str, at: float) -> None:
        self._due[name] = at
        if at < self._alarm_at:
            self._wait()

    def clear(self, name: str) -> None:
        # A wake-up for nothing costs less than waiting anew.
        self._due.pop(name, None)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopped = True
        self._wake.set()

    async def run(self, fire: Callable[[str], None]) -> None:
        """Fire every timer when it is due, until told to stop."""
        try:
            while not self._stopped:
                now = self._clock()
                for name in [name for name, at in self._due.items() if at <= now]:
                    if self._due.get(name, now + 1) <= now:  # an earlier one may have cleared it
                        del self._due[name]
                        fire(name)
                self._wait()
                await self._wake.wait()
                self._wake.clear()
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    def _wait(self) -> None:
        """A timer of the loop's that wakes us, and no task of ours: it may be set anew often."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, min(self._due.values(), default=math.inf)
        if self._due:
            pause_s = max(self._alarm_at - self._clock(), 0)
            self._alarm = asyncio.get_running_loop().call_later(pause_s, self._wake.set)
