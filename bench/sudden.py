"""What comes suddenly: barge-ins, and calls that are set up while others run."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench.contestants import Contestant, Ring
from bench.fastmodel import BURST_DELTAS
from bench.load import Caller, Tally
from bench.processes import cpu_seconds
from bench.report import percentile
from bench.rounds import count_into, talking
from bench.stamps import FRAME_S, stamp

_PATIENCE_S: Final = 20.0
_BETWEEN_S: Final = 0.03
_AFTER_BURST_S: Final = 0.25
_AT_ONCE: Final = 16
_BESIDE: Final = 100_000
"""Calls that come while others run are numbered from here."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of some times, in milliseconds."""

    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> "Spread":
        return cls(percentile(times_ms, 50), percentile(times_ms, 99), max(times_ms))


async def barge_ins(
    ring: Ring, one: Contestant, *, calls: int, times: int, behind_burst: bool
) -> Spread:
    """From `speech_started` at the model to the caller's silence. `behind_burst`: five seconds of
    the reply are sent right before it, and nothing else comes back."""
    found: list[float] = []
    async with talking(ring, one, "echo", calls) as talk:
        if behind_burst:
            ring.service.pattern = "listen"
        for number in range(times):
            caller = talk.callers[number % calls]
            await asyncio.sleep(_AFTER_BURST_S if behind_burst else _BETWEEN_S)
            session = ring.service.sessions[caller.call]
            caller.flushed = asyncio.get_running_loop().create_future()
            if behind_burst:
                letters = stamp(caller.call, number, time.perf_counter_ns())
                for _ in range(BURST_DELTAS):
                    session.say(letters)
            said_ns = session.speech()
            async with asyncio.timeout(_PATIENCE_S):
                found.append((await caller.flushed - said_ns) / 1e6)
    return Spread.of(found)


async def set_ups(ring: Ring, one: Contestant, total: int) -> dict[str, Any]:
    """So many calls, sixteen at a time, each until its first echo; then all leave."""
    ring.service.pattern = "echo"
    ring.service.arrived.clear()
    places, callers, took = asyncio.Semaphore(_AT_ONCE), list[Caller](), list[float]()

    async def set_up(number: int) -> None:
        async with places:
            began = time.perf_counter()
            caller = await one.call(number)
            callers.append(caller)
            await _echoed(caller)
            took.append(1_000 * (time.perf_counter() - began))

    refused = one.desk.refused if one.desk else 0
    used, began = _cpu(one), time.perf_counter()
    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(total):
                tasks.create_task(set_up(number))
        elapsed, used = time.perf_counter() - began, _cpu(one) - used
    finally:
        await one.leave(callers)
    return {
        "set-ups/s": total / elapsed,
        "CPU ms each": 1_000 * used / total,
        "p50 ms": percentile(took, 50),
        "p99 ms": percentile(took, 99),
        "told to wait": (one.desk.refused if one.desk else 0) - refused,
    }


async def _echoed(caller: Caller) -> None:
    """Speak until something comes back."""
    async with asyncio.timeout(_PATIENCE_S):
        while not caller.first.is_set():
            caller.talk()
            async with _at_most(FRAME_S):
                await caller.first.wait()


@asynccontextmanager
async def _at_most(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        pass


async def beside_set_ups(
    ring: Ring, one: Contestant, *, calls: int, per_second: int, seconds: float
) -> dict[str, Any]:
    """What running calls notice while others are set up: each of these stays for a second."""

    async def come_and_go(number: int) -> None:
        caller = await one.call(_BESIDE + number)
        await asyncio.sleep(1.0)
        await one.leave([caller])

    async with talking(ring, one, "mix", calls) as talk:
        quiet, beside = Tally(), Tally()
        count_into(talk.callers, quiet)
        await asyncio.sleep(seconds)
        count_into(talk.callers, beside)
        due = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(per_second * seconds)):
                tasks.create_task(come_and_go(number))
                due += 1 / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
        count_into(talk.callers, None)
    alone, among = (Spread.of([trip / 1e6 for trip in tally.trips_ns]) for tally in (quiet, beside))
    return {"p99 ms": among.p99, "max ms": among.longest, "p99 ms, no set-ups": alone.p99}


def _cpu(one: Contestant) -> float:
    return cpu_seconds(one.pid) if one.pid is not None else 0.0
