"""Servers of an evaluation's own: the whole product, answering on loopback, one call at a time.

Each has its own data directory, so that a conversation finds the demo database as it was seeded.
What happens on a call is seen by an observer, as telemetry sees it.
"""

import secrets
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import uvicorn
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi import FastAPI

from switchboard.app import create_app
from switchboard.browser.protocol import MAX_FRAME_BYTES
from switchboard.browser.requests import BoundedRequests
from switchboard.browser.sockets import BoundedSockets
from switchboard.conversation.commands import Note, NoteUsage
from switchboard.conversation.legs import Dial
from switchboard.errors import ConfigurationError
from switchboard.evals.attention import Attention
from switchboard.evals.cloud import Carrier
from switchboard.evals.evidence import Evidence
from switchboard.exchange.observer import UNWATCHED, Particulars, Watch
from switchboard.house import READY_PATH
from switchboard.reception import DEMO_FILE
from switchboard.settings import Settings
from switchboard.tools.demo import DemoDatabase

LOOPBACK: Final = "127.0.0.1"
START_S: Final = 60.0
ENDED_S: Final = 15.0
POLL_S: Final = 0.05
ALONE: Final[Mapping[str, Any]] = {
    "host": LOOPBACK,
    "allow_anonymous": False,
    "allowed_origins": (),
    "trusted_proxies": (),
    "sign_in_client_id": None,
    "sign_in_tenant_id": (),
    "database_url": None,
    "replica_url": None,
    "after_calls": False,
    "voice_live_proxy": False,
    "session_minting": False,
    "webrtc": False,
    "recordings_max_mb": 0,
    "dial_allowed": (),
    "applicationinsights_connection_string": None,
    "otel_exporter_otlp_endpoint": None,
    "budget_user_usd_a_day": None,
    "budget_user_minutes_a_day": None,
    "budget_usd_a_day": None,
    "budget_minutes_a_day": None,
    "call_user_per_minute": 10_000.0,
    "call_address_per_minute": 10_000.0,
    "call_agent_per_minute": 10_000.0,
    "phone_caller_per_minute": 10_000.0,
    "drain_seconds": 0.0,
}
"""What such a server is told whatever the environment says: nobody comes to it from outside, and
it tells nobody."""


class Witness:
    """Observes a server that has one call at a time."""

    def __init__(self) -> None:
        self._evidence: Evidence | None = None
        self._attention: Attention | None = None
        self._ended = anyio.Event()

    @contextmanager
    def on(self, evidence: Evidence, attention: Attention | None) -> Generator[None]:
        """Whose the next call is. Without `attention`, only what a page is not told is noted."""
        self._evidence, self._attention = evidence, attention
        self._ended = anyio.Event()
        try:
            yield
        finally:
            self._evidence = self._attention = None

    async def ended(self) -> None:
        """Until the call has; bounded."""
        with anyio.move_on_after(ENDED_S):
            await self._ended.wait()

    # -- the exchange's half ----------------------------------------------------------------

    def origin(self) -> object:
        return None

    def began(self, call: Particulars, origin: object) -> Watch:
        del call, origin
        if self._evidence is None:
            return UNWATCHED
        return _Seen(self._evidence, self._attention, self._ended)


class _Seen:
    """Of one call."""

    def __init__(self, evidence: Evidence, attention: Attention | None, ended: anyio.Event) -> None:
        self._evidence = evidence
        self._attention = attention
        self._ended = ended
        self._began = time.monotonic()

    def noted(self, note: Note) -> None:
        if self._attention is not None:
            self._evidence.note(note, (time.monotonic() - self._began) * 1_000)
            self._attention.note(note)
        elif isinstance(note, NoteUsage):
            self._evidence.note(note, 0.0)

    def watched(self, dial: Dial) -> Dial:
        return dial

    def ended(self, reason: str) -> None:
        if self._attention is not None:
            self._evidence.ended = reason
            self._evidence.seconds = time.monotonic() - self._began
            self._attention.end()
        self._ended.set()


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    address: str
    folder: Path
    witness: Witness
    number: str | None = None
    """By which it is rung."""

    def begin_anew(self) -> None:
        """The demo database is seeded again by its next use."""
        for path in self.folder.glob(f"{DEMO_FILE}*"):
            path.unlink()

    async def keep(self, folder: Path) -> Path:
        """A copy of the demo database as the call has left it, to be judged."""
        async with DemoDatabase(self.folder / DEMO_FILE).reading():
            """It is made by its first use, and has to be there though no tool used it."""
        copy = folder / DEMO_FILE
        await to_thread.run_sync(_copied, self.folder / DEMO_FILE, copy)
        return copy


