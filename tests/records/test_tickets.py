"""Ticket rows are consumed once, whoever comes first."""

from itertools import count

import anyio

from switchboard.access.tickets import NewTicket
from switchboard.records.store import Store
from switchboard.records.tickets import StoredTicket, TicketTable

TICKET = StoredTicket("c1", "local", "open")
numbers = count()


async def take(table: TicketTable, digest: str, now: float) -> StoredTicket | None:
    """Use a ticket of the first call up."""
    new = NewTicket(f"new{next(numbers)}", "resume", 100)
    return await table.trade(digest, "c1", "local", now, new=new)


async def test_a_ticket_is_taken_once(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    assert await take(table, "d1", 5) == TICKET
    assert await take(table, "d1", 5) is None


async def test_of_many_who_reach_for_one_ticket_exactly_one_has_it(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    taken: list[StoredTicket | None] = []

    async def reach() -> None:
        taken.append(await take(table, "d1", 5))

    async with anyio.create_task_group() as racers:
        for _ in range(12):
            racers.start_soon(reach)
    assert taken.count(TICKET) == 1 and taken.count(None) == 11


async def test_an_expired_ticket_opens_nothing_and_is_swept(store: Store) -> None:
    table = TicketTable(store)
    await table.put("old", "c1", "local", "open", expires_at=10)
    await table.put("young", "c1", "local", "open", expires_at=20)
    assert await take(table, "old", 10) is None
    assert list(await table.sweep(now=10)) == [TICKET]
    assert list(await table.sweep(now=10)) == []
    assert await take(table, "young", 11) == TICKET


async def test_revoking_takes_every_ticket_of_a_call(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    await table.put("d2", "c2", "local", "open", expires_at=10)
    await table.revoke("c1")
    assert await take(table, "d1", 5) is None
    new = NewTicket("new", "resume", 100)
    assert await table.trade("d2", "c2", "local", 5, new=new) is not None


async def test_what_is_traded_in_is_replaced_only_for_its_holder(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    assert await table.trade("d1", "c2", "local", 5, new=NewTicket("d2", "resume", 10)) is None
    assert await take(table, "d1", 5) is None
    assert await take(table, "d2", 5) is None
