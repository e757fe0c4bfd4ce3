"""Servers that share a PostgreSQL: each keeps its calls while it lives, and no longer."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from sqlalchemy import func, select, text

from switchboard.records.dialled import DialledTable, Quotas, Wanted
from switchboard.records.history import history
from switchboard.records.opening import Opening
from switchboard.records.orphans import STALE_S, UNCLAIMED_S
from switchboard.records.placed import PlacedTable, State
from switchboard.records.recorder import Recorder
from switchboard.records.replicas import BEAT_S, LOST, Replicas
from switchboard.records.schema import Call, ReplicaRow
from switchboard.records.store import Store, sqlite_url

NOW = 1_800_000_000.0
NUMBER = "+442079460018"


class Server:
    """One of those that share the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.recorder = Recorder(store)
        self.placed = PlacedTable(store)
        self.replicas = Replicas(store)

    async def carries(self, call_id: str) -> None:
        self.recorder.open_call(
            Opening(
                call_id,
                principal_id="local",
                agent="bank",
                model="m",
                voice="v",
                channel="phone",
                began_at=NOW,
            )
        )
        await self.recorder.flush()

    async def places(self, call_id: str) -> None:
        wanted = Wanted(f"op {call_id}", call_id, "local", NUMBER, "bank")
        await DialledTable(self.store).book(wanted, Quotas(), NOW)

    async def starts(self) -> int:
        """How many calls it closed at its start."""
        closed = await self.recorder.close_left_open(NOW + 60)
        return closed + await self.placed.close_left_open(NOW + 60)

    async def reason(self, call_id: str) -> str | None:
        """Why the call has ended; `None` while it lasts."""
        known = await history(self.store, call_id)
        assert known is not None
        return known.call.end_reason

    async def state(self, call_id: str) -> State:
        call = await self.placed.find(call_id)
        assert call is not None
        return call.state

    async def dies(self, silent_s: float = UNCLAIMED_S + 1) -> None:
        """As if it had said nothing for so long, and nobody had claimed its calls: only the clock
        of the database tells."""
        async with self.store.writing() as connection:
            late = text("UPDATE replicas SET beat_at = beat_at - :by WHERE id = :id")
            await connection.execute(late, {"by": silent_s, "id": self.store.replica})

    async def lives_on(self) -> None:
        """As if it said so again and again, however slow this machine is."""
        await self.dies(-3_600.0)


@asynccontextmanager
async def a_server(url: str) -> AsyncGenerator[Server]:
    async with Store(url).opened() as store:
        server = Server(store)
        async with server.replicas.joined():
            yield server


@pytest.fixture
async def a(shared_url: str) -> AsyncGenerator[Server]:
    async with a_server(shared_url) as server:
        yield server


@pytest.fixture
async def b(shared_url: str) -> AsyncGenerator[Server]:
    async with a_server(shared_url) as server:
        yield server


async def test_a_servers_calls_outlive_anothers_start(a: Server, b: Server) -> None:
    await a.carries("c1")
    await a.places("c2")
    assert await b.starts() == 0
    assert await b.replicas.sweep() == 0
    assert (await b.reason("c1"), await b.state("c2")) == (None, State.BOOKED)


async def test_after_its_death_they_are_lost_and_only_once(
    shared_url: str, a: Server, b: Server
) -> None:
    calls = [f"c{number}" for number in range(20)]
    for call_id in calls:
        await a.carries(call_id)
    await b.carries("b's own")
    await a.dies()
    closed: list[int] = []

    async def sweep(server: Server) -> None:
        closed.append(await server.replicas.sweep())

    async with a_server(shared_url) as c, anyio.create_task_group() as tasks:
        for server in (b, c) * 2:
            tasks.start_soon(sweep, server)
    assert sum(closed) == len(calls)
    assert {await b.reason(call_id) for call_id in calls} == {LOST}
    assert await b.reason("b's own") is None


async def test_a_lost_call_ended_when_its_server_was_last_heard_of(a: Server, b: Server) -> None:
    await a.carries("c1")
    await a.dies(silent_s=100)
    await b.replicas.sweep()
    known = await history(b.store, "c1")
    assert known is not None and known.call.ended_at is not None
    assert 90 < time.time() - known.call.ended_at < 160


async def test_a_start_closes_what_the_dead_left_and_what_is_nobodys(a: Server, b: Server) -> None:
    for call_id in ("dead's", "nobody's"):
        await a.carries(call_id)
    await a.places("placed")
    async with b.store.writing() as connection:
        await connection.execute(
            text("UPDATE calls SET replica_id = NULL WHERE id = :id"), {"id": "nobody's"}
        )
    await a.dies()
    assert await b.starts() == 3
    assert await b.reason("dead's") == await b.reason("nobody's") == "interrupted"
    assert await b.state("placed") is State.FAILED
    known = await history(b.store, "nobody's")
    assert known is not None
    assert known.call.ended_at == NOW + 60


