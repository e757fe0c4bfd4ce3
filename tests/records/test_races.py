"""Two servers on one database, and many at once: each thing that may happen once happens once.

SQLite has one writer, so there these hold by themselves; PostgreSQL lets two transactions look
before either has written.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import count

import anyio
import pytest
from sqlalchemy import func, select

from switchboard.access.tickets import NewTicket
from switchboard.records.dialled import Booked, DialledTable, Full, Quotas, Wanted
from switchboard.records.placed import PlacedTable, State
from switchboard.records.postgres import Patience
from switchboard.records.promised import DIALLING, WAITING, Promise, PromisedTable
from switchboard.records.recordings import RecordingTable
from switchboard.records.schema import Dialled, Promised, SeenEvent
from switchboard.records.store import Store
from switchboard.records.telephone import SeenEvents
from switchboard.records.tickets import TicketTable

NOW = 1_800_000_000.0
NUMBER = "+442079460018"
MANY = 16
"""No more than two servers have connections for: these races are the database's."""
PATIENT = Patience(statement_s=50, lock_s=50)
"""Machines that run tests may be slow; who waits for whom is the same."""
WIDE = Quotas(principal_a_day=999, number_a_day=999, a_day=999, at_once=999)


@pytest.fixture
async def servers(database_url: str) -> AsyncGenerator[Sequence[Store]]:
    async with AsyncExitStack() as stack:
        stores = [Store(database_url, busy_timeout_ms=50_000, patience=PATIENT) for _ in range(2)]
        yield [await stack.enter_async_context(store.opened()) for store in stores]


async def at_once[T](
    servers: Sequence[Store], do: Callable[[Store, int], Awaitable[T]], times: int = MANY
) -> list[T]:
    """What came of doing it many times, by turns on each server, and all at the same time."""
    came: list[T] = []

    async def one(number: int) -> None:
        came.append(await do(servers[number % len(servers)], number))

    async with anyio.create_task_group() as tasks:
        for number in range(times):
            tasks.start_soon(one, number)
    return came


# -- calls that are placed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quotas", "full"),
    [
        (Quotas(principal_a_day=4, number_a_day=999, a_day=999, at_once=999), Full.PRINCIPAL),
        (Quotas(principal_a_day=999, number_a_day=4, a_day=999, at_once=999), Full.NUMBER),
        (Quotas(principal_a_day=999, number_a_day=999, a_day=4, at_once=999), Full.DAY),
        (Quotas(principal_a_day=999, number_a_day=999, a_day=999, at_once=4), Full.AT_ONCE),
    ],
    ids=["of a user", "to a number", "in all", "at once"],
)
async def test_no_quota_is_exceeded_however_many_ask(
    servers: Sequence[Store], quotas: Quotas, full: Full
) -> None:
    async def book(store: Store, number: int) -> Booked | Full:
        wanted = Wanted(f"op {number}", f"c{number}", "ana", NUMBER)
        return await DialledTable(store).book(wanted, quotas, NOW)

    came = await at_once(servers, book)
    assert [type(each) for each in came].count(Booked) == 4
    assert came.count(full) == MANY - 4


async def test_one_operation_is_one_call(servers: Sequence[Store]) -> None:
    async def book(store: Store, number: int) -> Booked | Full:
        return await DialledTable(store).book(
            Wanted("the same", f"c{number}", "ana", NUMBER), WIDE, NOW
        )

    came = [each for each in await at_once(servers, book) if isinstance(each, Booked)]
    assert len(came) == MANY
    assert len({each.call_id for each in came}) == 1
    assert [each.again for each in came].count(False) == 1


async def test_a_number_that_wants_no_call_may_say_so_twice(servers: Sequence[Store]) -> None:
    async def refuse(store: Store, number: int) -> None:
        await DialledTable(store).do_not_call(NUMBER, f"reason {number}", NOW)

    await at_once(servers, refuse)
    assert await DialledTable(servers[0]).is_do_not_call(NUMBER)


async def test_a_placed_call_ends_once(servers: Sequence[Store]) -> None:
    await DialledTable(servers[0]).book(Wanted("op", "c1", "ana", NUMBER), WIDE, NOW)
    ends = (State.BUSY, State.FAILED, State.NO_ANSWER, State.ENDED)

    async def end(store: Store, number: int) -> bool:
        return await PlacedTable(store).move("c1", ends[number % len(ends)], NOW)

    assert (await at_once(servers, end)).count(True) == 1


async def test_booking_and_moving_do_not_lock_each_other_out(servers: Sequence[Store]) -> None:
    async def both(store: Store, number: int) -> bool:
        wanted = Wanted(f"op {number}", f"c{number}", "ana", NUMBER)
        await DialledTable(store).book(wanted, WIDE, NOW)
        return await PlacedTable(store).move(f"c{number}", State.RINGING, NOW)

    assert all(await at_once(servers, both))
    async with servers[0].reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(Dialled)) == MANY


