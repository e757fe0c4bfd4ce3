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

YOUNG: Final = 1_000
"""Objects that come before the youngest are looked at: half a millisecond's work where they are
cold. Of 350 it is a third of that, but under attack three times as often, and more in all."""
MIDDLE: Final = 2
"""Of these looks before what survived them is looked at once more, a millisecond's work. What
survives that, too, is set aside, and looked at only with everything."""
NEVER: Final = 1_000_000
MOST: Final = 2_000
"""Times that something was set aside before everything is looked at though somebody speaks. Of ours
nothing waits for that, what libraries leave is little, and a full look is a tenth of a second: a
call comes with some hundreds of objects, so this is some ten thousand calls."""
LOOK_S: Final = 5.0


class Collecting:
    """The collector's habits in a server. `most`: see `MOST`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._looked = _times_aged()

    @contextmanager
    def ruling(self) -> Generator[None]:
        """What is there by now stays; while the block runs, so does what has become old."""
        before = gc.get_threshold()
        gc.callbacks.append(_set_aside)
        gc.collect()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
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
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()


def _times_aged() -> int:
    return gc.get_stats()[1]["collections"]
