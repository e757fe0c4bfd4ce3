"""A day's budget holds, however many servers count at once, and whoever dies."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import anyio
import pytest
from sqlalchemy import func, select

from switchboard.records.budgets import (
    HELD_S,
    HELD_USD,
    LEASE_S,
    Budget,
    Budgets,
    BudgetTable,
    Short,
    Taken,
    Used,
    day_of,
    known_as,
)
from switchboard.records.postgres import Patience
from switchboard.records.schema import SpentRow
from switchboard.records.store import Store

NOW = 1_800_000_000.0
DAY = day_of(NOW)
TOMORROW = NOW + 86_400
ROOM = 4
"""Calls that there is room for."""
MANY = 16
PATIENT = Patience(statement_s=50, lock_s=50)


@pytest.fixture
async def servers(database_url: str) -> AsyncGenerator[Sequence[Store]]:
    async with AsyncExitStack() as stack:
        stores = [Store(database_url, busy_timeout_ms=50_000, patience=PATIENT) for _ in range(2)]
        yield [await stack.enter_async_context(store.opened()) for store in stores]


async def at_once[T](do: Callable[[int], Awaitable[T]]) -> list[T]:
    came: list[T] = []

    async def one(number: int) -> None:
        came.append(await do(number))

    async with anyio.create_task_group() as tasks:
        for number in range(MANY):
            tasks.start_soon(one, number)
    return came


def used(call_id: str, payer: str = "ana", *, over: bool = False, **what: float) -> Used:
    took = {"usd": 0.0, "seconds": 0.0, **what}
    return Used(call_id, DAY, known_as(payer, DAY), over=over, **took)


@pytest.mark.parametrize(
    ("budgets", "short"),
    [
        (Budgets(user=Budget(minutes=ROOM * HELD_S / 60)), Short.USER),
        (Budgets(user=Budget(usd=ROOM * HELD_USD + 0.001)), Short.USER),
        (Budgets(all=Budget(minutes=ROOM * HELD_S / 60)), Short.ALL),
        (Budgets(all=Budget(usd=ROOM * HELD_USD + 0.001)), Short.ALL),
    ],
    ids=["minutes of a user", "money of a user", "minutes in all", "money in all"],
)
async def test_servers_that_book_at_once_never_book_more_than_there_is(
    servers: Sequence[Store], budgets: Budgets, short: Short
) -> None:
    async def book(number: int) -> Short | None:
        table = BudgetTable(servers[number % len(servers)])
        return await table.book(f"c{number}", "ana", budgets, NOW)

    came = await at_once(book)
    assert came.count(None) == ROOM
    assert came.count(short) == MANY - ROOM


async def test_what_one_user_has_used_is_no_matter_of_another_s(store: Store) -> None:
    table, budgets = BudgetTable(store), Budgets(user=Budget(minutes=1))
    assert await table.book("c1", "ana", budgets, NOW) is None
    assert await table.report([used("c1", seconds=50)], budgets, NOW) == {
        known_as("ana", DAY): Short.USER
    }
    assert await table.book("c2", "ana", budgets, NOW) is Short.USER
    assert await table.book("c3", "ben", budgets, NOW) is None


async def test_a_call_is_told_while_there_is_still_time_for_a_goodbye(store: Store) -> None:
    table, budgets = BudgetTable(store), Budgets(all=Budget(minutes=2))
    assert await table.book("c1", "ana", budgets, NOW) is None
    assert await table.report([used("c1", seconds=120 - HELD_S)], budgets, NOW) == {}
    short = await table.report([used("c1", seconds=121 - HELD_S)], budgets, NOW)
    assert set(short.values()) == {Short.ALL}


async def test_what_a_dead_server_held_is_given_back_and_what_it_used_is_not(
    store: Store,
) -> None:
    table, budgets = BudgetTable(store), Budgets(user=Budget(minutes=1.2))
    assert await table.book("c1", "ana", budgets, NOW) is None
    await table.report([used("c1", seconds=40)], budgets, NOW)
    assert await table.book("c2", "ana", budgets, NOW + LEASE_S - 1) is Short.USER
    assert await table.book("c2", "ana", budgets, NOW + LEASE_S) is None
    assert await table.today(NOW + LEASE_S) == Taken(HELD_USD, 40 + HELD_S)


async def test_an_ended_call_holds_nothing(store: Store) -> None:
    table, budgets = BudgetTable(store), Budgets(user=Budget(minutes=1))
    await table.book("c1", "ana", budgets, NOW)
    await table.report([used("c1", seconds=10, usd=0.02, over=True)], budgets, NOW)
    assert await table.today(NOW) == Taken(0.02, 10)
    assert await table.book("c2", "ana", budgets, NOW) is None


async def test_each_day_has_its_own_budget_and_old_ones_are_forgotten(store: Store) -> None:
    table, budgets = BudgetTable(store), Budgets(user=Budget(minutes=1))
    await table.book("c1", "ana", budgets, NOW)
    await table.report([used("c1", seconds=60, over=True)], budgets, NOW)
    assert await table.book("c2", "ana", budgets, NOW) is Short.USER
    assert await table.book("c2", "ana", budgets, TOMORROW) is None
    await table.sweep(TOMORROW + 86_400)
    async with store.reading() as connection:
        left = await connection.execute(select(SpentRow.day))
        assert [day for (day,) in left] == [day_of(TOMORROW)]


async def test_the_rows_do_not_say_who_it_was(store: Store) -> None:
    await BudgetTable(store).book("c1", "p-ana", Budgets(user=Budget(minutes=9)), NOW)
    async with store.reading() as connection:
        named = select(func.count()).select_from(SpentRow).where(SpentRow.who.contains("ana"))
        assert (await connection.execute(named)).scalar() == 0
    assert known_as("p-ana", DAY) != known_as("p-ana", day_of(TOMORROW))


async def test_servers_that_report_the_same_and_different_calls_at_once_lose_nothing(
    servers: Sequence[Store],
) -> None:
    budgets = Budgets(all=Budget(minutes=10_000))
    rows = [used(f"c{number}", seconds=10) for number in range(8)]

    async def report(number: int) -> None:
        mine = rows if number % 2 else rows[::-1]
        await BudgetTable(servers[number % 2]).report(mine, budgets, NOW)

    await at_once(report)
    assert (await BudgetTable(servers[0]).today(NOW)).seconds == 8 * (10 + HELD_S)
