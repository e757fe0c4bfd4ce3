"""Lending a few things to many."""

import asyncio

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.engine.turnstile import Full, Turnstile


async def test_the_most_urgent_is_served_first_then_who_came_first() -> None:
    turnstile = Turnstile(["only"], most_waiting=8)
    served: list[str] = []

    async def borrower(name: str, urgency: int) -> None:
        async with turnstile.borrow(urgency=urgency):
            served.append(name)
            await asyncio.sleep(0)

    only = await turnstile.take()
    async with anyio.create_task_group() as borrowers:
        for name, urgency in (("b", 1), ("c", 1), ("a", 0), ("d", 2)):
            borrowers.start_soon(borrower, name, urgency)
            await anyio.wait_all_tasks_blocked()
        turnstile.give(only)
    assert served == ["a", "b", "c", "d"]


async def test_the_last_one_is_kept_for_who_cannot_wait() -> None:
    turnstile = Turnstile(["one", "other"], most_waiting=8, kept=1)
    first = await turnstile.take(urgency=2)
    patient = asyncio.create_task(turnstile.take(urgency=2))
    await asyncio.sleep(0)
    second = await turnstile.take(urgency=1)
    assert not patient.done()
    turnstile.give(second)
    await asyncio.sleep(0)
    assert not patient.done()
    turnstile.give(first)
    assert await patient == first
    assert await turnstile.take() == second


async def test_too_many_borrowers_are_refused() -> None:
    turnstile = Turnstile(["only"], most_waiting=0)
    async with turnstile.borrow():
        with pytest.raises(Full):
            await turnstile.take()
    assert await turnstile.take() == "only"


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12), st.integers(1, 3))
async def test_whoever_leaves_when_nothing_is_lost_or_lent_twice(
    visits: list[tuple[int, bool]], things: int
) -> None:
    turnstile = Turnstile(range(things), most_waiting=99)
    lent: set[int] = set()

    async def visit(urgency: int) -> None:
        async with turnstile.borrow(urgency=urgency) as thing:
            assert thing not in lent
            lent.add(thing)
            try:
                await asyncio.sleep(0)
            finally:
                lent.discard(thing)

    async with anyio.create_task_group() as crowd:
        tasks = [asyncio.create_task(visit(urgency)) for urgency, _ in visits]
        await asyncio.sleep(0)
        for task, (_, leaves) in zip(tasks, visits, strict=True):
            if leaves:
                task.cancel()
        crowd.start_soon(_ended, tasks)
    assert {await turnstile.take() for _ in range(things)} == set(range(things))


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
