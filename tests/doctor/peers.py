"""What the doctor meets: settings, services that refuse, hang or are no services at all."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from websockets.asyncio.server import ServerConnection

from switchboard.doctor.findings import Finding, Outcome
from switchboard.doctor.patience import Patience
from switchboard.doctor.services import Asked
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import AZURE_OPENAI, Capabilities
from switchboard.settings import Settings
from tests.model.peer import Peer, say

ROOT: Final = Path(__file__).parents[2]
HASTY: Final = Patience(connect_s=0.4, answer_s=0.4, first_word_s=0.4, token_s=5.0, local_s=5.0)
PATIENT: Final = Patience()
HEADER: Final = "local-header"


def settings(data_dir: Path, **more: object) -> Settings:
    """Those of a server with the shipped agents."""
    given = {"data_dir": data_dir, "session_config": ROOT / "session_config.json"}
    return Settings.model_validate({**given, **more})


def asked(endpoint: str, can: Capabilities = AZURE_OPENAI) -> Asked:
    return Asked("Azure OpenAI", Endpoint(endpoint, can), can)


def ok(finding: Finding) -> bool:
    return finding.outcome is Outcome.OK


def failed(finding: Finding) -> bool:
    return finding.outcome is Outcome.FAILED


def skipped(finding: Finding) -> bool:
    return finding.outcome is Outcome.SKIPPED


async def welcome(_: Peer, socket: ServerConnection) -> None:
    """A service that opens every session."""
    await say(socket, "session.created", session={"id": "s"})
    await socket.wait_closed()


@asynccontextmanager
async def answering(said: bytes | None) -> AsyncGenerator[int]:
    """A server on a free port that says this to whatever it is told, or for `None` nothing."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if said is None:
            await over.wait()
        else:
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            over.set()


@asynccontextmanager
async def tunnel(to_port: int) -> AsyncGenerator[tuple[int, list[str]]]:
    """An HTTP proxy that leads everybody to one port of loopback: its own port, and who asked for
    what."""
    asked_for: list[str] = []

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked_for.append(head.decode().splitlines()[0])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with suppress(ConnectionError):
            await asyncio.gather(pour(reader, far_writer), pour(far_reader, writer))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked_for


@contextmanager
def deaf() -> Generator[int]:
    """A port whose door is full: a further connection is neither taken nor refused."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(door.getsockname())
        try:
            yield door.getsockname()[1]
        finally:
            for each in waiting:
                each.close()


def http(date: str) -> bytes:
    """An answer of a service whose clock says `date`."""
    dated = f"Date: {date}\r\n" if date else ""
    return f"HTTP/1.1 404 Not Found\r\n{dated}Content-Length: 0\r\n\r\n".encode()
