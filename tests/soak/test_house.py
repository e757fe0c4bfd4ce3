"""The whole house at once, its days in minutes: pages, telephones, consoles that watch, records and
telemetry. Calls are short and many, so that what each leaves behind adds up. Nothing does."""

import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from bench.processes import room_for_files
from bench.relay import standing_in
from bench.trunk import Trunk, keep_talking, trunk
from switchboard.records.engine import POOL
from tests.browser.peers import FRAME
from tests.ports import free_port
from tests.soak.test_telephones import RSS_GROWTH, RSS_SLACK_MIB, count_tasks
from tests.soak.town import Served, served
from tests.soak.watch import Watch, empty
from tests.telemetry.peers import Collector, collecting

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

FRAMES_A_CALL: Final = 20
CONNECTIONS: Final = POOL["pool_size"]
"""To SQLite, once so many were wanted at once; each is the file, and its log of changes."""
KEPT_ALIVE: Final = 2
"""Of this server's own connections to others, which may be between two requests: to the collector,
and to the carrier."""
PATIENCE_S: Final = 60.0


@dataclass
class Day:
    """What happened."""

    calls: int = 0
    rung: int = 0
    watched: int = 0
    """Events that consoles were told."""
    heard: int = 0
    """Frames that operators heard."""
    looked: int = 0
    troubles: list[str] = field(default_factory=list[str])


@dataclass
class Soaked:
    day: Day
    watch: Watch
    tasks: tuple[int, int]
    spans: int
    kept: int
    more: Counter[str]
    """Descriptors that were not there after the warm-up, by name."""


@pytest.mark.timeout(600)
async def test_a_short_day_of_the_whole_house_leaves_nothing_behind(tmp_path: Path) -> None:
    check(await soak(tmp_path, many=3, seconds=6.0))


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_a_long_day_of_the_whole_house_leaves_nothing_behind(tmp_path: Path) -> None:
    check(await soak(tmp_path, many=12, seconds=600.0))


async def soak(place: Path, *, many: int, seconds: float) -> Soaked:
    room_for_files(60 * many + 500)
    with collecting() as collector:
        async with standing_in() as (model, _), trunk() as carrier:
            with _product(place, carrier, model, collector) as here:
                await carrier.opened()
                watch = Watch(here)
                await _live(here, carrier, Day(), many, 2.0)
                assert await empty(here)
                watch.warm = await watch.settle()
                held = here.descriptors()
                before = count_tasks(here)
                day = Day()
                async with anyio.create_task_group() as beside:
                    beside.start_soon(watch.keep)
                    await _live(here, carrier, day, many, seconds)
                    beside.cancel_scope.cancel()
                assert await empty(here)
                watch.rested = await watch.settle()
                more = here.descriptors() - held
                after = count_tasks(here)
                kept = await _kept(here)
        spans = len(collector.named("invoke_agent"))
    return Soaked(day, watch, (before, after), spans, kept, more)


def check(done: Soaked) -> None:
    day, watch = done.day, done.watch
    sys.stdout.write(
        f"\n{day.calls} calls of pages, {day.rung} of telephones, {day.watched} events and "
        f"{day.heard} frames to operators, {day.looked} looks\n"
        f"  open {watch.warm and watch.warm.open}, {watch.rested and watch.rested.open}, "
        f"more {dict(done.more)}\n"
        f"  tasks {done.tasks}, spans {done.spans}, MiB "
        f"{', '.join(f'{watch.rss_mib(fifth):.1f}' for fifth in range(5))}\n"
    )
    assert day.troubles == []
    assert min(day.calls, day.rung, day.watched, day.heard, day.looked) > 0
    assert done.kept >= day.calls + day.rung
    assert done.spans > 0
    before, after = done.tasks
    assert after <= before + 2, done.tasks  # a connection of ours may still be closing
    assert watch.warm is not None and watch.rested is not None
    rows = sum(count for name, count in done.more.items() if "records.sqlite3" in name)
    kept = sum(count for name, count in done.more.items() if name.startswith("tcp "))
    assert rows < 2 * CONNECTIONS and kept <= KEPT_ALIVE, done.more
    assert done.more.total() == rows + kept, done.more
    assert watch.rested.threads <= watch.warm.threads + (rows + 1) // 2, (watch.warm, watch.rested)
    early, late = watch.rss_mib(1), watch.rss_mib(4)
    assert late <= early * (1 + RSS_GROWTH) + RSS_SLACK_MIB, (early, late)
    assert [line for line in watch.server.lines() if " ERROR " in line] == []


