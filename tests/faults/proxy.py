"""A TCP proxy between the product and what it needs, which can be made to fail while it is used.

It knows nothing of what passes: TLS, HTTP, WebSocket, PostgreSQL alike.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

CHUNK: Final = 65_536
NOISE: Final = bytes(range(256)) * 4
"""No protocol's beginning, nor the rest of any."""
SLOW_BYTES_PER_S: Final = 200
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST."""
_CROWD: Final = 4
"""More than wait at a door where nobody opens: whoever comes after them is not answered."""
_SYN_SENT: Final = "02"


class Mode(StrEnum):
    PASS = "pass"
    REFUSE = "refuse"
    """Whoever connects is reset at once."""
    GONE = "gone"
    """The machine is off: nothing it was sent is answered, nor is whoever connects, not even by a
    refusal. Once it is on again, it knows nothing of connections from before, and resets them."""
    HOLE = "hole"
    """Connections are taken, and nothing passes in either direction any more: half-open."""
    SLOW = "slow"
    """A few bytes a second come back."""
    NOISE = "noise"
    """Whatever is said is answered with bytes that mean nothing."""


@dataclass(eq=False)
class _Pair:
    """One connection through the proxy."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None


@dataclass
class FaultProxy:
    """`mode` is what befalls connections, old and new, from now on."""

    port: int
    """Where the upstream listens."""
    mode: Mode = Mode.PASS
    door: int = 0
    """Where the product connects."""
    taken: int = 0
    """Connections since the start."""
    asked: int = 0
    """Bytes that the product has sent since the mode changed, whatever became of them."""
    _pairs: set[_Pair] = field(default_factory=set[_Pair])
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _listener: socket.socket | None = None
    _crowd: list[socket.socket] = field(default_factory=list[socket.socket])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _over: bool = False

    def turn(self, mode: Mode) -> None:
        """Change what happens, in connections that are open, too."""
        was, self.mode, self.asked = self.mode, mode, 0
        if was is Mode.GONE and mode is not Mode.GONE:
            self.cut(reset=True)
            self.listen()
        elif mode is Mode.GONE and was is not Mode.GONE:
            self._leave()
        self._changed.set()
        self._changed = asyncio.Event()

    def listen(self) -> None:
        """Be there for whoever connects."""
        for each in self._crowd:
            each.close()
        self._crowd = []
        self._listener = socket.create_server(("127.0.0.1", self.door))
        self._listener.setblocking(False)
        self.door = self._listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._listener, self._let_in)

    def _let_in(self) -> None:
        assert self._listener is not None
        try:
            near, _ = self._listener.accept()
        except OSError:  # it has gone again
            return
        task = asyncio.create_task(self._serve(near))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _leave(self) -> None:
        """Off the network. Behind a full queue of those who wait to be let in, the kernel drops
        each request to connect; whoever made it asks again, as they do of a machine that is off."""
        self._stop_listening()
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", self.door))
        door.listen(0)
        self._crowd = [door]
        for _ in range(_CROWD):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.door))
            self._crowd.append(waiting)

    async def close(self) -> None:
        """Nobody is let in any more, and what is open ends."""
        self.turn(Mode.PASS)
        self._over = True
        self._stop_listening()
        self.cut(reset=True)
        if tasks := set(self._tasks):
            _, left = await asyncio.wait(tasks, timeout=10)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # transports that were aborted close in the next round

    @property
    def tried(self) -> int:
        """How often somebody has connected, and how many try to, just now, without an answer."""
        ours = {each.getsockname()[1] for each in self._crowd}
        there = f"0100007F:{self.door:04X}"
        trying = 0
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, here, peer, state, *_ = line.split()
            port = int(here.partition(":")[2], 16)
            trying += peer == there and state == _SYN_SENT and port not in ours
        return self.taken + trying

    def cut(self, *, reset: bool) -> int:
        """End what is open, by RST or in good form (FIN). How many there were."""
        pairs = list(self._pairs)
        for pair in pairs:
            for writer in (pair.near, pair.far):
                if writer is not None:
                    _end(writer, reset=reset)
        return len(pairs)

    def refuse(self) -> int:
        """As when a process dies on its machine: what is open is reset, and whoever comes is,
        too. How many there were."""
        self.turn(Mode.REFUSE)
        return self.cut(reset=True)

    @property
    def open(self) -> int:
        return len(self._pairs)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.door}"

    async def _serve(self, near: socket.socket) -> None:
        """One connection, until either side ends it."""
        self.taken += 1
        near.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=near)
        pair = _Pair(writer)
        if self.mode is Mode.REFUSE:
            _end(writer, reset=True)
            return
        self._pairs.add(pair)
        try:
            with contextlib.suppress(OSError):
                await self._carry(pair, reader)
        finally:
            self._pairs.discard(pair)
            for each in (pair.near, pair.far):
                if each is not None:
                    _end(each, reset=self._over)

    async def _carry(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        back, far = await asyncio.open_connection("127.0.0.1", self.port)
        pair.far = far
        sides = (self._pump(reader, far, out=True), self._pump(back, pair.near, out=False))
        tasks = [asyncio.ensure_future(side) for side in sides]
        try:
            # In good form one side may end first, and still be answered.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(tasks, timeout=0.2)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, out: bool
    ) -> None:
        while data := await source.read(CHUNK):
            if out:
                self.asked += len(data)
            while self.mode in (Mode.HOLE, Mode.GONE):
                await self._changed.wait()
            if self.mode is Mode.NOISE:
                data = NOISE  # either way: the upstream is as puzzled
            if self.mode is Mode.SLOW and not out:
                await self._drip(sink, data)
            else:
                sink.write(data)
                await sink.drain()

    async def _drip(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        for at in range(0, len(data), SLOW_BYTES_PER_S // 10):
            if self.mode is not Mode.SLOW:
                sink.write(data[at:])
                break
            sink.write(data[at : at + SLOW_BYTES_PER_S // 10])
            await asyncio.sleep(0.1)
        await sink.drain()


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    raw = writer.get_extra_info("socket")
    if reset and raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()
    else:
        writer.close()


@asynccontextmanager
async def fault_proxy(port: int, mode: Mode = Mode.PASS) -> AsyncGenerator[FaultProxy]:
    """Before what listens on `port` of loopback."""
    proxy = FaultProxy(port)
    proxy.listen()
    proxy.turn(mode)
    try:
        yield proxy
    finally:
        await proxy.close()
