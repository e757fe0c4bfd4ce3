"""Windows of a measurement: callers who speak through one contestant, and what that cost it."""

import asyncio
import gc
import os
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.contestants import Contestant, Ring
from bench.fastmodel import Arrived, Pattern, Service, standing_in
from bench.load import Caller, Tally, keep_talking
from bench.processes import family, family_cpu_seconds, pin, resident_mib, uncollected
from bench.report import percentile
from bench.stamps import DELTA_FRAMES
from switchboard_local.acs.serving import make_certificates

_AT_ONCE: Final = 16
"""Calls that are set up at the same time."""
_FIRST_S: Final = 20.0
_DRAIN_S: Final = 5.0
_SETTLE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Round:
    """One window of one contestant."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    pause_ms: float
    cpu_us_per_message: float
    cpu_ms_per_call_s: float
    core: float
    kib_per_call: float
    messages: int
    skipped: int
    """Frames that were missing at the model before the window began."""
    lost: int
    disordered: int
    closed: int
    steal: float
    """Share of the machine's time that its host gave to others."""


@asynccontextmanager
async def ringed(*, first: bool = False) -> AsyncGenerator[Ring]:
    """The stand-in, plain and over TLS, and this process on the last core. What it starts
    inherits that it goes `first`."""
    cores = sorted(os.sched_getaffinity(0))
    if first:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with TemporaryDirectory() as folder:
        made = make_certificates(Path(folder))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(made.server.chain, made.server.key)
        async with standing_in(tls) as service:
            pin(0, {cores[-1]})
            try:
                with uncollected():
                    yield Ring(service, Path(folder), made.ca_file, cores[0])
            finally:
                pin(0, set(cores))


async def warm(ring: Ring, them: Sequence[Contestant]) -> None:
    """One short call each, so that nobody's first is measured; then what they hold when idle."""
    for one in them:
        await window(ring, one, "echo", 1, seconds=0.5, warm_up_s=0.2)
        if one.pid is not None:
            one.idle_kib = 1024 * resident_mib(one.pid)


@dataclass(slots=True)
class Talk:
    """Callers who speak, until they are hushed."""

    callers: list[Caller]
    _speaking: asyncio.Task[None]

    async def hush(self) -> None:
        self._speaking.cancel()
        await asyncio.gather(self._speaking, return_exceptions=True)


@asynccontextmanager
async def talking(
    ring: Ring, one: Contestant, pattern: Pattern, count: int
) -> AsyncGenerator[Talk]:
    """So many callers, all of them answered, until the block ends."""
    ring.service.pattern = pattern
    ring.service.arrived.clear()
    callers: list[Caller] = []
    talk = None
    try:
        await opened(one, callers, count, DELTA_FRAMES if pattern == "mix" else 1)
        talk = Talk(callers, asyncio.create_task(keep_talking(callers)))
        async with asyncio.timeout(_FIRST_S):
            await asyncio.gather(*(caller.first.wait() for caller in callers))
        yield talk
    finally:
        if talk is not None:
            await talk.hush()
        await one.leave([caller for caller in callers if not caller.gone.is_set()])
        gc.collect()
        await asyncio.sleep(_SETTLE_S)


async def opened(one: Contestant, callers: list[Caller], count: int, step: int) -> None:
    """Add so many calls of a contestant to `callers`."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def call(number: int) -> None:
        async with places:
            callers.append(await one.call(number, step))

    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(call(number))


async def window(
    ring: Ring, one: Contestant, pattern: Pattern, count: int, *, seconds: float, warm_up_s: float
) -> Round:
    """One window: set up, warmed up, measured, and left."""
    async with talking(ring, one, pattern, count) as talk:
        await asyncio.sleep(warm_up_s)
        tally = Tally(last_ns=time.perf_counter_ns())
        skipped = _skipped(ring.service)
        machine, used, began = machine_times(), _cpu(one), time.perf_counter()
        count_into(talk.callers, tally)
        await asyncio.sleep(seconds)
        count_into(talk.callers, None)
        elapsed, used = time.perf_counter() - began, _cpu(one) - used
        steal = stolen_since(machine)
        kib = 1024 * resident_mib(one.pid) - one.idle_kib if one.pid else 0.0
        closed = sum(caller.gone.is_set() for caller in talk.callers)
        await talk.hush()
        lost = await _lost(ring.service, talk.callers, sum(skipped))
        late = sum(came.disordered for came in ring.service.arrived.values())
    trips = [trip / 1e6 for trip in tally.trips_ns]
    if not trips:
        raise RuntimeError(f"{one.name}: not one frame came back.")
    messages = tally.sent + tally.received
    return Round(
        p50_ms=percentile(trips, 50),
        p95_ms=percentile(trips, 95),
        p99_ms=percentile(trips, 99),
        max_ms=max(trips),
        pause_ms=tally.pause_ns / 1e6,
        cpu_us_per_message=1e6 * used / messages,
        cpu_ms_per_call_s=1e3 * used / (count * elapsed),
        core=used / elapsed,
        kib_per_call=kib / count,
        messages=messages,
        skipped=sum(skipped),
        lost=lost,
        # Each gap was one, too.
        disordered=tally.disordered + late - sum(map(bool, skipped)),
        closed=closed,
        steal=steal,
    )


def _cpu(one: Contestant) -> float:
    if one.pid is None:
        return 0.0
    known = family(one.pid)
    return family_cpu_seconds(one.pid) + sum(
        family_cpu_seconds(pid) for pid in one.workers if pid not in known
    )


def count_into(callers: Sequence[Caller], tally: Tally | None) -> None:
    """From now on they count into it, or into none."""
    for caller in callers:
        caller.tally = tally


def _skipped(service: Service) -> list[int]:
    return [came.skipped for came in service.arrived.values()]


async def _lost(service: Service, callers: Sequence[Caller], skipped: int) -> int:
    """Frames lost on either way beyond those `skipped`, once nobody speaks and what is under way
    has come."""

    def lost() -> int:
        arrived = [service.arrived.get(caller.call, Arrived()) for caller in callers]
        missing = sum(
            came.lost_of(caller.sent) + came.returned - caller.received
            for caller, came in zip(callers, arrived, strict=True)
        )
        return missing - skipped

    until = time.perf_counter() + _DRAIN_S
    while lost() and time.perf_counter() < until:  # noqa: ASYNC110  (counts without events)
        await asyncio.sleep(0.02)
    return lost()


def machine_times() -> tuple[int, int]:
    """Of all cores, since the machine started: ticks in all, and those its host gave to others."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(map(int, fields)), int(fields[7])


def stolen_since(before: tuple[int, int]) -> float:
    """The share of the machine's time since then that went to others."""
    all_now, stolen_now = machine_times()
    return (stolen_now - before[1]) / max(all_now - before[0], 1)
