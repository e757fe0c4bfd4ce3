"""The named timers of one call."""

from collections.abc import Callable

import anyio


class Timers:
    """At most one timer of each name; setting it again moves it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}
        self._changed = anyio.Event()

    def set(self, name: str, at: float) -> None:
        self._due[name] = at
        self._changed.set()

    def clear(self, name: str) -> None:
        # A wake-up for nothing costs less than telling the sleeper that there is none.
        self._due.pop(name, None)

    async def run(self, fire: Callable[[str], None]) -> None:
        """Fire every timer when it is due, until cancelled."""
        while True:
            self._changed = anyio.Event()
            now = self._clock()
            for name in [name for name, at in self._due.items() if at <= now]:
                if self._due.get(name, now + 1) <= now:  # an earlier one may have cleared it
                    del self._due[name]
                    fire(name)
            pause_s = min(self._due.values(), default=now + 3600) - self._clock()
            with anyio.move_on_after(max(pause_s, 0)):
                await self._changed.wait()
