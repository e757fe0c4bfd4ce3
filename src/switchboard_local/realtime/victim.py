"""What faults do to a connection that is open."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from switchboard_local.faults.kinds import Close, Drop, Expire, Stall, Strike
from switchboard_local.realtime.farewell import DROPPED, Farewell


@dataclass(slots=True)
class Flow:
    """What is sent passes here, unless it is held."""

    _holds: int = 0
    _open: anyio.Event = field(default_factory=anyio.Event)

    @property
    def held(self) -> bool:
        return self._holds > 0

    async def hold(self, for_s: float) -> None:
        self._holds += 1
        try:
            await anyio.sleep(for_s)
        finally:
            self._holds -= 1
            if not self._holds:
                self._open.set()
                self._open = anyio.Event()

    async def passed(self) -> None:
        """Wait until nothing holds it."""
        while self._holds:
            await self._open.wait()


@dataclass(slots=True)
class Victim:
    """A session, or a sideband of one, as far as faults may strike it."""

    tasks: TaskGroup
    flow: Flow
    close: Callable[[Farewell], None]
    expire: Callable[[], Awaitable[None]]
    _announced: deque[Strike] = field(default_factory=deque[Strike])
    _news: anyio.Event = field(default_factory=anyio.Event)

    def strike(self, fault: Strike) -> None:
        """Let it befall, in its time."""
        self.tasks.start_soon(self._suffer, fault)

    def announce(self, fault: Strike) -> None:
        """The same, from outside of any task, as the loop's callbacks are."""
        self._announced.append(fault)
        self._news.set()

    async def attend(self) -> None:
        """Let befall what is announced. Run once, beside what may be struck."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            while self._announced:
                self.strike(self._announced.popleft())

    async def _suffer(self, fault: Strike) -> None:
        # A reply's time is its sound, and that has come.
        if fault.after_ms and fault.on != "reply":
            await anyio.sleep(fault.after_ms / 1000)
        match fault:
            case Stall(for_ms=for_ms):
                await self.flow.hold(for_ms / 1000)
            case Drop():
                self.close(DROPPED)
            case Close(code=code, reason=reason):
                self.close(Farewell(code, reason))
            case Expire():
                await self.expire()
