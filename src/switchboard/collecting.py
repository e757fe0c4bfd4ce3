"""When Python's garbage collector looks, and at how much.

Counting references frees nearly everything; cycles are left to the collector, as those of errors
and of what they passed through. While it looks, every call waits: so it looks often at a little,
and at everything only when nobody speaks.
"""

import gc
from collections.abc import Callable
from typing import Final

import anyio

YOUNG: Final = 350
"""Objects that come before the youngest are looked at: a fifth of a millisecond's work. 10 000 were
ten to fifteen milliseconds, once in two seconds while somebody sends what is refused."""
MIDDLE: Final = 4
"""Of these looks before what survived them is looked at once more, and then is old: another half of
a millisecond. Ten were two, with twice as many young."""
NEVER: Final = 1_000_000
MOST: Final = 200
"""Times that something became old before all of that is looked at though somebody speaks: 420 000
objects, as nine hundred calls leave that have ended. A full look takes tens of
milliseconds."""
LOOK_S: Final = 5.0


class Collecting:
    """The collector's habits in a server. `most`: see `MOST`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._looked = _times_aged()

    def begin(self) -> None:
        """What is there by now stays, and is not looked at again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._looked = _times_aged()

    async def keep(self, speaking: Callable[[], int]) -> None:
        """Until cancelled. `speaking`: how many a pause would interrupt."""
        while True:
            await anyio.sleep(LOOK_S)
            self.look(speaking())

    def look(self, speaking: int) -> bool:
        """Free the old that nobody holds, unless that can wait; whether it did."""
        aged = _times_aged() - self._looked
        if not aged or (speaking and aged < self._most):
            return False
        gc.collect()
        self._looked = _times_aged()
        return True


def _times_aged() -> int:
    return gc.get_stats()[1]["collections"]
