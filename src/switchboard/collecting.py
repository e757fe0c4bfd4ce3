"""When Python's garbage collector looks, and at how much.

Counting references frees nearly everything; cycles are left to the collector, as those of errors
and of what they passed through. While it looks, every call waits: so it looks often at a little,
and at everything only when nobody speaks.
"""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import anyio

YOUNG: Final = 350
"""Objects that come before the youngest are looked at: a fifth of a millisecond's work. 10 000 were
ten to fifteen milliseconds, once in two seconds while somebody sends what is refused."""
MIDDLE: Final = 4
"""Of these looks before what survived them is looked at once more, and then is old: another half of
a millisecond. Ten were two, with twice as many young."""
OLD: Final = 8
"""Times that something became old before all of that is looked at, at most some 17 000 objects: two
milliseconds. What survives that, too, is set aside, and looked at only with everything."""
MOST: Final = 1_000
"""Times that something became old before everything is looked at though somebody speaks: the
objects of some three thousand calls that came and went. That takes a tenth of a second."""
LOOK_S: Final = 5.0
_EVERYTHING: Final = 2
"""The collector's own name for it."""


class Collecting:
    """The collector's habits in a server. `most`: see `MOST`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._looked = _times_aged()

    @contextmanager
    def ruling(self) -> Generator[None]:
        """What is there by now stays; while the block runs, so does what has been old for long."""
        before = gc.get_threshold()
        gc.callbacks.append(_set_aside)
        gc.collect()
        gc.set_threshold(YOUNG, MIDDLE, OLD)
        self._looked = _times_aged()
        try:
            yield
        finally:
            gc.set_threshold(*before)
            gc.callbacks.remove(_set_aside)
            gc.unfreeze()

    async def keep(self, speaking: Callable[[], int]) -> None:
        """Until cancelled. `speaking`: how many a pause would interrupt."""
        while True:
            await anyio.sleep(LOOK_S)
            self.look(speaking())

    def look(self, speaking: int) -> bool:
        """Free all that nobody holds, unless that can wait; whether it did."""
        aged = _times_aged() - self._looked
        if not aged or (speaking and aged < self._most):
            return False
        gc.unfreeze()
        gc.collect()
        self._looked = _times_aged()
        return True


def _set_aside(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == _EVERYTHING:
        gc.freeze()


def _times_aged() -> int:
    return gc.get_stats()[1]["collections"]
