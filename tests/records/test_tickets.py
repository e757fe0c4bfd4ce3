"""Ticket rows are consumed once, whoever comes first."""

import anyio

from switchboard.records.store import Store
from switchboard.records.tickets import StoredTicket, TicketTable

TICKET = StoredTicket("c1", "local", "open")


async def test_a_ticket_is_taken_once(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    assert await table.take("d1", now=5) == TICKET
    assert await table.take("d1", now=5) is None


async def test_of_many_who_reach_for_one_ticket_exactly_one_has_it(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    taken: list[StoredTicket | None] = []

    async def reach() -> None:
        taken.append(await table.take("d1", now=5))

    async with anyio.create_task_group() as racers:
        for _ in range(12):
            racers.start_soon(reach)
    assert taken.count(TICKET) == 1 and taken.count(None) == 11


async def test_an_expired_ticket_opens_nothing_and_is_swept(store: Store) -> None:
    table = TicketTable(store)
    await table.put("old", "c1", "local", "open", expires_at=10)
    await table.put("young", "c1", "local", "open", expires_at=20)
    assert await table.take("old", now=10) is None
    assert list(await table.sweep(now=10)) == [TICKET]
    assert list(await table.sweep(now=10)) == []
    assert await table.take("young", now=11) == TICKET


async def test_revoking_takes_every_ticket_of_a_call(store: Store) -> None:
    table = TicketTable(store)
    await table.put("d1", "c1", "local", "open", expires_at=10)
    await table.put("d2", "c2", "local", "open", expires_at=10)
    await table.revoke("c1")
    assert await table.take("d1", now=5) is None
    assert await table.take("d2", now=5) is not None
