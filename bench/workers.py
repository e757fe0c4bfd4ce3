"""What it costs to be two: one worker and two that share a port, at equal load.

Callers speak in real time through each in turn, to a model that echoes; the same callers talk to
the model directly. Callers and model are one process on the last core. The servers may be wherever
the system puts them: on two cores, a second worker shares one with the callers. So the figures tell
what it costs to be two, and not how many more calls two cores carry.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.contestants import Contestant, Ring, product_settings
from bench.fastmodel import HOST
from bench.load import Desk
from bench.processes import PYTHON, answering, cpu_seconds, free_port, room_for_files, running
from bench.rounds import Round, machine_times, ringed, stolen_since, warm, window
from tests.databases import running as postgres

ONE: Final = "one worker"
TWO: Final = "two workers"
START_S: Final = 60.0
_STARTED: Final = re.compile(r"worker started +worker=\d+ pid=(\d+)")


async def run(
    *, calls: int = 60, rounds: int = 4, seconds: float = 8.0, warm_up_s: float = 2.0
) -> dict[str, Any]:
    """Measure `rounds` windows of each."""
    room_for_files(8 * calls + 500)
    cores = os.sched_getaffinity(0)
    found: dict[str, list[Round]] = {}
    spread: list[float] = []
    before = machine_times()
    with postgres() as cluster:
        async with ringed() as ring, AsyncExitStack() as stack:
            direct = Contestant.direct(ring.service)
            served: list[Contestant] = []
            for name, workers in ((ONE, 1), (TWO, 2)):
                database = cluster.url(await cluster.create())
                served.append(
                    await stack.enter_async_context(_serving(ring, name, workers, database, cores))
                )
            await warm(ring, served)
            for number in range(rounds):
                # Every second round backwards: what drifts in the machine falls on all.
                order = (direct, *served) if number % 2 == 0 else (*served[::-1], direct)
                for each in order:
                    used = [cpu_seconds(pid) for pid in each.workers]
                    one = await window(
                        ring, each, "echo", calls, seconds=seconds, warm_up_s=warm_up_s
                    )
                    found.setdefault(each.name, []).append(one)
                    if len(each.workers) > 1:
                        spread.append(_share(each.workers, used))
    return {
        "load": f"{calls} calls, 50 frames a second each way, echoed",
        "medians of the windows": [_row(name, found[name], found["direct"]) for name in (ONE, TWO)],
        "CPU, two workers / one": median(
            two.cpu_us_per_message / one.cpu_us_per_message
            for one, two in zip(found[ONE], found[TWO], strict=True)
        ),
        "the busier worker's part of it": median(spread),
        "stolen": stolen_since(before),
        "_rounds": {name: [asdict(each) for each in several] for name, several in found.items()},
    }


def _row(name: str, rounds: Sequence[Round], direct: Sequence[Round]) -> dict[str, Any]:
    pairs = list(zip(rounds, direct, strict=True))
    return {
        "server": name,
        "CPU us/message": median(each.cpu_us_per_message for each in rounds),
        "of a core": median(each.core for each in rounds),
        "added p50 ms": median(a.p50_ms - b.p50_ms for a, b in pairs),
        "added p99 ms": median(a.p99_ms - b.p99_ms for a, b in pairs),
        "lost": sum(each.lost for each in rounds),
        "disordered": sum(each.disordered for each in rounds),
    }


def _share(pids: Sequence[int], before: Sequence[float]) -> float:
    """Of what the workers used since then, the part of the one that used most."""
    used = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
    return max(used) / sum(used)


@asynccontextmanager
async def _serving(
    ring: Ring, name: str, workers: int, database: str, cores: set[int]
) -> AsyncGenerator[Contestant]:
    port, folder = free_port(), ring.scratch / str(workers)
    folder.mkdir()
    log = folder / "log"
    told = product_settings(ring, port, ring.model(secure=False), folder)
    told |= {"DATABASE_URL": database, "WORKERS": str(workers), "LOG_LEVEL": "INFO"}
    async with AsyncExitStack() as stack:
        with _anywhere(cores):
            serve = [PYTHON, "-m", "switchboard", "serve"]
            process = await stack.enter_async_context(running(serve, told, log))
        await answering(f"http://{HOST}:{port}/health", process, log)
        pids = await _pids(log, workers)
        desk = Desk(port)
        yield Contestant(name, "product", port, process.pid, desk, workers=pids)
        desk.close()


@contextmanager
def _anywhere(cores: set[int]) -> Generator[None]:
    """What is started here may run on all of these; we stay on our own."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


async def _pids(log: Path, workers: int) -> list[int]:
    """Of all workers, once they serve; nobody's, where the process is alone."""
    if workers == 1:
        return []
    async with asyncio.timeout(START_S):
        while (said := _read(log)).count("worker serves") < workers:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
    return [int(pid) for pid in _STARTED.findall(said)]


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8")
