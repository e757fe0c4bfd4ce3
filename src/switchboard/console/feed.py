"""Who watches: bounded queues in which a newer message takes the place of an older of the same
thing, so that a slow reader lags and does not pile up."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Final

import anyio
import msgspec

from switchboard.console import protocol as wire
from switchboard.errors import LinesBusy

PING: Final = b": ping\n\n"
PING_S: Final = 15.0
PAUSE_S: Final = 0.1
"""Between two batches: what changes ten times meanwhile is sent once."""
MOST_WAITING: Final = 1_000
TOO_SLOW: Final = "This page did not read fast enough, so it was let go. It asks anew by itself."
TOO_MANY: Final = "Enough consoles are open already. Close one, then try again."

_encoder: Final = msgspec.json.Encoder()


class Listener:
    """One open stream: what it still has to be told, by what it is about."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: dict[str, wire.StreamMessage] = {}
        self._news = anyio.Event()
        self.dropped = False
        """It was too slow, and is told no more."""
        self.over = False
        """What waits is the last of it."""

    def put(self, key: str, message: wire.StreamMessage) -> None:
        if self.dropped or self.over:
            return
        self._waiting.pop(key, None)
        self._waiting[key] = message
        if len(self._waiting) > self._most:
            self._waiting.clear()
            self.dropped = True
        self._news.set()

    def close(self) -> None:
        self.over = True
        self._news.set()

    async def take(self, within_s: float) -> list[wire.StreamMessage]:
        """What waits, as soon as something does; nothing after `within_s`."""
        with anyio.move_on_after(within_s):
            await self._news.wait()
        self._news = anyio.Event()
        waiting, self._waiting = self._waiting, {}
        return list(waiting.values())


class Feed:
    """The streams about one thing: all live calls, or one of them."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def tell(self, key: str, message: wire.StreamMessage) -> None:
        for listener in self._listeners:
            listener.put(key, message)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    @contextmanager
    def joined(self, listener: Listener) -> Generator[None]:
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)


class Streams:
    """All streams of this process: so many at once, and no more."""

    def __init__(self, most: int, *, ping_s: float = PING_S, pause_s: float = PAUSE_S) -> None:
        self._most = most
        self._ping_s = ping_s
        self._pause_s = pause_s
        self.open = 0
        self._number = 0

    def check(self) -> None:
        """Raises `LinesBusy` when there is no room for another."""
        if self.open >= self._most:
            raise LinesBusy(TOO_MANY)

    async def stream(
        self, feed: Feed, first: Callable[[], wire.StreamMessage], most: int = MOST_WAITING
    ) -> AsyncGenerator[bytes]:
        """Server-sent events: `first` as things stand, then what changes, to the end of it.

        Whoever comes back, with whatever `Last-Event-ID`, is told first how things stand.
        """
        if self.open >= self._most:  # they all asked at once
            yield self._event(wire.Dropped(TOO_MANY))
            return
        self.open += 1
        listener = Listener(most)
        try:
            with feed.joined(listener):
                yield self._event(first())
                while True:
                    batch = await listener.take(self._ping_s)
                    for message in batch:
                        yield self._event(message)
                    if listener.dropped:
                        yield self._event(wire.Dropped(TOO_SLOW))
                    if listener.dropped or listener.over:
                        return
                    if batch:
                        await anyio.sleep(self._pause_s)
                    else:
                        yield PING
        finally:
            self.open -= 1

    def _event(self, message: wire.StreamMessage) -> bytes:
        self._number += 1
        return b"id: %d\ndata: %b\n\n" % (self._number, _encoder.encode(message))
