"""What the browser leg adds to a frame: time and CPU.

Simulated pages hold calls through the real product, which relays to `bench.standin`; the same pages
then talk to the stand-in directly. Rounds alternate, so that both meet the same machine.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import TOO_MANY_REQUESTS
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.pages import FRAME_S, Direct, Page, Product, Tally
from bench.processes import (
    PYTHON,
    answering,
    apart,
    cpu_seconds,
    free_port,
    resident_mib,
    running,
)
from bench.report import percentile

_OPEN_S: Final = 60.0
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Bench:
    """The two processes under load."""

    product_url: str
    product_pid: int
    standin_url: str
    standin_pid: int


@dataclass(frozen=True, slots=True)
class Round:
    """One window of one way."""

    p50_ms: float
    p99_ms: float
    cpu_us_per_frame: float
    core_percent: float
    lost: int
    disordered: int
    resident_mib: float


async def run(
    *, rounds: int = 3, seconds: float = 8.0, warm_up_s: float = 2.0, calls: str = "10,25"
) -> dict[str, Any]:
    """Measure. `calls` lists how many pages at once, separated by commas."""
    counts = [int(text) for text in str(calls).split(",")]
    found: dict[tuple[str, int], list[Round]] = {}
    async with benched() as bench:
        for _ in range(rounds):
            for count in counts:
                for way in ("direct", "product"):
                    one = await _round(bench, way, count, seconds, warm_up_s)
                    found.setdefault((way, count), []).append(one)
    return _result(found, counts)


def _result(found: dict[tuple[str, int], list[Round]], counts: list[int]) -> dict[str, Any]:
    added: list[dict[str, Any]] = []
    for count in counts:
        product, direct = found["product", count], found["direct", count]
        pairs = list(zip(product, direct, strict=True))
        added.append(
            {
                "calls": count,
                "added p50 ms": median(a.p50_ms - b.p50_ms for a, b in pairs),
                "added p99 ms": median(a.p99_ms - b.p99_ms for a, b in pairs),
                "CPU us/frame": median(one.cpu_us_per_frame for one in product),
                "core %": median(one.core_percent for one in product),
                "lost": sum(one.lost for one in product),
                "disordered": sum(one.disordered for one in product),
                "resident MiB": median(one.resident_mib for one in product),
            }
        )
    trips = [
        {
            "calls": count,
            "way": way,
            "round": number,
            "p50 ms": one.p50_ms,
            "p99 ms": one.p99_ms,
            "CPU us/frame": one.cpu_us_per_frame,
        }
        for (way, count), several in found.items()
        for number, one in enumerate(several, 1)
    ]
    return {
        "load": "50 frames a second each way and call, 20 ms of 24 kHz PCM, echoed 1:1",
        "added by the product (medians; CPU of its process per frame, either direction)": added,
        "round trips": trips,
    }


async def _round(bench: Bench, way: str, count: int, seconds: float, warm_up_s: float) -> Round:
    pid = bench.product_pid if way == "product" else bench.standin_pid
    async with talking(bench, way, count) as pages:
        await asyncio.sleep(warm_up_s)
        tallies = [Tally() for _ in pages]
        cpu = cpu_seconds(pid)
        began = time.perf_counter()
        for page, tally in zip(pages, tallies, strict=True):
            page.measure(tally)
        await asyncio.sleep(seconds)
        for page in pages:
            page.measure(None)
        elapsed = time.perf_counter() - began
        used = cpu_seconds(pid) - cpu
        memory = resident_mib(pid)
    return _round_of(tallies, used, elapsed, memory)


def _round_of(tallies: list[Tally], used_s: float, elapsed_s: float, memory: float) -> Round:
    trips = [trip for tally in tallies for trip in tally.trips_ms]
    if not trips:
        raise RuntimeError("Not one frame came back: the reply never began.")
    frames = sum(tally.sent + tally.received for tally in tallies)
    # A frame may be under way at either edge of the window; a missing one shows as disorder too.
    lost = sum(max(0, tally.sent - tally.received - 2) for tally in tallies)
    return Round(
        p50_ms=percentile(trips, 50),
        p99_ms=percentile(trips, 99),
        cpu_us_per_frame=used_s * 1e6 / frames,
        core_percent=100 * used_s / elapsed_s,
        lost=lost,
        disordered=sum(tally.disordered for tally in tallies),
        resident_mib=memory,
    )


@asynccontextmanager
async def talking(
    bench: Bench, way: str, count: int, frames: int = 1
) -> AsyncGenerator[list[Page]]:
    """Open all sockets, then talk and listen on each until the block ends. `frames` of 20 ms go
    into each message."""
    pages = [await _open(bench, way, frames) for _ in range(count)]
    start = time.perf_counter() + FRAME_S
    tasks: list[asyncio.Task[None]] = []
    try:
        async with asyncio.TaskGroup() as group:
            for number, (page, _) in enumerate(pages):
                # Calls are spread over the 20 ms, as independent callers are.
                tasks.append(
                    group.create_task(page.talk(start + FRAME_S * frames * number / count))
                )
                tasks.append(group.create_task(page.listen()))
            yield [page for page, _ in pages]
            for task in tasks:
                task.cancel()
    finally:
        await asyncio.gather(*(socket.close() for _, socket in pages))


async def _open(bench: Bench, way: str, frames: int) -> tuple[Page, ClientConnection]:
    async with asyncio.timeout(_OPEN_S):
        if way == "direct":
            return await _open_direct(bench.standin_url, frames)
        return await _open_call(bench.product_url, frames)


async def _open_direct(url: str, frames: int) -> tuple[Page, ClientConnection]:
    address = url.replace("http", "ws", 1) + "/openai/v1/realtime?model=standin"
    socket = await connect(address, compression=None, ping_interval=None)
    await socket.send(_encode({"type": "response.create"}), text=True)
    await _until(socket, b"response.output_item.added")
    return Page(socket, Direct(), frames), socket


async def _open_call(url: str, frames: int) -> tuple[Page, ClientConnection]:
    call = await _placed(url)
    socket = await connect(
        url.replace("http", "ws", 1) + call["socket"],
        origin=Origin(url),
        subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{call['ticket']}")],
        compression=None,
        ping_interval=None,
    )
    await _until(socket, b'"ready"')
    return Page(socket, Product(), frames), socket


async def _placed(url: str) -> dict[str, Any]:
    """A call of the default agent, waiting for its page. Waits its turn when told to."""
    origin = {"Origin": url}
    async with httpx.AsyncClient(base_url=url, headers=origin, trust_env=False) as client:
        config = (await client.get("/api/config")).raise_for_status().json()
        while True:
            placed = await client.post("/api/calls", json={"agent": config["defaultAgent"]})
            if placed.status_code != TOO_MANY_REQUESTS:
                return placed.raise_for_status().json()
            await asyncio.sleep(float(placed.headers.get("Retry-After", "1")))


async def _until(socket: ClientConnection, word: bytes) -> None:
    while word not in await socket.recv(decode=False):
        pass


@asynccontextmanager
async def standing_in(module: str = "bench.standin") -> AsyncGenerator[tuple[str, int]]:
    """A stand-in for the service, ready: its address and process id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        async with running([PYTHON, "-m", module, str(port)], {}, log) as process:
            await answering(f"{url}/health", process, log)
            yield url, process.pid


