"""What writing records costs the audio: the same calls, with records on and off in turn.

Simulated pages hold calls through the real product, whose model echoes their stamped audio and
says three words a second besides, with a turn of the caller's every four seconds: each call writes
as much as it ever does. The product's ledger is switched from outside (`bench.switched`), so that
both are measured within one run, on the same sockets.

Each second is measured by itself, and the median of all is told, with the interval in which its
ratio lies with 95 % by resampling the rounds. What the machine makes of nothing at all is beside
it: one half of the rounds with records off, against the other.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, Final, TypedDict

from bench.pages import Page, by_second, trips_of
from bench.processes import cpu_seconds, room_for_files
from bench.relay import Bench, benched, talking
from bench.report import percentile

SETTLE_S: Final = 1.0
"""What is still waiting to be written is written."""
PERCENTILES: Final = (50, 95, 99)
RESAMPLED: Final = 1_000


async def run(
    *,
    calls: int = 200,
    rounds: int = 10,
    seconds: float = 10.0,
    warm_up_s: float = 5.0,
    frames: int = 5,
    words_ms: int = 333,
    database: str = "",
) -> dict[str, Any]:
    """Measure `rounds` of each. `frames` of 20 ms go into one message: at one, 200 calls are 20 000
    messages a second, which is more than a core. The agent's words come `words_ms` apart: three a
    second, as people speak, and without a pause. `database`: a `DATABASE_URL` instead of SQLite."""
    room_for_files(8 * calls + 500)
    os.environ["STANDIN_WORDS_MS"] = str(words_ms)
    settings = {"DATABASE_URL": database} if database else {}
    found: dict[str, list[Round]] = {"on": [], "off": []}
    async with benched("bench.switched", settings) as bench:
        async with talking(bench, "direct", calls, frames) as pages:
            await asyncio.sleep(warm_up_s)
            direct = _typical(await _seconds(pages, seconds))
        async with talking(bench, "product", calls, frames) as pages:
            await asyncio.sleep(warm_up_s)
            for number in range(2 * rounds):
                # On, off, off, on: what drifts in the machine falls on both.
                state = "on" if number % 4 in (0, 3) else "off"
                found[state].append(await _round(bench, pages, state, seconds))
    on, off = found["on"], found["off"]
    rows = [{"records": name, **_row(several, direct)} for name, several in found.items()]
    return {
        "calls": calls,
        "ms of audio a message": 20 * frames,
        "added to the way directly, in a typical second": rows,
        "on / off": [_compared(on, off, direct, each) for each in PERCENTILES],
        "off / off": [_compared(off[::2], off[1::2], direct, each) for each in PERCENTILES],
        "directly, ms": {f"p{each}": direct[each] for each in PERCENTILES},
        "_rounds": found,
        "load": os.getloadavg()[0],
    }


class Round(TypedDict):
    """A few seconds of one state."""

    seconds: list[dict[int, float]]
    """Percentiles of each, in milliseconds there and back."""
    core: float


async def _round(bench: Bench, pages: list[Page], state: str, seconds: float) -> Round:
    switch = signal.SIGUSR2 if state == "on" else signal.SIGUSR1
    os.kill(bench.product_pid, switch)
    await asyncio.sleep(SETTLE_S)
    cpu, began = cpu_seconds(bench.product_pid), time.perf_counter()
    each = await _seconds(pages, seconds)
    used = cpu_seconds(bench.product_pid) - cpu
    return {"seconds": each, "core": used / (time.perf_counter() - began)}


async def _seconds(pages: list[Page], seconds: float) -> list[dict[int, float]]:
    seen = [trips_of(tallies) for tallies in await by_second(pages, seconds)]
    return [{each: percentile(trips, each) for each in PERCENTILES} for trips in seen]


def _typical(seconds: Sequence[dict[int, float]]) -> dict[int, float]:
    return {each: median(one[each] for one in seconds) for each in PERCENTILES}


def _added(rounds: Sequence[Round], direct: dict[int, float], which: int) -> float:
    every = [one for each in rounds for one in each["seconds"]]
    return median(one[which] for one in every) - direct[50]


def _row(rounds: Sequence[Round], direct: dict[int, float]) -> dict[str, float]:
    added = {f"added p{each} ms": _added(rounds, direct, each) for each in PERCENTILES}
    return {**added, "core %": 100 * median(each["core"] for each in rounds)}


def _compared(
    these: Sequence[Round], those: Sequence[Round], direct: dict[int, float], which: int
) -> dict[str, Any]:
    """Their ratio, and between what it lies where other rounds had been drawn."""
    chance = random.Random(0)

    def drawn(rounds: Sequence[Round]) -> Sequence[Round]:
        return chance.choices(rounds, k=len(rounds))

    several = [
        _added(drawn(these), direct, which) / _added(drawn(those), direct, which)
        for _ in range(RESAMPLED)
    ]
    ratio = _added(these, direct, which) / _added(those, direct, which)
    return {
        "percentile": f"p{which}",
        "ratio": ratio,
        "from": percentile(several, 2.5),
        "to": percentile(several, 97.5),
    }
