"""What writing records costs the audio: the same calls, with records on and off in turn.

Simulated pages hold calls through the real product, whose model echoes their stamped audio and
says three words a second besides, with a turn of the caller's every four seconds: each call writes
as much as it ever does. The product's ledger is switched from outside (`bench.switched`), so that
both are measured within one run, on the same sockets.
"""

import asyncio
import os
import signal
import time
from statistics import median
from typing import Any, Final

from bench.pages import Page, Tally
from bench.processes import cpu_seconds, room_for_files
from bench.relay import Bench, benched, talking
from bench.report import percentile

SETTLE_S: Final = 1.0
"""What is still waiting to be written is written."""
PERCENTILES: Final = (50, 95, 99)


async def run(
    *,
    calls: int = 200,
    rounds: int = 5,
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
    found: dict[str, list[dict[str, float]]] = {"on": [], "off": []}
    async with benched("bench.switched", settings) as bench:
        async with talking(bench, "direct", calls, frames) as pages:
            await asyncio.sleep(warm_up_s)
            direct = _times(await _window(pages, seconds))
        async with talking(bench, "product", calls, frames) as pages:
            await asyncio.sleep(warm_up_s)
            for number in range(2 * rounds):
                # On, off, off, on: what drifts in the machine falls on both.
                state = "on" if number % 4 in (0, 3) else "off"
                found[state].append(await _round(bench, pages, state, seconds, direct))
    on, off = _median(found["on"]), _median(found["off"])
    rows = [{"records": "on", **on}, {"records": "off", **off}]
    return {
        "calls": calls,
        "ms of audio a message": 20 * frames,
        "added to the way directly (medians of the rounds)": rows,
        "on / off": {name: on[name] / off[name] for name in on if name.startswith("added")},
        "directly, ms": {f"p{each}": direct[each] for each in PERCENTILES},
        "_rounds": found,
        "load": os.getloadavg()[0],
    }


async def _round(
    bench: Bench, pages: list[Page], state: str, seconds: float, direct: dict[int, float]
) -> dict[str, float]:
    switch = signal.SIGUSR2 if state == "on" else signal.SIGUSR1
    os.kill(bench.product_pid, switch)
    await asyncio.sleep(SETTLE_S)
    cpu, began = cpu_seconds(bench.product_pid), time.perf_counter()
    times = _times(await _window(pages, seconds))
    used = cpu_seconds(bench.product_pid) - cpu
    added = {f"added p{each} ms": times[each] - direct[each] for each in PERCENTILES}
    return {**added, "core %": 100 * used / (time.perf_counter() - began)}


async def _window(pages: list[Page], seconds: float) -> list[float]:
    """How long each message took there and back."""
    tallies = [Tally() for _ in pages]
    for page, tally in zip(pages, tallies, strict=True):
        page.measure(tally)
    await asyncio.sleep(seconds)
    for page in pages:
        page.measure(None)
    trips = [trip for tally in tallies for trip in tally.trips_ms]
    if not trips:
        raise RuntimeError("Not one frame came back: the reply never began.")
    return trips


def _times(trips: list[float]) -> dict[int, float]:
    return {each: percentile(trips, each) for each in PERCENTILES}


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(one[name] for one in rounds) for name in rounds[0]}
