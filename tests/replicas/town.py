"""Servers as their users start them, on one PostgreSQL and one local cloud; with a telephone, if it
is asked for, whose callbacks and media may be sent to whichever of them.

    async with town(cloud, shared_url, tmp_path) as there:
        async with there.a.caller() as (call_id, page): …
        await there.b.act(call_id, "whisper", text="Be brief.")

`cloud` is the fixture of `conftest`, `shared_url` that of `tests/stores.py`. A server's `process`
is there to be stopped, continued or killed; `another` starts one more.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.grid import Subscription
from switchboard_local.acs.people import PhoneCall
from switchboard_local.acs.serving import serving_acs
from tests.browser.peers import House as Door
from tests.browser.peers import Page
from tests.console.house import Served as Console
from tests.console.house import Stream
from tests.e2e.town import ROOT
from tests.local.realtime.doubles import Cloud
from tests.phone.ringing import AGENT, AS_IN_LIFE, CALLER, SECRET
from tests.ports import free_port
from tests.replicas.doorway import Doorway, doorway

START_S = 120.0
STOP_S = 30.0
WAIT_S = 30.0


@dataclass
class Server:
    """One of them."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    http: httpx.AsyncClient

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signal(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    # -- a caller by a browser --------------------------------------------------------------

    async def place(self, agent: str = "banking") -> dict[str, Any]:
        answer = await self.http.post("/api/calls", json={"agent": agent})
        assert answer.status_code == 201, answer.text
        return answer.json()

    @asynccontextmanager
    async def caller(self, agent: str = "banking") -> AsyncGenerator[tuple[str, Page]]:
        """Somebody on a call here who hears the agent: its id and their page."""
        placed = await self.place(agent)
        way_in = Door(self.port, exchange=None, tickets=None)  # pyright: ignore[reportArgumentType]  (only its address is used)
        async with way_in.dial(placed, max_queue=1_000) as opened:
            page = Page(opened)
            page.ready = await page.next("ready")
            await page.next("audio")
            yield placed["call"], page

    # -- an operator ------------------------------------------------------------------------

    @property
    def console(self) -> Console:
        """What an operator here does, over the wire."""
        return Console(None, None, self.port, self.http)  # pyright: ignore[reportArgumentType]  (from outside)

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncGenerator[Stream]:
        async with self.console.stream(path) as stream:
            yield stream

    async def act(self, call_id: str, type_: str, **deed: object) -> httpx.Response:
        return await self.console.act(call_id, type_, **deed)

    async def knows(self, call_id: str) -> dict[str, Any]:
        """The call as an operator here sees it, once it is written down."""
        with anyio.fail_after(WAIT_S):
            while True:
                answer = await self.http.get(f"/api/console/calls/{call_id}")
                if answer.status_code == 200:
                    return answer.json()
                await anyio.sleep(0.05)

    async def until(self, call_id: str, seen: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The call, once it is seen so from here."""
        with anyio.fail_after(WAIT_S):
            while not seen(call := await self.knows(call_id)):  # noqa: ASYNC110  (from outside)
                await anyio.sleep(0.05)
        return call


@dataclass
class Town:
    """Two servers, and what is around them."""

    cloud: Cloud
    place: Path
    shared: Mapping[str, str]
    """The environment of every server."""
    stack: AsyncExitStack
    servers: dict[str, Server] = field(default_factory=dict[str, Server])
    acs: Acs | None = None
    doorway: Doorway | None = None
    """What the carrier reaches; it decides who gets what."""

    @property
    def a(self) -> Server:
        return self.servers["a"]

    @property
    def b(self) -> Server:
        return self.servers["b"]

    async def another(self, name: str, **environment: str) -> Server:
        """Start one more, without waiting for it."""
        server = await self.stack.enter_async_context(
            _running(name, self.place, {**self.shared, **environment})
        )
        self.servers[name] = server
        return server

    async def ring(self) -> tuple[str, PhoneCall]:
        """Somebody rings and hears the agent: the call's id, and their telephone."""
        assert self.acs is not None
        with anyio.fail_after(WAIT_S):
            call = await self.acs.dial(self.acs.phone(CALLER), AGENT)
            await call.hear_ms(300)
        [line] = self.acs.calls.values()
        return line.about.callback_uri.rpartition("/")[2], call


@asynccontextmanager
async def town(
    cloud: Cloud,
    database_url: str,
    place: Path,
    *,
    telephone: bool = False,
    linked: bool = True,
    **environment: str,
) -> AsyncGenerator[Town]:
    """Servers `a` and `b`, ready. With a `telephone`, all that the carrier says goes to `a` until
    the doorway is told otherwise."""
    shared = {
        "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{cloud.port}",
        "DATABASE_URL": database_url,
        "LINKED": "yes" if linked else "",
        **environment,
    }
    async with AsyncExitStack() as stack:
        there = Town(cloud, place, shared, stack)
        if telephone:
            await _connect(there, stack)
        for name in ("a", "b"):
            await there.another(name)
        for server in there.servers.values():
            await ready(server)
        if there.doorway is not None and there.acs is not None:
            there.doorway.to = {"": there.a.port}
            where = f"{there.doorway.address}/api/phone/incoming?secret={SECRET}"
            await there.acs.grid.subscribe(Subscription(where))
        yield there


async def _connect(there: Town, stack: AsyncExitStack) -> None:
    assert there.cloud.issuer is not None
    served = await stack.enter_async_context(serving_acs(there.cloud.issuer, AS_IN_LIFE))
    there.acs = served.acs
    there.doorway = await stack.enter_async_context(doorway())
    there.shared = {
        "ACS_ENDPOINT": served.endpoint,
        "ACS_RESOURCE_ID": AS_IN_LIFE.resource_id,
        "ACS_ISSUER": served.acs.signer.issuer,
        "ACS_CA_FILE": str(served.ca_file),
        "ACS_NUMBER": AGENT,
        "EVENT_GRID_SECRET": SECRET,
        "PUBLIC_URL": there.doorway.address,
        "PHONE_AGENT": "banking",
        **there.shared,
    }


@asynccontextmanager
async def _running(
    name: str, place: Path, environment: Mapping[str, str]
) -> AsyncGenerator[Server]:
    port, log = free_port(), place / f"{name}.log"
    own = {"PORT": str(port), "DATA_DIR": str(place / name)}
    if environment["LINKED"]:
        own["REPLICA_URL"] = f"http://127.0.0.1:{port}"
    origin = f"http://127.0.0.1:{port}"
    process = _started({**environment, **own}, log)
    try:
        async with httpx.AsyncClient(
            base_url=origin, headers={"Origin": origin}, trust_env=False, timeout=WAIT_S
        ) as http:
            yield Server(name, port, process, log, http)
    finally:
        with anyio.CancelScope(shield=True):
            # In a thread: the carrier that it says goodbye to may be on our loop.
            await anyio.to_thread.run_sync(_stop, process)


def _started(environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "switchboard", "serve"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def ready(server: Server) -> None:
    """Until it takes calls."""
    with anyio.move_on_after(START_S):
        while server.process.poll() is None:
            try:
                if (await server.http.get("/health")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await anyio.sleep(0.1)
    raise AssertionError(f"{server.name} is not ready:\n{server.log.read_text()[-4000:]}")
