"""Many telephones at once, in real time, against a model that gives every frame back.

Each frame bears its number and its time, so what is lost, late or out of order on either way is
seen. Nothing that calls held may stay when they are over.
"""

import os
import re
import signal
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from bench.processes import room_for_files
from bench.relay import standing_in
from bench.report import percentile
from bench.trunk import Telephone, Trunk, keep_talking, trunk
from tests.ports import free_port
from tests.soak.town import Served, served
from tests.soak.watch import Watch, empty

RSS_GROWTH = 0.05
RSS_SLACK_MIB = 3.0
IN_FLIGHT_S = 10.0
SPEAK_S = 4.0
BREATHE_S = 1.0
LATE_P99_MS = 2_000.0
"""Shared machines differ; what keeps no pace at all is behind by more each second."""


@dataclass
class Load:
    """What came of it."""

    telephones: Sequence[Telephone]
    watch: Watch
    tasks: list[int]
    """Of the product: before, in the middle, and when all have hung up."""
    trips_ms: list[float] = field(default_factory=list[float])


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_hundred_telephones_for_ten_minutes(tmp_path: Path) -> None:
    check(await load(tmp_path, 100, 600.0))


@pytest.mark.timeout(180)
async def test_a_few_telephones_for_some_seconds(tmp_path: Path) -> None:
    check(await load(tmp_path, 10, 8.0))


async def load(place: Path, many: int, seconds: float) -> Load:
    """`many` telephones that speak and listen for so long; first two, for a warm-up."""
    room_for_files(4 * many + 500)
    async with standing_in() as (model, _), trunk() as carrier:
        with product(place, carrier, model) as here:
            watch = Watch(here)
            await carrier.opened()
            async with ringing(carrier, 2) as telephones:
                await keep_talking(telephones, 1.0)
            assert await empty(here)
            watch.warm = await watch.settle()
            tasks = [count_tasks(here)]
            async with ringing(carrier, many) as telephones, anyio.create_task_group() as beside:
                beside.start_soon(watch.keep)
                await converse(telephones, seconds)
                beside.cancel_scope.cancel()
                tasks.append(count_tasks(here))
                await all_came_back(telephones)
            assert await empty(here)
            watch.rested = await watch.settle()
            tasks.append(count_tasks(here))
    trips = [trip for each in telephones for trip in each.heard_back.trips_ms]
    return Load(telephones, watch, tasks, trips)


async def converse(telephones: Sequence[Telephone], seconds: float) -> None:
    """They speak, and breathe: where everybody is answered without a pause, nobody's delay can
    shrink again, and one hiccup of the machine would be in every figure after it."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await keep_talking(telephones, min(SPEAK_S, left))
        await anyio.sleep(BREATHE_S)


@contextmanager
def product(place: Path, carrier: Trunk, model: str) -> Generator[Served]:
    """The product, its carrier and its model."""
    port = free_port()
    carrier.product = f"http://127.0.0.1:{port}"
    environment = {
        "PORT": str(port),
        "AZURE_OPENAI_ENDPOINT": model,
        "AFTER_CALLS": "false",
        "IDENTITY_ENDPOINT": f"{model}/msi/token",
        "IDENTITY_HEADER": "load",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "DATA_DIR": str(place / "data"),
        "MAX_CALLS": "200",
        **carrier.environment(carrier.product),
    }
    with served("bench.counted", port, place / "product.log", environment) as here:
        yield here


@asynccontextmanager
async def ringing(carrier: Trunk, many: int) -> AsyncGenerator[Sequence[Telephone]]:
    """So many calls that stand and whose agents speak; hung up when the block ends."""
    telephones = [await carrier.ring() for _ in range(many)]
    yield telephones
    for telephone in telephones:
        await carrier.hang_up(telephone)
    with anyio.fail_after(30):
        for telephone in telephones:
            await telephone.gone.wait()


async def all_came_back(telephones: Sequence[Telephone]) -> None:
    """The last frames are still under way when the last is said; what is lost never comes."""
    with anyio.move_on_after(IN_FLIGHT_S):
        while any(each.heard_back.last < each.sent - 1 for each in telephones):  # noqa: ASYNC110
            await anyio.sleep(0.02)


def count_tasks(here: Served) -> int:
    """As the product itself says, into its log."""
    known = len(_counts(here))
    os.kill(here.process.pid, signal.SIGUSR1)
    for _ in range(500):
        if len(found := _counts(here)) > known:
            return found[-1]
        here.health()  # a loop at rest looks at signals when something comes
    raise AssertionError("the product did not say")


def _counts(here: Served) -> list[int]:
    return [int(count) for count in re.findall(r"^tasks=(\d+)$", here.log.read_text(), re.M)]


def check(done: Load) -> None:
    _show(done)
    assert percentile(done.trips_ms, 99) < LATE_P99_MS
    before, _, after = done.tasks
    assert after <= before + 2, done.tasks  # a connection of ours may still be closing
    watch = done.watch
    assert watch.warm is not None and watch.rested is not None
    for now, then in zip(watch.rested.open, watch.warm.open, strict=True):
        assert now <= then, f"warm {watch.warm}, rested {watch.rested}"
    early, late = watch.rss_mib(1), watch.rss_mib(4)
    assert late <= early * (1 + RSS_GROWTH) + RSS_SLACK_MIB, (early, late)
    log = watch.server.lines()
    opened = next(at for at, line in enumerate(log) if "incoming call answered" in line)
    odd = [line for line in log[opened:] if " INFO " not in line and "tasks=" not in line]
    assert odd == []
    closed = [line for line in log[opened:] if "model line closed" in line]
    assert len(closed) == len(done.telephones) + 3
    assert [line for line in closed if "dropped=0 malformed=0" not in line] == []
    for telephone in done.telephones:
        heard = telephone.heard_back
        assert (heard.disordered, heard.last) == (0, telephone.sent - 1)
        assert not telephone.stops_ns


def _show(done: Load) -> None:
    """For who runs it with `-s`, and for who looks at a failure."""
    trips, watch = done.trips_ms, done.watch
    sent = sum(each.sent for each in done.telephones)
    back = sum(each.heard_back.frames for each in done.telephones)
    memory = ", ".join(f"{watch.rss_mib(fifth):.1f}" for fifth in range(5))
    machine = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    sys.stdout.write(
        f"\n{len(done.telephones)} telephones, {sent} frames said, {back} heard back\n"
        f"  round trip: p50 {statistics.median(trips):.2f} ms, p99 {percentile(trips, 99):.2f} ms, "
        f"worst {max(trips):.1f} ms\n"
        f"  product: {watch.cpu_cores():.2f} cores, MiB {memory}, tasks {done.tasks}\n"
        f"  load of the machine: {machine}\n"
    )
