"""What stands before several servers: sends each request to one of them, by its path."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HEAD_BYTES = 65_536


@dataclass
class Doorway:
    """`to` says by the beginning of a path where it leads: the longest that fits."""

    address: str = ""
    to: dict[str, int] = field(default_factory=dict[str, int])
    passed: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Paths, and the ports they were sent to."""
    held: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: the connection ends with it, or is a socket until its end."""
        with suppress(asyncio.IncompleteReadError, OSError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            port = self.to[max((way for way in self.to if path.startswith(way)), key=len)]
            self.passed.append((path, port))
            there, back = await asyncio.open_connection("127.0.0.1", port)
            self.held |= {writer, back}
            if b"upgrade: websocket" not in head.lower():
                line, _, rest = head.partition(b"\r\n")
                head = line + b"\r\nConnection: close\r\n" + rest
            back.write(head)
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                self.held -= {writer, back}
                back.close()
        writer.close()


@asynccontextmanager
async def doorway() -> AsyncGenerator[Doorway]:
    here = Doorway()
    server = await asyncio.start_server(here.take, "127.0.0.1", 0, limit=HEAD_BYTES)
    here.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield here
        for writer in list(here.held):
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError, RuntimeError):
        if sink.can_write_eof():
            sink.write_eof()
