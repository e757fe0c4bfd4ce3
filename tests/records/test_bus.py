"""The bus between servers on one PostgreSQL: what is asked is done once, in time, or never."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from sqlalchemy import func, select, text

from switchboard.errors import ReplicaSilent
from switchboard.records.bus import MAYBE, MOST_CHARS, NEVER, Bus
from switchboard.records.commands import LEFT_S, Command, CommandTable
from switchboard.records.schema import CommandRow
from switchboard.records.store import Store, sqlite_url
from tests.databases import Cluster

WAIT_S = 30.0
OFTEN_S = 0.1
NEVER_S = 3_600.0
"""Nobody looks by themselves."""


@dataclass
class Server:
    """One that does what it is asked, and writes it down."""

    store: Store
    bus: Bus
    done: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    hold: anyio.Event | None = None
    """Until when it takes its time."""
    taken: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        self.bus.obey("deed", self.act)

    @property
    def id(self) -> str:
        return self.store.replica

    async def act(self, call_id: str, body: str) -> str:
        self.taken.set()
        if self.hold is not None:
            await self.hold.wait()
        if body == "fail":
            raise RuntimeError("it fails")
        self.done.append((call_id, body))
        return json.dumps({"did": body})

    async def asks(self, other: "Server", body: str, call_id: str = "c1") -> str:
        return await self.bus.ask(call_id, other.id, "deed", body)

    async def rows(self) -> int:
        async with self.store.reading() as connection:
            return await connection.scalar(select(func.count()).select_from(CommandRow)) or 0

    async def ask_by_hand(self, other: "Server", within_s: float = WAIT_S) -> str:
        """A row as another server would write it; its id."""
        command = Command("by-hand", "c1", self.id, "deed", "by hand")
        await CommandTable(self.store).put(command, other.id, within_s)
        return command.id


@asynccontextmanager
async def a_server(
    url: str, *, patience_s: float = WAIT_S, look_s: float = OFTEN_S, runs: bool = True
) -> AsyncGenerator[Server]:
    async with Store(url).opened() as store, anyio.create_task_group() as tasks:
        server = Server(store, Bus(store, patience_s=patience_s, look_s=look_s))
        if runs:
            tasks.start_soon(server.bus.run)
            await until(lambda: server.bus.announcements.listening)
        yield server
        tasks.cancel_scope.cancel()


async def until(happened: Callable[[], object]) -> None:
    with anyio.fail_after(WAIT_S):
        while not happened():  # noqa: ASYNC110  (plain facts, without events of their own)
            await anyio.sleep(0.01)


def deaf(_: str) -> None:
    """Announcements are lost."""


async def cut_off(cluster: Cluster, url: str) -> None:
    """Whoever listens loses the connection."""
    async with cluster.connected(url.rpartition("/")[2]) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query IN ('SELECT 1') OR query LIKE 'LISTEN%'"
        )


async def test_what_one_asks_another_does_and_answers(shared_url: str) -> None:
    async with a_server(shared_url) as a, a_server(shared_url) as b:
        assert json.loads(await b.asks(a, "whisper")) == {"did": "whisper"}
        assert a.done == [("c1", "whisper")]
        assert b.done == []
        assert await a.rows() == 0


async def test_an_announcement_is_enough_where_nobody_looks(shared_url: str) -> None:
    async with (
        a_server(shared_url, look_s=NEVER_S) as a,
        a_server(shared_url, look_s=NEVER_S) as b,
    ):
        await b.asks(a, "whisper")
        await a.asks(b, "whisper back")
        assert (a.done, b.done) == ([("c1", "whisper")], [("c1", "whisper back")])


async def test_a_look_is_enough_where_nothing_is_announced(shared_url: str) -> None:
    async with (
        a_server(shared_url) as a,
        a_server(shared_url, runs=False) as b,  # it hears nothing
    ):
        for server in (a, b):
            server.bus.announcements._heard = deaf  # pyright: ignore[reportPrivateUsage]
        await b.asks(a, "whisper")
        assert a.done == [("c1", "whisper")]


async def test_in_one_process_there_is_no_row(shared_url: str, tmp_path: Path) -> None:
    for url in (shared_url, sqlite_url(tmp_path)):
        async with a_server(url, runs=False) as a:
            assert json.loads(await a.asks(a, "whisper")) == {"did": "whisper"}
            assert a.done == [("c1", "whisper")]
            with pytest.raises(ReplicaSilent):
                await a.asks(a, "fail")


async def test_many_things_at_once_are_each_done_once(shared_url: str) -> None:
    async with a_server(shared_url) as a, a_server(shared_url) as b, a_server(shared_url) as c:
        async with anyio.create_task_group() as tasks:
            for number in range(60):
                asker, other = ((b, a), (c, a), (a, b))[number % 3]
                tasks.start_soon(asker.asks, other, str(number))
        assert sorted(int(body) for _, body in a.done + b.done) == list(range(60))
        assert await a.rows() == 0


async def test_of_two_takers_one_acts(shared_url: str) -> None:
    async with a_server(shared_url, runs=False) as a, a_server(shared_url, runs=False) as b:
        twin = Store(shared_url)
        twin.replica = a.id
        async with twin.opened():
            for number in range(20):
                command = Command(str(number), "c1", b.id, "deed", "x")
                await CommandTable(b.store).put(command, a.id, WAIT_S)
                taken: list[Command | None] = []

                async def take(store: Store, which: str, into: list[Command | None]) -> None:
                    into.append(await CommandTable(store).take(which))

                async with anyio.create_task_group() as tasks:
                    for store in (a.store, twin) * 2:
                        tasks.start_soon(take, store, command.id, taken)
                assert [each for each in taken if each is not None] == [command]


async def test_announced_twice_it_is_done_once(shared_url: str, cluster: Cluster) -> None:
    async with a_server(shared_url) as a, a_server(shared_url, runs=False) as b:
        a.hold = anyio.Event()
        command_id = await b.ask_by_hand(a)
        await a.taken.wait()
        again = f"NOTIFY switchboard_{a.id}, '{command_id}'"
        nonsense = f"NOTIFY switchboard_{a.id}, 'nobody knows this'"
        for statement in (again, nonsense, again):
            await cluster.run(statement, database=shared_url.rpartition("/")[2])
        a.hold.set()
        await until(lambda: a.done)
        assert (await CommandTable(b.store).settle(command_id)).taken
        assert json.loads(await b.asks(a, "after it")) == {"did": "after it"}
        assert a.done == [("c1", "by hand"), ("c1", "after it")]


async def test_a_listener_that_was_killed_comes_back_and_misses_nothing(
    shared_url: str, cluster: Cluster
) -> None:
    async with (
        a_server(shared_url, look_s=NEVER_S) as a,
        a_server(shared_url, runs=False) as b,
    ):
        await cut_off(cluster, shared_url)
        await until(lambda: not a.bus.announcements.listening)
        await b.ask_by_hand(a)  # nobody hears of it; it is found on coming back
        await until(lambda: a.done)
        assert a.done == [("c1", "by hand")]
        await until(lambda: a.bus.announcements.listening)


async def test_one_that_does_not_answer_is_not_waited_for_and_never_acts(shared_url: str) -> None:
    async with (
        a_server(shared_url, runs=False) as dead,
        a_server(shared_url, patience_s=0.3) as b,
    ):
        with pytest.raises(ReplicaSilent) as silent:
            await b.asks(dead, "whisper")
        assert (str(silent.value), silent.value.maybe_done) == (NEVER, False)
        assert await b.rows() == 0  # so that it finds nothing once it lives again
        assert list(await CommandTable(dead.store).waiting()) == []


async def test_one_that_took_it_and_says_nothing_may_have_done_it(shared_url: str) -> None:
    async with a_server(shared_url) as a, a_server(shared_url, patience_s=1.0) as b:
        a.hold = anyio.Event()
        with pytest.raises(ReplicaSilent) as silent:
            await b.asks(a, "whisper")
        assert (str(silent.value), silent.value.maybe_done) == (MAYBE, True)
        a.hold.set()
        await until(lambda: a.done)
        a.hold = None
        assert json.loads(await b.asks(a, "again")) == {"did": "again"}
        assert await b.rows() == 0


async def test_one_that_fails_says_so_and_goes_on(shared_url: str) -> None:
    async with a_server(shared_url) as a, a_server(shared_url) as b:
        with pytest.raises(ReplicaSilent):
            await b.asks(a, "fail")
        with pytest.raises(ReplicaSilent):
            await b.bus.ask("c1", a.id, "unheard of", "{}")
        assert json.loads(await b.asks(a, "whisper")) == {"did": "whisper"}


async def test_after_its_deadline_nothing_is_acted_on_and_soon_it_is_gone(shared_url: str) -> None:
    async with a_server(shared_url, runs=False) as a, a_server(shared_url, runs=False) as b:
        command_id = await b.ask_by_hand(a, within_s=0.0)
        table = CommandTable(a.store)
        assert await table.take(command_id) is None
        assert list(await table.waiting()) == []
        await table.sweep()
        assert await a.rows() == 1
        late = text("UPDATE commands SET deadline = deadline - :by")
        async with a.store.writing() as connection:
            await connection.execute(late, {"by": LEFT_S})
        await table.sweep()
        assert await a.rows() == 0


async def test_what_was_asked_does_not_outlive_its_answer(shared_url: str) -> None:
    async with a_server(shared_url) as a, a_server(shared_url, runs=False) as b:
        await b.ask_by_hand(a)
        table = CommandTable(b.store)
        with anyio.fail_after(WAIT_S):
            while not await table.is_answered("by-hand"):  # noqa: ASYNC110  (as above)
                await anyio.sleep(0.01)
        async with b.store.reading() as connection:
            assert await connection.scalar(select(CommandRow.body)) == ""
        assert (await table.settle("by-hand")).answer == '{"did": "by hand"}'


async def test_what_is_too_long_is_not_asked(shared_url: str) -> None:
    async with a_server(shared_url, runs=False) as a, a_server(shared_url, runs=False) as b:
        with pytest.raises(ValueError, match="too long"):
            await b.asks(a, "x" * (MOST_CHARS + 1))
        assert await b.rows() == 0


async def test_a_database_that_is_away_is_said(shared_url: str, cluster: Cluster) -> None:
    name = await cluster.create()
    async with a_server(shared_url) as a:
        store = Store(cluster.url(name))
        async with store.opened():
            bus = Bus(store)
            await cluster.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await cluster.run(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            with pytest.raises(ReplicaSilent) as silent:
                await bus.ask("c1", a.id, "deed", "whisper")
            assert silent.value.maybe_done
        assert a.done == []
