"""What became of placed calls moves on and never back; promises wait, are taken once, and last."""

import pytest

from switchboard.records.dialled import DialledTable, Quotas, Wanted
from switchboard.records.placed import PlacedTable, State
from switchboard.records.promised import Promise, PromisedTable
from switchboard.records.store import Store

NUMBER = "+442079460018"
NOW = 1_800_000_000.0
PROMISE = Promise("p1", NUMBER, "bank", "telephone:1", "the form", NOW + 60, NOW + 86_400)


async def booked(store: Store, call_id: str = "c1") -> PlacedTable:
    wanted = Wanted(f"op {call_id}", call_id, "local", NUMBER, "bank")
    await DialledTable(store).book(wanted, Quotas(), NOW)
    return PlacedTable(store)


async def test_a_call_is_booked_rings_is_answered_and_ends(store: Store) -> None:
    table = await booked(store)
    for at, state in enumerate((State.RINGING, State.ANSWERED, State.ENDED)):
        assert await table.move("c1", state, NOW + at, code=200)
    call = await table.find("c1")
    assert call is not None
    assert (call.state, call.agent, call.code) == (State.ENDED, "bank", 200)
    assert (call.answered_at, call.ended_at) == (NOW + 1, NOW + 2)


@pytest.mark.parametrize("late", list(State))
async def test_what_is_over_is_over(store: Store, late: State) -> None:
    table = await booked(store)
    await table.move("c1", State.BUSY, NOW, code=486, reason="busy")
    if late is not State.BOOKED:
        assert not await table.move("c1", late, NOW + 9, code=200)
    call = await table.find("c1")
    assert call is not None
    assert (call.state, call.code, call.ended_at) == (State.BUSY, 486, NOW)


async def test_an_answer_that_is_told_first_is_not_undone_by_the_ringing(store: Store) -> None:
    table = await booked(store)
    assert await table.move("c1", State.ANSWERED, NOW)
    assert not await table.move("c1", State.RINGING, NOW)


async def test_a_crash_leaves_no_call_open(store: Store) -> None:
    table = await booked(store)
    await booked(store, "c2")
    await table.move("c2", State.ENDED, NOW)
    assert await table.close_left_open(NOW + 5) == 1
    call = await table.find("c1")
    assert call is not None
    assert (call.state, call.reason, call.ended_at) == (State.FAILED, "interrupted", NOW + 5)
    assert await table.find("c3") is None


async def test_a_colleague_who_was_rung_is_no_call_that_a_crash_left_open(store: Store) -> None:
    table = await booked(store)
    await DialledTable(store).ended("c1", NOW + 2)
    assert await table.close_left_open(NOW + 5) == 0
    call = await table.find("c1")
    assert call is not None
    assert (call.state, call.reason, call.ended_at) == (State.ENDED, None, NOW + 2)


async def test_a_promise_is_taken_when_it_is_due_and_once(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(PROMISE)
    assert await table.take_due(NOW) is None
    taken = await table.take_due(NOW + 60)
    assert taken is not None
    assert (taken.number, taken.attempts) == (NUMBER, 1)
    assert await table.take_due(NOW + 60) is None


async def test_a_newer_promise_takes_the_place_of_an_older_one(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(PROMISE)
    await table.put(Promise("p2", NUMBER, "bank", "telephone:1", "", NOW + 90, NOW + 86_400))
    assert await table.take_due(NOW + 60) is None
    taken = await table.take_due(NOW + 90)
    assert taken is not None
    assert taken.id == "p2"


async def test_a_promise_survives_the_server_that_was_keeping_it(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(PROMISE)
    await table.take_due(NOW + 60)
    assert await table.release(NOW + 59) == 0
    assert await table.release(NOW + 60) == 1
    taken = await table.take_due(NOW + 70)
    assert taken is not None
    assert taken.attempts == 2


async def test_a_promise_is_found_by_its_call_until_it_is_settled(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(PROMISE)
    await table.take_due(NOW + 60)
    await table.dialled("p1", "c1")
    assert await table.of_call("c1") is not None
    await table.settle("p1", kept=True)
    assert await table.of_call("c1") is None
    assert await table.take_due(NOW + 9_999) is None


async def test_who_wants_no_call_gets_none(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(PROMISE)
    await table.forget(NUMBER)
    assert await table.take_due(NOW + 9_999) is None