# -- calls that were promised ---------------------------------------------------------------------


def promise(number: int, to: str = NUMBER, due_at: float = NOW) -> Promise:
    return Promise(f"p{number}", to, "bank", "telephone:1", "the form", due_at, NOW + 86_400)


async def states(store: Store, state: str) -> int:
    counted = select(func.count()).select_from(Promised).where(Promised.state == state)
    async with store.reading() as connection:
        return (await connection.scalar(counted)) or 0


async def test_each_promise_is_taken_by_one_server(servers: Sequence[Store]) -> None:
    due = MANY // 2
    for number in range(due):
        await PromisedTable(servers[0]).put(promise(number, f"+44207946{number:04}"))

    async def take(store: Store, _: int) -> Promise | None:
        return await PromisedTable(store).take_due(NOW)

    taken = [each for each in await at_once(servers, take) if each is not None]
    assert sorted(each.id for each in taken) == sorted(f"p{number}" for number in range(due))
    assert {each.attempts for each in taken} == {1}
    assert await states(servers[0], DIALLING) == due


async def test_one_number_waits_for_one_call(servers: Sequence[Store]) -> None:
    numbers = [f"+44207946{number:04}" for number in range(6)]

    async def put(store: Store, number: int) -> None:
        await PromisedTable(store).put(promise(number, numbers[number % len(numbers)]))

    for first in range(0, 4 * MANY, MANY):
        await at_once(servers, lambda store, number, first=first: put(store, first + number))
        assert await states(servers[0], WAITING) == len(numbers)


async def test_a_promise_that_was_settled_is_not_put_off(servers: Sequence[Store]) -> None:
    """Both servers heard that its call is over, and the slower one would try again."""
    first, second = map(PromisedTable, servers)
    await first.put(promise(1))
    await first.take_due(NOW)
    await first.settle("p1", kept=True)
    await second.postpone("p1", NOW, attempts=1)
    assert await second.take_due(NOW + 9_999) is None


async def test_what_nobody_placed_is_released_once(servers: Sequence[Store]) -> None:
    await PromisedTable(servers[0]).put(promise(1))
    await PromisedTable(servers[0]).take_due(NOW)

    async def release(store: Store, _: int) -> int:
        return await PromisedTable(store).release(NOW)

    assert sum(await at_once(servers, release)) == 1


# -- events and tickets ---------------------------------------------------------------------------


async def test_an_event_is_seen_for_the_first_time_once(servers: Sequence[Store]) -> None:
    async def see(store: Store, number: int) -> bool:
        return await SeenEvents(store).first(f"event {number % 3}", NOW, for_s=60)

    assert (await at_once(servers, see)).count(True) == 3


async def test_an_event_that_was_forgotten_is_first_again_once(servers: Sequence[Store]) -> None:
    for number in range(50):
        assert await SeenEvents(servers[0]).first(f"old {number}", NOW, for_s=1)

    async def see(store: Store, number: int) -> bool:
        return await SeenEvents(store).first(f"old {number % 2}", NOW + 1, for_s=60)

    assert (await at_once(servers, see)).count(True) == 2
    async with servers[0].reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(SeenEvent)) == 2


async def test_a_ticket_is_used_once(servers: Sequence[Store]) -> None:
    await TicketTable(servers[0]).put("d1", "c1", "ana", "open", NOW + 10)
    numbers = count()

    async def use(store: Store, _: int) -> object:
        new = NewTicket(f"new {next(numbers)}", "resume", NOW + 10)
        return await TicketTable(store).trade("d1", "c1", "ana", NOW, new=new)

    assert (await at_once(servers, use)).count(None) == MANY - 1


async def test_a_ticket_that_expires_as_it_is_swept_is_told_of_once(
    servers: Sequence[Store],
) -> None:
    for number in range(20):
        await TicketTable(servers[0]).put(f"d{number}", f"c{number}", "ana", "open", NOW)

    async def sweep(store: Store, _: int) -> int:
        return len(await TicketTable(store).sweep(NOW))

    assert sum(await at_once(servers, sweep)) == 20


async def test_a_recording_has_one_row_whoever_tells_of_it(servers: Sequence[Store]) -> None:
    async def put(store: Store, _: int) -> None:
        await RecordingTable(store).put("c1", "running", NOW, recording_id="r1")

    async def filed(store: Store, _: int) -> bool:
        return await RecordingTable(store).filed("r1", ["https://a/1.wav"], 1_000.0)

    await at_once(servers, put)
    assert all(await at_once(servers, filed))
    kept = await RecordingTable(servers[0]).of("c1")
    assert kept is not None
    assert (kept.state, kept.where) == ("filed", ["https://a/1.wav"])
