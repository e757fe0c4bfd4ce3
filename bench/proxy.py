"""The Voice Live proxy under load: lines that are held, and lines on which people speak.

First `idle` clients take their lines through the real product, and keep them. Then, in rounds that
alternate, `speaking` clients talk to the stand-in service directly, and through the product.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bench.processes import (
    PYTHON,
    answering,
    apart,
    cpu_seconds,
    free_port,
    go_first,
    resident_mib,
    room_for_files,
    running,
)
from bench.relay import product_environment, standing_in
from bench.report import percentile
from bench.talkers import Idler, Talker, Tally, keep_talking
from bench.wire import ClientWire

_AT_ONCE: Final = 16
"""Clients that open their lines at the same time."""
_PROXY: Final = "/ws?model=standin"
_DIRECT: Final = "/voice-live/realtime?model=standin"
_SETTLE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bench:
    """The two processes under load."""

    product_url: str
    product_pid: int
    service_url: str


@dataclass(frozen=True, slots=True)
class Round:
    """One window of one way."""

    p50_ms: float
    p99_ms: float
    core_percent: float
    cpu_us_per_message: float
    kib_per_line: float
    sent: int
    lost: int
    disordered: int
    closed: int


async def run(
    *,
    idle: int = 1_000,
    speaking: str = "50,200",
    rounds: int = 3,
    seconds: float = 10.0,
    warm_up_s: float = 3.0,
    idle_s: float = 25.0,
    first: int = 0,
) -> dict[str, Any]:
    """Measure. `speaking` lists how many speak at once; `idle_s` is longer than a ping's period.

    `first=1` is for a machine that others use: see `go_first`.
    """
    counts = [int(text) for text in str(speaking).split(",")]
    # In the product a line is two sockets; here it is one, and the stand-in has the other.
    room_for_files(2 * (idle + max(counts)) + 500)
    found: dict[tuple[str, int], list[Round]] = {}
    async with _bench(idle + max(counts) + 10, go_first_of_all=bool(first)) as bench:
        held, opening = await _hold(bench, idle, idle_s)
        for _ in range(rounds):
            for count in counts:
                for way in ("direct", "proxy"):
                    one = await _round(bench, way, count, seconds, warm_up_s)
                    found.setdefault((way, count), []).append(one)
        opening["closed by the end"] = sum(line.closed is not None for line in held)
        opening["pings answered"] = sum(line.pings for line in held)
        opening["lines that answered none"] = sum(line.pings == 0 for line in held)
        opening["lines the product counts"] = await _active(bench)
        await _leave(held)
        opening["lines left after all went"] = await _active(bench)
    return _result(opening, found, counts)


def _result(
    opening: dict[str, Any], found: dict[tuple[str, int], list[Round]], counts: list[int]
) -> dict[str, Any]:
    return {
        "load of one that speaks": "50 frames a second up (20 ms), a delta of 200 ms 5 times down",
        "idle lines": opening,
        "speaking lines, beside the idle ones (medians of the rounds)": [
            _row(count, found["proxy", count], found["direct", count]) for count in counts
        ],
        "round trips": [
            {"speaking": count, "way": way, "round": number, "p50 ms": one.p50_ms,
             "p99 ms": one.p99_ms, "core %": one.core_percent, "frames": one.sent}
            for (way, count), several in found.items()
            for number, one in enumerate(several, 1)
        ],
    }  # fmt: skip


def _row(count: int, proxied: Sequence[Round], direct: Sequence[Round]) -> dict[str, Any]:
    pairs = list(zip(proxied, direct, strict=True))
    return {
        "speaking": count,
        "core %": median(one.core_percent for one in proxied),
        "CPU us/message": median(one.cpu_us_per_message for one in proxied),
        "p50 ms": median(one.p50_ms for one in proxied),
        "p99 ms": median(one.p99_ms for one in proxied),
        "added p50 ms": median(a.p50_ms - b.p50_ms for a, b in pairs),
        "added p99 ms": median(a.p99_ms - b.p99_ms for a, b in pairs),
        "p50 / direct": median(a.p50_ms / b.p50_ms for a, b in pairs),
        "p99 / direct": median(a.p99_ms / b.p99_ms for a, b in pairs),
        "KiB/line": median(one.kib_per_line for one in proxied),
        "lost": sum(one.lost for one in proxied),
        "disordered": sum(one.disordered for one in proxied),
        "closed": sum(one.closed for one in proxied),
    }


async def _hold(bench: Bench, count: int, seconds: float) -> tuple[list[Idler], dict[str, Any]]:
    """Take `count` lines and hold them for a while."""
    before, used = resident_mib(bench.product_pid), cpu_seconds(bench.product_pid)
    began = time.perf_counter()
    held = await _open(bench.product_url, _PROXY, count, Idler)
    took = time.perf_counter() - began
    while await _active(bench) < count:  # noqa: ASYNC110  (another process's count)
        await asyncio.sleep(0.05)
    used = cpu_seconds(bench.product_pid) - used
    await asyncio.sleep(_SETTLE_S)
    kib = 1024 * (resident_mib(bench.product_pid) - before) / max(count, 1)
    quiet = cpu_seconds(bench.product_pid)
    await asyncio.sleep(seconds)
    quiet = (cpu_seconds(bench.product_pid) - quiet) / seconds
    return held, {
        "lines": count,
        "set-ups/s": count / took,
        "CPU ms/set-up": 1_000 * used / max(count, 1),
        "KiB/line": kib,
        "core %, nobody speaking": 100 * quiet,
    }


async def _round(bench: Bench, way: str, count: int, seconds: float, warm_up_s: float) -> Round:
    url, target = (bench.product_url, _PROXY) if way == "proxy" else (bench.service_url, _DIRECT)
    before = resident_mib(bench.product_pid)
    talkers = await _open(url, target, count, Talker)
    talking = asyncio.create_task(keep_talking(talkers))
    await asyncio.sleep(warm_up_s)
    tally = Tally()
    used, began = cpu_seconds(bench.product_pid), time.perf_counter()
    for talker in talkers:
        talker.tally = tally
    await asyncio.sleep(seconds)
    for talker in talkers:
        talker.tally = None
    elapsed, used = time.perf_counter() - began, cpu_seconds(bench.product_pid) - used
    kib = 1024 * (resident_mib(bench.product_pid) - before) / count
    talking.cancel()
    counts = await asyncio.gather(*(talker.ask_counts() for talker in talkers))
    closed = sum(talker.closed is not None for talker in talkers)
    await _leave(talkers)
    if not tally.trips_ms:
        raise RuntimeError("Not one delta came back.")
    return Round(
        p50_ms=percentile(tally.trips_ms, 50),
        p99_ms=percentile(tally.trips_ms, 99),
        core_percent=100 * used / elapsed,
        cpu_us_per_message=1e6 * used / (tally.sent + tally.deltas),
        kib_per_line=kib,
        sent=tally.sent,
        lost=sum(t.sent - said["received"] for t, said in zip(talkers, counts, strict=True)),
        disordered=tally.disordered + sum(said["disordered"] for said in counts),
        closed=closed,
    )


async def _open[W: ClientWire](
    url: str, target: str, count: int, kind: Callable[[str, int, str], W]
) -> list[W]:
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
    places = asyncio.Semaphore(_AT_ONCE)

    async def one() -> W:
        async with places, asyncio.timeout(30):
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(lambda: kind(host, port, target), host, port)
            await wire.upgraded
            return wire

    return await asyncio.gather(*(one() for _ in range(count)))


async def _leave(lines: Sequence[ClientWire]) -> None:
    for line in lines:
        line.leave()
    async with asyncio.timeout(30):
        await asyncio.gather(*(line.gone.wait() for line in lines))
    await asyncio.sleep(_SETTLE_S)


async def _active(bench: Bench) -> int:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        return (await client.get(f"{bench.product_url}/health")).json()["activeConnections"]


@asynccontextmanager
async def _bench(most: int, *, go_first_of_all: bool) -> AsyncGenerator[Bench]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        async with standing_in("bench.voice_live") as (service_url, service_pid):
            environment = {
                **product_environment(port, service_url, Path(scratch, "data")),
                "AZURE_VOICELIVE_ENDPOINT": service_url,
                "VOICE_LIVE_PROXY": "true",
                "PROXY_MAX_CONNECTIONS": str(most),
                "PROXY_ADDRESS_PER_MINUTE": "60000",
                "PROXY_USER_PER_MINUTE": "60000",
            }
            serve = [PYTHON, "-m", "switchboard", "serve"]
            async with running(serve, environment, log) as product:
                await answering(f"{url}/health", product, log)
                if go_first_of_all:
                    go_first((product.pid, service_pid, 0))
                with apart(product.pid, service_pid):
                    yield Bench(url, product.pid, service_url)
