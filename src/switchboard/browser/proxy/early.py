"""What a client says before the service is there: kept in order, up to a number of bytes."""

from collections import deque

import anyio


def size_bytes(message: str | bytes) -> int:
    """What a message is on the wire."""
    if isinstance(message, str) and not message.isascii():
        return len(message.encode())
    return len(message)


class EarlyMessages:
    """Kept until the service is there."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._messages: deque[str | bytes] = deque()
        self._freed = anyio.Event()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def fits(self, message: str | bytes) -> bool:
        """Whether there is room; one message alone may be larger than the limit."""
        return not self._messages or self.bytes + _cost(message) <= self._limit

    def keep(self, message: str | bytes) -> None:
        self._messages.append(message)
        self.bytes += _cost(message)

    def take(self) -> str | bytes:
        message = self._messages.popleft()
        self.bytes -= _cost(message)
        self._freed.set()
        return message

    async def freed(self) -> None:
        """Wait until one is taken."""
        self._freed = anyio.Event()
        await self._freed.wait()


def _cost(message: str | bytes) -> int:
    """An empty message takes memory, too."""
    return size_bytes(message) + 64
