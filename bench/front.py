"""The one address before several servers: each request goes to the first of them that is ready.

As much of an ingress as moving calls between servers needs: it asks every server whether it is
ready, and what was connected once stays so until a side goes, and then goes at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import httpx

from switchboard_local.serving import LOOPBACK

ASK_S: Final = 0.1
HEAD_S: Final = 10.0
_PIECE: Final = 65_536
_BAD_GATEWAY: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Front:
    """`behind`: the servers' ports, in the order in which they are preferred."""

    def __init__(self) -> None:
        self.behind: list[int] = []
        self.port = 0
        self._ready: set[int] = set()
        self._carrying: set[asyncio.Task[object]] = set()

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        server = await asyncio.start_server(self._carry, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(self._ask())
            try:
                yield
            finally:
                asking.cancel()
                server.close()
                for carrying in self._carrying:
                    carrying.cancel()

    async def until_ready(self, *ports: int, within_s: float = 120.0) -> None:
        """Until each of them says so."""
        async with asyncio.timeout(within_s):
            while not set(ports) <= self._ready:  # noqa: ASYNC110 - asked again and again
                await asyncio.sleep(ASK_S)

    async def until_away(self, port: int, within_s: float = 60.0) -> None:
        """Until nothing new goes to this one."""
        async with asyncio.timeout(within_s):
            while port in self._ready:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(ASK_S)

    async def _ask(self) -> None:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while True:
                for port in self.behind:
                    try:
                        answer = await client.get(f"http://{LOOPBACK}:{port}/readyz")
                        ready = answer.is_success
                    except httpx.HTTPError:
                        ready = False
                    (self._ready.add if ready else self._ready.discard)(port)
                await asyncio.sleep(ASK_S)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            async with asyncio.timeout(HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            there = await self._reach()
            if there is None:
                writer.write(_BAD_GATEWAY)
                await writer.drain()
                return
            there[1].write(_alone(head))
            await _joined((reader, writer), there)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._choices():
            with suppress(OSError):
                return await asyncio.open_connection(LOOPBACK, port)
        return None

    def _choices(self) -> Sequence[int]:
        return [port for port in self.behind if port in self._ready]


def _alone(head: bytes) -> bytes:
    """A request that is the only one of its connection, so that the next is sent anew; unless it
    is to become a socket."""
    lines = head[:-4].split(b"\r\n")
    if any(line.lower().startswith(b"upgrade:") for line in lines):
        return head
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n"


async def _joined(
    here: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    there: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Pass on both ways until a side is done; what it leaves behind is cut."""
    passing = {
        asyncio.create_task(_pass(here[0], there[1])),
        asyncio.create_task(_pass(there[0], here[1])),
    }
    try:
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in passing:
            each.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        there[1].close()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
    except OSError:
        sink.transport.abort()