def _product(
    place: Path, carrier: Trunk, model: str, collector: Collector
) -> AbstractContextManager[Served]:
    port = free_port()
    carrier.product = f"http://127.0.0.1:{port}"
    environment = {
        "PORT": str(port),
        "AZURE_OPENAI_ENDPOINT": model,
        "IDENTITY_ENDPOINT": f"{model}/msi/token",
        "IDENTITY_HEADER": "soak",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "DATA_DIR": str(place / "data"),
        "MAX_CALLS": "200",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        **carrier.environment(carrier.product),
    }
    return served("bench.counted", port, place / "product.log", environment)


async def _live(here: Served, carrier: Trunk, day: Day, many: int, seconds: float) -> None:
    """Everybody does their part again and again, and finishes what they are at."""
    until = anyio.current_time() + seconds
    async with _client(here) as http, anyio.create_task_group() as everybody:
        for each in (_page, _ring, _watch, _listen, _look):
            for _ in range(many if each is _page else max(1, many // 3)):
                everybody.start_soon(_again, each, here, carrier, http, day, until)


type Part = Callable[[Served, Trunk, httpx.AsyncClient, Day], Awaitable[None]]


async def _again(
    each: Part, here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day, until: float
) -> None:
    while True:
        with anyio.fail_after(PATIENCE_S):
            await each(here, carrier, http, day)
        if anyio.current_time() >= until:
            return


@asynccontextmanager
async def _client(here: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=here.address,
        headers={"Origin": here.address},
        timeout=PATIENCE_S,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    ) as http:
        yield http


async def _page(here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day) -> None:
    """A call of a second or so, to its goodbye."""
    answer = await http.post("/api/calls", json={"agent": "telecom"})
    if answer.status_code in (429, 503):
        await anyio.sleep(0.5)
        return
    placed = answer.raise_for_status().json()
    protocols = [Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{placed['ticket']}")]
    async with connect(
        here.address.replace("http", "ws", 1) + placed["socket"],
        origin=Origin(here.address),
        subprotocols=protocols,
        proxy=None,
        open_timeout=PATIENCE_S,
    ) as socket:
        for _ in range(FRAMES_A_CALL):
            await socket.send(f'{{"type":"audio","audio":"{FRAME}"}}')
            await anyio.sleep(0.02)
        await socket.send('{"type":"end"}')
        try:
            async for _ in socket:
                pass
        except ConnectionClosed:
            pass
        if socket.close_code != 1000:
            day.troubles.append(f"a page's call was closed with {socket.close_code}")
    day.calls += 1


async def _ring(here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day) -> None:
    telephone = await carrier.ring(PATIENCE_S)
    await keep_talking([telephone], 1.0)
    await carrier.hang_up(telephone)
    await telephone.gone.wait()
    day.rung += 1


async def _watch(here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day) -> None:
    """A console that is opened, follows what is live for a while, and is shut."""
    with anyio.move_on_after(2.0):
        async with http.stream("GET", "/api/console/live") as stream:
            async for line in stream.aiter_lines():
                day.watched += line.startswith("data:")


async def _listen(here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day) -> None:
    """An operator hears a telephone call, for as long as it lasts at most."""
    telephone = await carrier.ring(PATIENCE_S)
    call = carrier.call_of(telephone)
    with anyio.move_on_after(PATIENCE_S / 2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep_talking, [telephone], PATIENCE_S)
            ticket = await _let_in(http, call)
            protocols = [
                Subprotocol("switchboard.listen.v1"),
                Subprotocol(f"ticket.{ticket['ticket']}"),
            ]
            async with connect(
                here.address.replace("http", "ws", 1) + ticket["socket"],
                origin=Origin(here.address),
                subprotocols=protocols,
                proxy=None,
                open_timeout=PATIENCE_S,
            ) as socket:
                for _ in range(20):
                    await socket.recv()
                    day.heard += 1
            tasks.cancel_scope.cancel()
    await carrier.hang_up(telephone)
    await telephone.gone.wait()
    day.rung += 1


async def _let_in(http: httpx.AsyncClient, call: str) -> dict[str, str]:
    """The call may be told to consoles a moment after its caller hears it, and all operators here
    are one, who may not act so often; and sixteen listen at most, of whom some may be leaving."""
    while True:
        answer = await http.post(f"/api/console/calls/{call}/listeners", json={})
        if answer.status_code not in (409, 429, 503):
            return answer.raise_for_status().json()
        await anyio.sleep(0.3)


async def _look(here: Served, carrier: Trunk, http: httpx.AsyncClient, day: Day) -> None:
    for path in ("history", "history?q=hello", "overview", "me"):
        answer = await http.get(f"/api/console/{path}")
        if answer.status_code == 200:
            day.looked += 1
        elif answer.status_code != 429:
            day.troubles.append(f"{path}: {answer.status_code}")
    await anyio.sleep(0.5)


async def _kept(here: Served) -> int:
    """Calls of the last days, by the console's own count; the recorder writes a little later."""
    async with _client(here) as http:
        answer = await http.get("/api/console/overview")
        return int(answer.raise_for_status().json()["total"]["calls"])