def _copied(source: Path, copy: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as found,
        closing(sqlite3.connect(copy)) as kept,
    ):
        found.backup(kept)


type _Ends = tuple[MemoryObjectSendStream[Server], MemoryObjectReceiveStream[Server]]


@dataclass(slots=True)
class Servers:
    """Those there are, by the agent who answers their telephone; `None` where they have none."""

    ends: dict[str | None, _Ends] = field(default_factory=dict[str | None, _Ends])

    @asynccontextmanager
    async def one(self, agent: str | None) -> AsyncGenerator[Server]:
        """A server that nobody else uses meanwhile."""
        put, take = self.ends[agent]
        server = await take.receive()
        try:
            server.begin_anew()
            yield server
        finally:
            put.send_nowait(server)


@asynccontextmanager
async def servers(
    agents: Sequence[str | None], folder: Path, at_once: int, carrier: Carrier | None
) -> AsyncGenerator[Servers]:
    """As many as conversations with these agents can be held at once: of `None`, one that any
    agent answers on. With a carrier each has a number. Raises `ConfigurationError`."""
    found = Servers()
    async with AsyncExitStack() as stack:
        for agent, wanted in Counter(agents).items():
            count = min(wanted, at_once)
            ends = anyio.create_memory_object_stream[Server](count)
            for end in ends:
                stack.push(end)  # pyright: ignore[reportUnknownMemberType]
            found.ends[agent] = ends
            for number in range(count):
                place = folder / f"{agent or 'any'}-{number}"
                server = await stack.enter_async_context(_serving(place, agent, carrier))
                ends[0].send_nowait(server)
        yield found


@asynccontextmanager
async def _serving(
    folder: Path, agent: str | None, carrier: Carrier | None
) -> AsyncGenerator[Server]:
    with socket.create_server((LOOPBACK, 0)) as door:
        port: int = door.getsockname()[1]
        address = f"http://{LOOPBACK}:{port}"
        bell = secrets.token_urlsafe(32)
        number = None if carrier is None else carrier.take_number()
        told: dict[str, Any] = {**ALONE, "port": port, "public_url": address}
        if carrier is not None:
            told |= carrier.settings(number, bell)
        settings = Settings(**told, data_dir=folder, phone_agent=agent)
        witness = Witness()
        app = create_app(settings, observer=witness)
        async with _answering(app, door, address):
            if carrier is not None and number is not None:
                await _until_open(app)
                await carrier.subscribe(number, f"{address}/api/phone/incoming?secret={bell}")
            yield Server(address, folder, witness, number)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def _answering(app: FastAPI, door: socket.socket, address: str) -> AsyncGenerator[None]:
    config = uvicorn.Config(
        app,
        log_config=None,
        http=BoundedRequests,
        ws=BoundedSockets,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    server = _Uvicorn(config)
    stopped = anyio.Event()

    async def serve() -> None:
        # Shielded: told to stop, it closes its connections rather than dropping them.
        with anyio.CancelScope(shield=True):
            try:
                await server.serve([door])
            except SystemExit:
                pass  # uvicorn's, where the house could not be opened: said below
            finally:
                stopped.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            await _until_ready(app, address, stopped)
            yield
        finally:
            server.should_exit = True


async def _until_ready(app: FastAPI, address: str, stopped: anyio.Event) -> None:
    with anyio.move_on_after(START_S):
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while not stopped.is_set():
                try:
                    if (await http.get(f"{address}{READY_PATH}")).is_success:
                        return
                except httpx.HTTPError:
                    pass
                await anyio.sleep(POLL_S)
    refusal = app.state.house.refusal
    raise refusal or ConfigurationError("The server for the evaluation did not become ready.")


async def _until_open(app: FastAPI) -> None:
    """Until it can answer a telephone: its carrier opens beside what it waits for."""
    carrier = app.state.house.telephone.carrier
    with anyio.move_on_after(START_S):
        while not carrier.is_open:  # noqa: ASYNC110  (a fact without an event)
            await anyio.sleep(POLL_S)