@asynccontextmanager
async def benched(
    module: str = "switchboard", settings: Mapping[str, str] | None = None
) -> AsyncGenerator[Bench]:
    """The stand-in and the product, on a core of its own where there are two."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        async with standing_in() as (model_url, model_pid):
            environment = product_environment(port, model_url, Path(scratch, "data"))
            environment |= settings or {}
            serve = [PYTHON, "-m", module, "serve"]
            async with running(serve, environment, log) as product:
                await answering(f"{url}/health", product, log)
                with apart(product.pid, model_pid):
                    yield Bench(url, product.pid, model_url, model_pid)


def product_environment(port: int, endpoint: str, data: Path) -> dict[str, str]:
    """What the product is told: where to listen, and to take tokens and model from `endpoint`."""
    return {
        "PORT": str(port),
        "AZURE_OPENAI_ENDPOINT": endpoint,
        "IDENTITY_ENDPOINT": f"{endpoint}/msi/token",
        "IDENTITY_HEADER": "bench",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "DATA_DIR": str(data),
        "MAX_CALLS": "1000",
        "CALL_USER_PER_MINUTE": "60000",
        "CALL_ADDRESS_PER_MINUTE": "60000",
        "CALL_AGENT_PER_MINUTE": "60000",
        "LOG_LEVEL": "WARNING",
    }
