"""Work that is done behind the calls, on the loop on which they speak: a little at a time."""

from time import perf_counter
from typing import Final

import anyio

SLICE_S: Final = 0.0002
"""So long one works before the calls go on: what arrives meanwhile waits."""
REST_S: Final = 0.001
"""And so long they have the loop to themselves. Without it a batch takes every other turn of it
for as long as it lasts, and every frame of that time waits in a queue."""
RESTS_S: Final = 0.1
"""But nobody rests for longer than this in all, unless nothing waits for the end of it."""


class Behind:
    """To be asked after each step of a batch whether it is time to rest; for `rests_s` in all."""

    def __init__(self, rests_s: float = RESTS_S) -> None:
        self._since = perf_counter()
        self._until = self._since + rests_s

    async def rest(self) -> None:
        """Let the calls go on, if they have waited for a slice."""
        now = perf_counter()
        if now - self._since < SLICE_S:
            return
        await anyio.sleep(REST_S if now < self._until else 0)
        self._since = perf_counter()
