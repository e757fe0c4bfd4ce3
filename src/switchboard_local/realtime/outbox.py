"""What waits to be sent to one client: in order, and never without limit."""

from collections import deque
from typing import Final

import anyio

SOFT_LIMIT_BYTES: Final = 1024 * 1024
"""Above this a reply waits: its reader is slower than it."""
HARD_LIMIT_BYTES: Final = 48 * 1024 * 1024
"""Above this the client is not reading: room for the largest item it may ask for, and no more."""


class Outbox:
    """Server events as JSON, put in without waiting and taken out in order by one writer."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._size_bytes = 0
        self._changed = anyio.Event()

    def put(self, event: bytes) -> bool:
        """Add one event; false, and it is dropped, where it would pass the hard limit."""
        if self._size_bytes + len(event) > HARD_LIMIT_BYTES:
            return False
        self._waiting.append(event)
        self._size_bytes += len(event)
        self._wake()
        return True

    async def take(self) -> bytes:
        """The next event, once there is one."""
        while not self._waiting:
            await self._changed.wait()
        event = self._waiting.popleft()
        self._size_bytes -= len(event)
        self._wake()
        return event

    async def room(self) -> None:
        """Wait until the reader has caught up."""
        while self._size_bytes > SOFT_LIMIT_BYTES:
            await self._changed.wait()

    async def drained(self) -> None:
        """Wait until nothing is left to send."""
        while self._waiting:
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
