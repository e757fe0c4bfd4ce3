"""What is done later, or again and again, without a task that sleeps: each call would have several,
and a task with what surrounds it weighs as much as twenty timers."""

import asyncio
from collections.abc import Callable


class Ticks:
    """Does `act` after a while; and once more after as many seconds as that says, if it does.

    Begins at once, on the loop that runs. `act` must not raise.
    """

    def __init__(self, after_s: float, act: Callable[[], float | None]) -> None:
        self._act = act
        self._handle = asyncio.get_running_loop().call_later(after_s, self._tick)

    def stop(self) -> None:
        """It is done no more, and what it was done by is let go."""
        self._act = _nothing
        self._handle.cancel()

    def _tick(self) -> None:
        act = self._act
        again_s = act()
        if self._act is not act:
            return  # it has stopped itself
        if again_s is None:
            self._act = _nothing
        else:
            self._handle = asyncio.get_running_loop().call_later(again_s, self._tick)


def _nothing() -> None:
    pass
