"""Many conversations at once, for minutes: nothing is lost, and nothing is left behind."""

import os
import signal
import sqlite3
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.soak.scenario import Tally, conversations, street
from tests.soak.tap import Tap
from tests.soak.town import cloud, product
from tests.soak.watch import Watch, empty

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

SEED = 20
HEADER = "not-a-secret-in-a-test"
RSS_GROWTH = 0.05
RSS_SLACK_MIB = 8.0
START_LINES = ("Switchboard local: ", "Local cloud: ")
PERSONS_REASONS = {"goodbye", "page_closed"}


@dataclass
class Soaked:
    """One run, done, and both servers stopped."""

    warm_up: Tally
    tally: Tally
    product: Watch
    cloud: Watch
    place: Path
    seconds: float
    open_lines: int


@pytest.mark.timeout(300)
def test_conversations_at_once_lose_nothing_and_leave_nothing(tmp_path: Path) -> None:
    check(soak(tmp_path, many=6, seconds=20))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_conversations_for_five_minutes_lose_nothing_and_leave_nothing(
    tmp_path: Path,
) -> None:
    check(soak(tmp_path, many=20, seconds=300))


# -- the run --------------------------------------------------------------------------------------


def soak(place: Path, *, many: int, seconds: float) -> Soaked:
    """Warm up, talk, come to rest, and stop both servers."""
    return anyio.run(_soak, place, many, seconds, backend_options={"use_uvloop": True})


async def _soak(place: Path, many: int, seconds: float) -> Soaked:
    with ExitStack() as servers:
        realtime, cloud_port = servers.enter_context(cloud(place, HEADER))
        tap = Tap(cloud_port)
        async with tap.open() as relay:
            port: int = relay.sockets[0].getsockname()[1]
            switchboard = servers.enter_context(
                product(place, HEADER, identity_port=cloud_port, model_port=port)
            )
            watches = Watch(switchboard), Watch(realtime)
            warm_up = await _talk(tap, watches, many, 0.0, SEED)
            for watch in watches:
                watch.warm, watch.samples = watch.rested, []
            began = time.monotonic()
            tally = await _talk(tap, watches, many, seconds, SEED + 1)
            took = time.monotonic() - began
        return Soaked(warm_up, tally, *watches, place, took, tap.open_lines)


async def _talk(
    tap: Tap, watches: tuple[Watch, Watch], many: int, seconds: float, seed: int
) -> Tally:
    """Conversations, watched, and the rest after them."""
    address = watches[0].server.address
    async with street(address, tap) as here, anyio.create_task_group() as tasks:
        for watch in watches:
            tasks.start_soon(watch.keep)
        await conversations(here, many, seconds, seed)
        tasks.cancel_scope.cancel()
    for watch in watches:
        assert await empty(watch.server), f"{watch.server.name} still carries calls"
        watch.rested = await watch.settle()
    return here.tally


# -- the verdict ----------------------------------------------------------------------------------


def check(soaked: Soaked) -> None:
    _show(soaked)
    _nothing_lost(soaked)
    _everybody_answered(soaked.tally)
    _all_kinds_of_scene(soaked.tally)
    _nothing_left(soaked.product)
    _nothing_left(soaked.cloud)
    assert soaked.open_lines == 0
    _logs_are_clean(soaked)
    _records_are_complete(soaked)


def _nothing_lost(soaked: Soaked) -> None:
    for tally in (soaked.warm_up, soaked.tally):
        assert tally.complaints == []
        counts = tally.counts
        assert counts["frames at the model"] == counts["frames sent"] > 0
        assert counts["bytes missing"] == 0
        assert counts["whole items"] > 0


def _everybody_answered(tally: Tally) -> None:
    counts = tally.counts
    assert counts["spoken answered"] == counts["spoken"]
    assert counts["typed answered"] == counts["typed"]
    assert counts["resumed"] == counts["lost"]
    assert counts["left"] == counts["calls"]


def _all_kinds_of_scene(tally: Tally) -> None:
    """A run in which nobody did a thing proves nothing about it."""
    kinds = ("spoken", "typed", "spoken over", "typed over", "lost", "tools")
    assert [kind for kind in kinds if not tally.counts[kind]] == []


def _nothing_left(watch: Watch) -> None:
    warm, rested = watch.warm, watch.rested
    assert warm is not None
    assert rested is not None
    name = watch.server.name
    for now, then in zip(rested.open, warm.open, strict=True):
        assert now <= then, f"{name}: warm {warm}, rested {rested}"
    early, late = watch.rss_mib(1), watch.rss_mib(4)
    assert late <= early * (1 + RSS_GROWTH) + RSS_SLACK_MIB, name


def _logs_are_clean(soaked: Soaked) -> None:
    product_log = soaked.product.server.lines()
    assert [line for line in product_log if " INFO " not in line] == []
    hung_up = [line for line in product_log if "model line closed" in line]
    assert [line for line in hung_up if "dropped=0 malformed=0" not in line] == []
    assert len(hung_up) == len(soaked.warm_up.calls) + len(soaked.tally.calls)
    cloud_log = soaked.cloud.server.lines()
    assert [line for line in cloud_log if not line.startswith(START_LINES)] == []
    assert [line for line in product_log if "drained" in line and "calls_cut_off=0" in line]
    for watch in (soaked.product, soaked.cloud):
        assert watch.server.process.returncode in (0, -signal.SIGTERM), watch.server.name


def _records_are_complete(soaked: Soaked) -> None:
    (file,) = (soaked.place / "data").glob("records*.sqlite3")
    with sqlite3.connect(file) as records:
        rows = dict(records.execute("SELECT id, end_reason FROM calls"))
    assert set(rows) == {*soaked.warm_up.calls, *soaked.tally.calls}
    assert set(rows.values()) <= PERSONS_REASONS


# -- the figures ----------------------------------------------------------------------------------


def _show(soaked: Soaked) -> None:
    """For who runs it with `-s`, and for who looks at a failure."""
    out: list[str] = [f"\n{soaked.seconds:.1f} s"]
    out += [f"  {name}: {count}" for name, count in sorted(soaked.tally.counts.items())]
    for name, times in (
        ("first audio at the page", soaked.tally.latencies_ms),
        ("first audio, as told", soaked.tally.told_ms),
    ):
        cuts = statistics.quantiles(times, n=20)
        out.append(f"  {name}: p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, n {len(times)}")
    for watch in (soaked.product, soaked.cloud):
        minutes = ", ".join(f"{watch.rss_mib(fifth):.1f}" for fifth in range(5))
        out.append(f"  {watch.server.name}: {watch.cpu_cores():.2f} cores, MiB {minutes}")
        out += [f"    {moment}: {held}" for moment, held in _moments(watch)]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    out.append(f"  load of the machine: {load}")
    out += [f"  ! {complaint}" for complaint in soaked.tally.complaints[:20]]
    sys.stdout.write("\n".join([*out, ""]))


def _moments(watch: Watch) -> list[tuple[str, object]]:
    return [("warm", watch.warm), ("busy", watch.samples[-1]), ("rested", watch.rested)]