async def test_a_server_that_was_slow_takes_its_place_again(a: Server, b: Server) -> None:
    await a.carries("c1")
    await a.dies()
    await a.replicas.beat()
    assert await b.replicas.sweep() == 0
    assert await b.reason("c1") is None


async def test_what_a_server_says_itself_is_believed_before_what_others_thought(
    a: Server, b: Server
) -> None:
    """It was cut off, was thought dead, and carried its call to the end."""
    await a.carries("c1")
    await a.dies()
    await b.replicas.sweep()
    a.recorder.close_call("c1", "goodbye", NOW + 90)
    await a.recorder.flush()
    assert await b.reason("c1") == "goodbye"


async def test_a_server_that_comes_back_finds_its_calls_live_again(a: Server, b: Server) -> None:
    """But for those that others have taken over meanwhile, or closed for a reason of their own."""
    for call_id in ("kept", "claimed", "ended"):
        await a.carries(call_id)
    a.recorder.close_call("ended", "goodbye", NOW + 1)
    await a.recorder.flush()
    await a.dies()
    await b.replicas.sweep()
    assert await b.reason("kept") == await b.reason("claimed") == LOST
    async with b.store.writing() as connection:
        claim = text("UPDATE calls SET replica_id = :b WHERE id = 'claimed'")
        await connection.execute(claim, {"b": b.store.replica})
    await a.replicas.beat()
    assert [await b.reason(call) for call in ("kept", "claimed", "ended")] == [
        None,
        LOST,
        "goodbye",
    ]
    assert await b.replicas.sweep() == 0


async def test_a_server_that_was_heard_of_all_the_time_opens_nothing_again(
    a: Server, b: Server
) -> None:
    await a.carries("c1")
    a.recorder.close_call("c1", LOST, NOW + 1)
    await a.recorder.flush()
    await a.replicas.beat()
    assert await b.reason("c1") == LOST


async def test_a_placed_call_that_another_server_carries_is_not_lost(a: Server, b: Server) -> None:
    """The telephone was rung by one; its media came to the other."""
    await a.places("c1")
    await b.carries("c1")
    await a.dies()
    assert await b.replicas.sweep() == 0
    assert await b.state("c1") is State.BOOKED
    await b.dies()
    assert await b.replicas.sweep() == 2
    assert await b.state("c1") is State.FAILED


async def test_whoever_hears_of_a_placed_call_has_it(a: Server, b: Server) -> None:
    await a.places("c1")
    await b.placed.move("c1", State.RINGING, NOW)
    await a.dies()
    assert await b.replicas.sweep() == 0
    assert await b.state("c1") is State.RINGING


async def test_a_server_that_stops_leaves_the_register(shared_url: str, b: Server) -> None:
    async with a_server(shared_url) as a:
        await a.carries("c1")
    async with b.store.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(ReplicaRow)) == 1
    assert await b.replicas.sweep() == 1


async def test_the_long_dead_are_forgotten(a: Server, b: Server) -> None:
    await a.dies(silent_s=2 * 3_600)
    await b.replicas.sweep()
    async with b.store.reading() as connection:
        left = (await connection.scalars(select(ReplicaRow.id))).all()
    assert left == [b.store.replica]


async def test_beats_go_on_by_themselves_and_outlast_a_fault(
    a: Server, b: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The running server finds out what a dead one left, within a beat."""
    await b.carries("c1")
    beating = Replicas(a.store, beat_s=0.02)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beating.run)
        async with b.store.writing() as connection:
            await connection.execute(text("ALTER TABLE replicas RENAME TO elsewhere"))
        with anyio.fail_after(30):
            while "no sign of life" not in caplog.text:  # noqa: ASYNC110  (a log has no event)
                await anyio.sleep(0.01)
        async with b.store.writing() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO replicas"))
        await b.dies()
        await a.dies()
        with anyio.fail_after(30):
            while await b.reason("c1") != LOST:  # noqa: ASYNC110  (another connection's commit)
                await anyio.sleep(0.02)
        tasks.cancel_scope.cancel()
    async with a.store.reading() as connection:
        beat = select(ReplicaRow.beat_at - ReplicaRow.began_at)
        lived = await connection.scalar(beat.where(ReplicaRow.id == a.store.replica))
    assert lived is not None and lived > 0


def test_a_dead_servers_calls_are_lost_within_fifteen_seconds() -> None:
    assert STALE_S + BEAT_S < UNCLAIMED_S + BEAT_S < 15
    assert 3 * BEAT_S < STALE_S  # two beats may fail


async def test_on_sqlite_there_is_one_server_and_no_register(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What is open when it starts is nobody's, however short ago it began."""
    url = sqlite_url(tmp_path_factory.mktemp("data"))
    async with a_server(url) as before:
        await before.carries("c1")
        await before.places("c2")
        with anyio.fail_after(20):
            await before.replicas.run()
    async with a_server(url) as after:
        assert await after.starts() == 2
        assert await after.reason("c1") == "interrupted"
        async with after.store.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(ReplicaRow)) == 0
            ended = await connection.scalar(select(Call.ended_at))
        assert ended == NOW + 60
