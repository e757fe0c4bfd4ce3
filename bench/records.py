"""What writing records costs the audio: the same calls, with records on and off in turn.

Simulated pages hold calls through the real product, whose model echoes their stamped audio and
says three words a second besides, with a turn of the caller's every four seconds: each call writes
as much as it ever does. The product's ledger is switched from outside (`bench.switched`), so that
both are measured within one run, on the same sockets.

Each second is measured by itself, and the median of all is told, with the interval in which its
ratio lies with 95 % by resampling the rounds. What the machine makes of nothing at all is beside
it: one half of the rounds with records off, against the other. What the product adds is by the
kernel's own clock (`bench.tapped`) where that is to be had.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, TypedDict

from bench.pages import Page, Second, by_second, trips_of
from bench.processes import cpu_seconds, family, pin, room_for_files
from bench.relay import Bench, benched, talking
from bench.report import percentile
from bench.tapped import Tap, tapped

DIRECT_S: Final = 10.0
SETTLE_S: Final = 1.0
"""What is still waiting to be written is written."""
PERCENTILES: Final = (50, 95, 99)
RESAMPLED: Final = 1_000


async def run(
    *,
    calls: int = 200,
    rounds: int = 40,
    seconds: float = 2.0,
    warm_up_s: float = 5.0,
    frames: int = 5,
    words_ms: int = 333,
    database: str = "",
    beside: int = 0,
) -> dict[str, Any]:
    """Measure `rounds` of each. `frames` of 20 ms go into one message: at one, 200 calls are 20 000
    messages a second, which is more than a core. The agent's words come `words_ms` apart: three a
    second, as people speak, and without a pause. `database`: a `DATABASE_URL` instead of SQLite.
    With `beside=1` the product's own process for records is on the callers' core, of which it gets
    what they leave."""
    room_for_files(8 * calls + 500)
    os.environ["STANDIN_WORDS_MS"] = str(words_ms)
    settings = {"DATABASE_URL": database} if database else {}
    seen: dict[str, list[Seen]] = {"on": [], "off": []}
    async with benched("bench.switched", settings) as bench:
        async with talking(bench, "direct", calls, frames) as pages:
            await asyncio.sleep(warm_up_s)
            direct = _typical([_of(one) for one in await by_second(pages, DIRECT_S)])
        async with (
            tapped(bench.product_url, bench.standin_url) as tap,
            talking(bench, "product", calls, frames) as pages,
        ):
            await asyncio.sleep(warm_up_s)
            for number in range(2 * rounds):
                # On, off, off, on: what drifts in the machine falls on both.
                state = "on" if number % 4 in (0, 3) else "off"
                if beside:
                    _move_over(bench.product_pid)
                seen[state].append(await _round(bench, pages, state, seconds))
    found = {state: [_told(each, direct[50], tap) for each in seen[state]] for state in seen}
    on, off = found["on"], found["off"]
    rows = [{"records": name, **_row(several)} for name, several in found.items()]
    return {
        "calls": calls,
        "ms of audio a message": 20 * frames,
        "added by the product, in a typical second": rows,
        "on / off": [_compared(on, off, each) for each in PERCENTILES],
        "off / off": [_compared(*_halves(off), each) for each in PERCENTILES],
        "directly, ms": {f"p{each}": direct[each] for each in PERCENTILES},
        "by": "the kernel's clock" if tap.is_open else "the pages' clocks",
        "_rounds": found,
        "load": os.getloadavg()[0],
    }


def _move_over(product_pid: int) -> None:
    for pid in family(product_pid) - {product_pid}:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            pin(int(thread.name), os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Seen:
    """A few seconds of one state, as they were seen."""

    seconds: Sequence[Second]
    core: float
    beside: float


class Round(TypedDict):
    """A few seconds of one state."""

    seconds: list[dict[int, float]]
    """Percentiles of what the product added in each, in milliseconds there and back."""
    core: float
    beside: float
    """What its own process for records took."""


async def _round(bench: Bench, pages: list[Page], state: str, seconds: float) -> Seen:
    switch = signal.SIGUSR2 if state == "on" else signal.SIGUSR1
    os.kill(bench.product_pid, switch)
    await asyncio.sleep(SETTLE_S)
    others = family(bench.product_pid) - {bench.product_pid}
    cpu, cpu_beside = cpu_seconds(bench.product_pid), sum(map(cpu_seconds, others))
    began = time.perf_counter()
    each = await by_second(pages, seconds)
    elapsed = time.perf_counter() - began
    used, used_beside = cpu_seconds(bench.product_pid) - cpu, sum(map(cpu_seconds, others))
    return Seen(each, used / elapsed, (used_beside - cpu_beside) / elapsed)


def _told(seen: Seen, direct_ms: float, tap: Tap) -> Round:
    """By the tap; or else what a round trip takes beyond a typical one of the direct way."""
    if tap.is_open:
        seconds = [_percentiles(tap.added_ms(one, one.tallies)) for one in seen.seconds]
    else:
        trips = [_of(one) for one in seen.seconds]
        seconds = [{which: ms - direct_ms for which, ms in one.items()} for one in trips]
    return {"seconds": seconds, "core": seen.core, "beside": seen.beside}


def _of(second: Second) -> dict[int, float]:
    return _percentiles(trips_of(second.tallies))


def _percentiles(each_ms: Sequence[float]) -> dict[int, float]:
    return {which: percentile(each_ms, which) for which in PERCENTILES}


def _typical(seconds: Sequence[dict[int, float]]) -> dict[int, float]:
    return {each: median(one[each] for one in seconds) for each in PERCENTILES}


def _added(rounds: Sequence[Round], which: int) -> float:
    return median(one[which] for each in rounds for one in each["seconds"])


def _row(rounds: Sequence[Round]) -> dict[str, float]:
    added = {f"added p{each} ms": _added(rounds, each) for each in PERCENTILES}
    core, beside = (100 * median(each[of] for each in rounds) for of in ("core", "beside"))
    return {**added, "core %": core, "records' process %": beside}


def _halves(rounds: Sequence[Round]) -> tuple[Sequence[Round], Sequence[Round]]:
    """Each with as many that came after a round of the other state as after one of its own."""
    return [*rounds[::4], *rounds[3::4]], [*rounds[1::4], *rounds[2::4]]


def _compared(these: Sequence[Round], those: Sequence[Round], which: int) -> dict[str, Any]:
    """Their ratio, and between what it lies where other rounds had been drawn."""
    chance = random.Random(0)

    def drawn(rounds: Sequence[Round]) -> Sequence[Round]:
        return chance.choices(rounds, k=len(rounds))

    several = [_added(drawn(these), which) / _added(drawn(those), which) for _ in range(RESAMPLED)]
    return {
        "percentile": f"p{which}",
        "ratio": _added(these, which) / _added(those, which),
        "from": percentile(several, 2.5),
        "to": percentile(several, 97.5),
    }
