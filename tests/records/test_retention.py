"""Calls are kept as long as their agent says, and no longer."""

import time
from collections.abc import Mapping
from pathlib import Path

import anyio
from sqlalchemy import func, insert, select

from switchboard.house import House
from switchboard.phone.callers import alias
from switchboard.records.dialled import DialledTable, Full, Quotas, Wanted
from switchboard.records.history import history
from switchboard.records.placed import PlacedTable
from switchboard.records.promised import Promise, PromisedTable
from switchboard.records.recorder import Recorder
from switchboard.records.recordings import RecordingTable
from switchboard.records.retention import Sweeper
from switchboard.records.schema import Base, Call, Dialled, Item, RecordingRow
from switchboard.records.store import Store, sqlite_url
from switchboard.settings import Settings
from tests.exchange.legs import Service

ROOT = Path(__file__).parents[2]

DAY = 86_400.0
NOW = 1_000 * DAY
KEY = b"k" * 32


def nameless(name: str) -> str:
    return alias(name, KEY)


def sweeper(store: Store, days: Mapping[str, int | None], now: float = NOW) -> Sweeper:
    return Sweeper(store, lambda: days, 90, alias=nameless, clock=lambda: now)


async def call(store: Store, call_id: str, agent: str, days_ago: float | None) -> None:
    """A call that ended that long ago, or has not."""
    ended = None if days_ago is None else NOW - days_ago * DAY
    names = {"principal_id": "telephone:1", "model": "m", "voice": "v", "channel": "phone"}
    began = (ended or NOW) - 60
    row = {"id": call_id, "agent": agent, "began_at": began, "ended_at": ended}
    said = {"call_id": call_id, "item_id": "i1", "speaker": "caller", "text": "Hello"}
    async with store.writing() as connection:
        await connection.execute(insert(Call).values(**names, **row))
        line = {**said, "state": "final", "began_ms": 0, "typed": False}
        await connection.execute(insert(Item).values(**line))
    await RecordingTable(store).put(call_id, "stopped", began)


async def swept(*sweepers: Sweeper) -> None:
    async with anyio.create_task_group() as tasks:
        for each in sweepers:
            tasks.start_soon(until_clean, each)


async def until_clean(each: Sweeper) -> None:
    while await each.sweep():
        pass


async def left(store: Store, table: type[Base]) -> set[str]:
    column = table.__table__.columns["id" if table is Call else "call_id"]
    async with store.reading() as connection:
        return set((await connection.scalars(select(column))).all())


async def test_calls_go_when_their_agent_says_with_all_that_belongs_to_them(store: Store) -> None:
    await call(store, "old", "bank", 31)
    await call(store, "young", "bank", 29)
    await call(store, "by default", "club", 89)
    await call(store, "old by default", "club", 91)
    await call(store, "of an agent that is gone", "ghost", 91)
    await call(store, "not over", "bank", None)

    await swept(sweeper(store, {"bank": 30, "club": None}))

    kept = {"young", "by default", "not over"}
    assert await left(store, Call) == await left(store, Item) == kept
    assert await left(store, RecordingRow) == kept


async def test_several_replicas_sweep_at_once_and_nothing_else_goes(store: Store) -> None:
    for number in range(260):
        await call(store, f"c{number}", "bank", 31 if number % 2 else 1)
    days = {"bank": 30}
    await swept(*(sweeper(store, days) for _ in range(3)))
    assert await left(store, Call) == {f"c{number}" for number in range(0, 260, 2)}


async def test_nothing_is_kept_of_an_agent_that_keeps_nothing_but_what_quotas_count(
    store: Store,
) -> None:
    number, operator = "+442079460018", "someone"
    table = DialledTable(store, nameless)
    quotas = Quotas(number_a_day=1)
    wanted = Wanted("o1", "c1", operator, number, "bank")
    await table.book(wanted, quotas, NOW - 3_600)
    await table.ended("c1", NOW - 3_500)
    await call(store, "c1", "bank", 0.01)
    promises = PromisedTable(store)
    promise = Promise("p1", number, "bank", "telephone:1", "a bill", NOW - 60, NOW + 60)
    await promises.put(promise)
    assert await promises.take_due(NOW) is not None
    await promises.settle("p1", kept=True)

    await swept(sweeper(store, {"bank": 0}))

    assert await left(store, Call) == set()
    placed = await PlacedTable(store).find("c1")
    assert placed is not None
    assert (placed.number, placed.principal_id) == (nameless(number), nameless(operator))
    async with store.reading() as connection:
        count = select(func.count()).select_from(Base.metadata.tables["promised"])
        assert (await connection.execute(count)).scalar_one() == 0
    again = Wanted("o2", "c2", "another", number, "bank")
    assert await table.book(again, quotas, NOW) is Full.NUMBER

    await swept(sweeper(store, {"bank": 0}, NOW + 2 * DAY))
    assert await left(store, Dialled) == set()


async def test_a_promise_that_waits_and_a_call_that_rings_stay(store: Store) -> None:
    await PromisedTable(store).put(
        Promise("p1", "+442079460018", "bank", "telephone:1", "a bill", NOW - 60, NOW + 60)
    )
    wanted = Wanted("o1", "c1", "someone", "+442079460018", "bank")
    await DialledTable(store).book(wanted, Quotas(), NOW - 60)

    await swept(sweeper(store, {"bank": 0}))

    assert await PromisedTable(store).take_due(NOW) is not None
    placed = await PlacedTable(store).find("c1")
    assert placed is not None
    assert placed.number == "+442079460018"


async def test_the_sweeper_sweeps_by_itself_and_outlives_a_fault(store: Store) -> None:
    await call(store, "old", "bank", 1)
    faults = [OSError("no profile can be read")]

    def days() -> Mapping[str, int | None]:
        if faults:
            raise faults.pop()
        return {"bank": 0}

    running = Sweeper(store, days, 90, clock=lambda: NOW)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(running.run, 0.01)
        with anyio.fail_after(20):
            while await history(store, "old") is not None:  # noqa: ASYNC110  (its own commit)
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()


async def test_a_server_sweeps_by_its_setting_and_its_agents(tmp_path: Path) -> None:
    given = {"data_dir": tmp_path, "session_config": ROOT / "session_config.json"}
    days = (time.time() - NOW) / DAY  # what is "ago" for `call`, the server's clock has not
    async with Store(sqlite_url(tmp_path)).opened() as store:
        await call(store, "old", "bank", 11 - days)
        await call(store, "young", "bank", 9 - days)
    house = House(Settings.model_validate({**given, "retention_days": 10}), dial=Service().dial)
    async with house.running():
        with anyio.fail_after(20):
            while await history(house.store, "old") is not None:  # noqa: ASYNC110  (its own commit)
                await anyio.sleep(0.02)
        assert await history(house.store, "young") is not None
    assert house.broken == []


async def test_what_comes_after_a_call_was_swept_does_not_come_back(store: Store) -> None:
    recorder = Recorder(store)
    await call(store, "c1", "bank", 1)
    await swept(sweeper(store, {"bank": 0}))
    recorder.close_call("c1", "goodbye", NOW)
    await recorder.flush()
    assert await history(store, "c1") is None
