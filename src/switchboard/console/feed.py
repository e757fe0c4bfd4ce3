"""Who watches: bounded queues in which a newer message takes the place of an older of the same
thing, so that a slow reader lags and does not pile up."""

import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, aclosing, contextmanager
from math import inf
from typing import Final

import anyio
import msgspec

from switchboard.access.standing import stream_end
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
        self._changed = anyio.Event()

    async def watched(self, by_somebody: bool = True) -> None:
        """Until somebody watches; or nobody."""
        while bool(self) is not by_somebody:
            await self._changed.wait()

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
        self._tell_change()
        try:
            yield
        finally:
            self._listeners.remove(listener)
            self._tell_change()

    def _tell_change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Streams:
    """All streams of this process: so many at once, and no more."""

    def __init__(
        self,
        most: int,
        *,
        ping_s: float = PING_S,
        pause_s: float = PAUSE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells epoch seconds."""
        self._clock = clock
        self._most = most
        self._ping_s = ping_s
        self._pause_s = pause_s
        self.open = 0
        self._number = 0
        self._listeners: set[Listener] = set()
        self._closed = False

    def check(self) -> None:
        """Raises `LinesBusy` when there is no room for another."""
        if self.open >= self._most:
            raise LinesBusy(TOO_MANY)

    async def stream(
        self,
        feed: Feed,
        first: Callable[[], wire.StreamMessage],
        *others: Feed,
        most: int = MOST_WAITING,
        until: float | None = None,
    ) -> AsyncGenerator[bytes]:
        """Server-sent events: `first` as things stand, then what changes, to the end of it.

        With the token that is good `until` then, epoch seconds, the stream ends too. Whoever comes
        back, with whatever `Last-Event-ID`, is told first how things stand. `others` are about the
        same, from elsewhere.
        """
        async with aclosing(
            self.messages(feed, first, *others, most=most, until=until)
        ) as messages:
            async for message in messages:
                yield self.event(message)

    async def messages(
        self,
        feed: Feed,
        first: Callable[[], wire.StreamMessage],
        *others: Feed,
        most: int = MOST_WAITING,
        until: float | None = None,
    ) -> AsyncGenerator[wire.StreamMessage | None]:
        """The same; `None` where nothing has happened for a while."""
        if self.open >= self._most:  # they all asked at once
            yield wire.Dropped(TOO_MANY)
            return
        listener, end = Listener(most), stream_end(until, self._clock())
        with self._told(listener), ExitStack() as joined:
            for each in (feed, *others):
                joined.enter_context(each.joined(listener))
            yield first()
            while True:
                left_s = inf if end is None else max(0.0, end - self._clock())
                batch = await listener.take(min(self._ping_s, left_s))
                for message in batch:
                    yield message
                if listener.dropped:
                    yield wire.Dropped(TOO_SLOW)
                if listener.dropped or listener.over:
                    return
                if end is not None and self._clock() >= end:
                    yield wire.ComeBack()
                    return
                if batch:
                    await anyio.sleep(self._pause_s)
                else:
                    yield None

    @contextmanager
    def _told(self, listener: Listener) -> Generator[None]:
        """It is one of those that `close` ends."""
        self._listeners.add(listener)
        if self._closed:
            listener.close()
        try:
            with self.counted():
                yield
        finally:
            self._listeners.discard(listener)

    @contextmanager
    def counted(self) -> Generator[None]:
        """One more is open while the block runs."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def close(self) -> None:
        """The server stops: each stream says what it still has to say, and ends."""
        self._closed = True
        for listener in self._listeners:
            listener.close()

    def event(self, message: wire.StreamMessage | None) -> bytes:
        """A message as a server-sent event; `None` as a sign of life."""
        if message is None:
            return PING
        self._number += 1
        return b"id: %d\ndata: %b\n\n" % (self._number, _encoder.encode(message))
