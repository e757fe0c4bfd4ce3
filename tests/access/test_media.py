"""A media ticket is good for one call and the first connection that shows it, and no other."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from switchboard.access.media import LIFE_S, MediaTickets
from switchboard.access.refusals import NotIdentified
from switchboard.records.store import Store, sqlite_url
from switchboard.records.telephone import MediaTicketTable, SeenEvents


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(store: Store, clock: Clock) -> MediaTickets:
    return MediaTickets(MediaTicketTable(store), clock=clock)


async def test_acs_may_come_back_with_the_connection_that_came_first(
    office: MediaTickets, store: Store
) -> None:
    ticket = await office.issue("c1")
    await office.check(ticket, "c1", "acs-1")
    await office.check(ticket, "c1", "acs-1")
    assert await MediaTicketTable(store).connection_of("c1") == "acs-1"


async def test_who_shows_it_is_told_the_facts_until_the_call_is_over(office: MediaTickets) -> None:
    ticket = await office.issue("c1", "who it is")
    assert await office.check(ticket, "c1", "acs-1") == "who it is"
    assert await office.check(ticket, "c1", "acs-1") == "who it is"
    await office.revoke("c1")
    with pytest.raises(NotIdentified):
        await office.check(ticket, "c1", "acs-1")


async def test_nobody_else_may(office: MediaTickets) -> None:
    ticket = await office.issue("c1")
    await office.check(ticket, "c1", "acs-1")
    with pytest.raises(NotIdentified):
        await office.check(ticket, "c1", "acs-2")


async def test_it_opens_no_other_call_and_is_not_spent_by_trying(office: MediaTickets) -> None:
    ticket, other = await office.issue("c1"), await office.issue("c2")
    for shown, call_id in ((ticket, "c2"), (other, "c1"), (ticket, "c3"), (ticket, "")):
        with pytest.raises(NotIdentified):
            await office.check(shown, call_id, "acs-1")
    await office.check(ticket, "c1", "acs-1")


@pytest.mark.parametrize("ticket", ["", "a" * 42, "a" * 43, "a" * 44, "é" * 43, "' OR 1=1 --"])
async def test_what_is_no_ticket_opens_nothing(office: MediaTickets, ticket: str) -> None:
    await office.issue("c1")
    with pytest.raises(NotIdentified):
        await office.check(ticket, "c1", "acs-1")


@pytest.mark.parametrize("connection_id", ["", "a b", "x" * 201, "a\n", "é"])
async def test_a_connection_has_a_name(office: MediaTickets, connection_id: str) -> None:
    ticket = await office.issue("c1")
    with pytest.raises(NotIdentified):
        await office.check(ticket, "c1", connection_id)


async def test_after_the_call_or_a_day_it_is_worth_nothing(
    office: MediaTickets, clock: Clock
) -> None:
    ended, old = await office.issue("c1"), await office.issue("c2")
    await office.check(ended, "c1", "acs-1")
    await office.revoke("c1")
    clock.now += LIFE_S
    for ticket, call_id in ((ended, "c1"), (old, "c2")):
        with pytest.raises(NotIdentified):
            await office.check(ticket, call_id, "acs-1")


async def test_what_expired_is_forgotten_also_where_no_call_said_so(
    store: Store, clock: Clock
) -> None:
    table = MediaTicketTable(store)
    office = MediaTickets(table, sweep_s=0.01, clock=clock)
    for call_id in ("c1", "c2"):
        await office.check(await office.issue(call_id), call_id, "acs-1")
        clock.now += LIFE_S / 2
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(office.run)
            while await table.connection_of("c1"):  # noqa: ASYNC110 - a row has no event
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    assert await table.connection_of("c2") == "acs-1"


async def test_an_event_is_seen_once_on_whatever_replica(store: Store) -> None:
    here, there = SeenEvents(store), SeenEvents(store)
    assert await here.first("e1", 100.0, for_s=60)
    assert not await there.first("e1", 110.0, for_s=60)
    assert await there.first("e2", 110.0, for_s=60)
    assert await here.first("e1", 161.0, for_s=60)


async def test_whether_an_event_was_seen_can_be_asked_and_forgotten(store: Store) -> None:
    seen = SeenEvents(store)
    assert not await seen.has("e1", 100.0)
    assert await seen.first("e1", 100.0, for_s=60)
    assert await seen.has("e1", 159.0)
    assert not await seen.has("e1", 160.0)
    await seen.forget("e1")
    assert await seen.first("e1", 110.0, for_s=60)
