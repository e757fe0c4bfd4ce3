"""Who is measured: the product, whole and with nothing kept, and relays to compare it with."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from bench.fastmodel import HOST, Service
from bench.load import Caller, Desk, Page, Straight, Telephone, connect, connect_page, leave
from bench.processes import PYTHON, answering, free_port, pin, running, tail
from bench.relay import product_environment
from bench.report import ROOT
from bench.trunk import Trunk, trunk

type Kind = Literal["direct", "splice", "bare", "plain", "product"]

DIRECT: Final = "direct"
SPLICE: Final = "splice"
BARE: Final = "bare relay"
PLAIN: Final = "plain relay"
PRODUCT: Final = "product"
UNKEPT: Final = "product, nothing kept"
BASE: Final = "base"
_SPLICE_C: Final = ROOT / "bench" / "relays" / "splice.c"
_LIMITS: Final = {
    "MAX_CALLS": "10000",
    "CALLS_USER_AT_ONCE": "10000",
    "CALLS_ADDRESS_AT_ONCE": "10000",
    "CALLS_AGENT_AT_ONCE": "10000",
    "CALL_STRANGER_PER_MINUTE": "60000",
    "CALL_USER_PER_MINUTE": "60000",
    "CALL_ADDRESS_PER_MINUTE": "60000",
    "CALL_AGENT_PER_MINUTE": "60000",
    "PHONE_CALLER_PER_MINUTE": "60000",
    "PHONE_CALLER_AT_ONCE": "10000",
    "SOCKETS_PER_ADDRESS": "100000",
}
_RING_S: Final = 60.0
_MODEL: Final = "/openai/v1/realtime?model=standin"


@dataclass(slots=True)
class Contestant:
    """A server under test, and how it is called."""

    name: str
    kind: Kind
    port: int
    pid: int | None
    """`None` for the direct way, which has no server between."""
    desk: Desk | None = None
    is_phone: bool = False
    trunk: Trunk | None = None
    """The carrier of a product that is called by telephone."""
    idle_kib: float = 0.0
    """Resident before its first call of the run."""
    workers: Sequence[int] = ()
    """Its other processes, where there are several."""

    @classmethod
    def direct(cls, service: Service) -> "Contestant":
        """No contestant at all."""
        return cls(DIRECT, "direct", port_of(service.url), None)

    async def leave(self, callers: Sequence[Caller]) -> None:
        """All hang up."""
        if self.trunk is not None:
            phones = [caller for caller in callers if isinstance(caller, Telephone)]
            await asyncio.gather(*(self.trunk.hang_up(phone) for phone in phones))
        await leave(callers)

    async def call(self, number: int, step: int = 1) -> Caller:
        """A caller of its, ready to talk."""
        if self.trunk is not None:
            context, media = await self.trunk.rung(_RING_S)
            headers = {"Authorization": self.trunk.bearer, "x-ms-call-connection-id": context}
            phone = Telephone(number, step, connection=context)
            return await connect(phone, self.port, media.raw_path.decode(), headers)
        if self.is_phone and self.kind in ("bare", "plain"):
            return await connect(Telephone(number, step), self.port, "/phone")
        if self.kind == "product":
            assert self.desk is not None
            return await connect_page(Page(number, step), self.desk, self.port)
        if self.kind in ("direct", "splice"):
            return await connect(Straight(number, step), self.port, _MODEL)
        return await connect(Page(number, step), self.port, "/page")


@dataclass(frozen=True, slots=True)
class Ring:
    """What all contestants of one run share."""

    service: Service
    scratch: Path
    ca_file: Path
    core: int

    def model(self, *, secure: bool) -> str:
        return self.service.secure_url if secure else self.service.url


@asynccontextmanager
async def contestants(
    ring: Ring,
    names: Sequence[str],
    *,
    secure: bool = False,
    phone: bool = False,
    base: Path | None = None,
) -> AsyncGenerator[list[Contestant]]:
    """Those named, serving; their model is reached over TLS if `secure`, and they by telephone if
    `phone`."""
    async with AsyncExitStack() as stack:
        found: list[Contestant] = []
        for name in names:
            carrier = None
            if phone and name in (PRODUCT, BASE):
                carrier = await stack.enter_async_context(trunk())
            how = _Way(secure, phone, carrier, base)
            found.append(await stack.enter_async_context(_serving(ring, name, how)))
        yield found


@dataclass(frozen=True, slots=True)
class _Way:
    """How a contestant is reached, and reaches its model."""

    secure: bool
    phone: bool
    trunk: Trunk | None
    base: Path | None


@asynccontextmanager
async def _serving(ring: Ring, name: str, how: _Way) -> AsyncGenerator[Contestant]:
    if name == DIRECT:
        yield Contestant.direct(ring.service)
        return
    port, model = free_port(), ring.model(secure=how.secure)
    with TemporaryDirectory(dir=ring.scratch) as folder:
        log = Path(folder, "log")
        command, environment, kind = _command(ring, name, port, model, Path(folder), how.base)
        environment["SSL_CERT_FILE"] = str(ring.ca_file)
        if how.trunk is not None:
            how.trunk.product = f"http://{HOST}:{port}"
            environment |= how.trunk.environment(how.trunk.product) | {"ALLOW_ANONYMOUS": "true"}
        async with running(command, environment, log) as process:
            await _until_open(port, process, log)
            if kind == "product":
                await answering(f"http://{HOST}:{port}/health", process, log)
            if name == UNKEPT:
                os.kill(process.pid, signal.SIGUSR1)
            pin_threads(process.pid, ring.core)
            desk = Desk(port) if kind == "product" else None
            if how.trunk is not None:
                await how.trunk.opened()
            yield Contestant(name, kind, port, process.pid, desk, how.phone, how.trunk)
            if desk is not None:
                desk.close()


def _command(
    ring: Ring, name: str, port: int, model: str, folder: Path, base: Path | None
) -> tuple[list[str], dict[str, str], Kind]:
    if name == SPLICE:
        return [str(compiled_splice(ring.scratch)), str(port), str(port_of(model))], {}, "splice"
    if name in (BARE, PLAIN):
        module = f"bench.relays.{'bare' if name == BARE else 'plain'}"
        url = model.replace("http", "ws", 1) + _MODEL
        return [PYTHON, "-m", module, str(port), url], {}, "bare" if name == BARE else "plain"
    environment = product_settings(ring, port, model, folder)
    if name == UNKEPT:
        return [PYTHON, "-m", "bench.switched", "serve"], environment, "product"
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = ring.service.http_url
    python = PYTHON
    if name == BASE:
        assert base is not None
        environment |= {
            "PYTHONPATH": str(base / "src"),
            "SESSION_CONFIG": str(base / "session_config.json"),
        }
        own = base / ".venv" / "bin" / "python"
        python = str(own) if own.exists() else PYTHON
    return [python, "-m", "switchboard", "serve"], environment, "product"


def product_settings(ring: Ring, port: int, model: str, folder: Path) -> dict[str, str]:
    """What the product is told, with every limit out of the way."""
    told = product_environment(port, model, folder / "data") | _LIMITS
    return told | {"IDENTITY_ENDPOINT": f"{ring.service.http_url}/msi/token"}


def port_of(url: str) -> int:
    """The port of an address that ends in it."""
    return int(url.rpartition(":")[2])


def compiled_splice(folder: Path) -> Path:
    """The program of `relays/splice.c`. Raises `RuntimeError` where there is no compiler."""
    program = folder / "splice"
    if program.exists():
        return program
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("The splice is written in C and there is no compiler: install cc.")
    command = [compiler, "-O2", "-o", str(program), str(_SPLICE_C)]
    subprocess.run(command, check=True, timeout=60)
    return program


async def _until_open(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(60):
            while process.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
    raise RuntimeError(f"Nobody listens on {port}. It said:\n{tail(log)}")


def pin_threads(pid: int, core: int) -> None:
    """All threads that a process has by now, on one core; those it starts inherit it."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            pin(int(thread.name), {core})
