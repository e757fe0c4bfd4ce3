"""Tickets are consumed once, whoever comes first: from a table, or from the drawer of a server that
is alone."""

from itertools import count

import anyio
import pytest

from switchboard.access.tickets import NewTicket
from switchboard.errors import RecordsUnavailable
from switchboard.records.drawer import TicketDrawer, clear_table, tickets_of
from switchboard.records.store import Store
from switchboard.records.tickets import StoredTicket, TicketTable

type Rows = TicketTable | TicketDrawer

TICKET = StoredTicket("c1", "local", "open")
numbers = count()


@pytest.fixture(params=["table", "drawer"])
def table(request: pytest.FixtureRequest, store: Store) -> Rows:
    """A table on each database; and a drawer, which needs none."""
    return TicketTable(store) if request.param == "table" else TicketDrawer()


async def take(table: Rows, digest: str, now: float) -> StoredTicket | None:
    """Use a ticket of the first call up."""
    new = NewTicket(f"new{next(numbers)}", "resume", 100)
    return await table.trade(digest, "c1", "local", now, new=new)


async def test_a_ticket_is_taken_once(table: Rows) -> None:
    await table.put("d1", "c1", "local", "open", expires_at=10)
    assert await take(table, "d1", 5) == TICKET
    assert await take(table, "d1", 5) is None


async def test_of_many_who_reach_for_one_ticket_exactly_one_has_it(table: Rows) -> None:
    await table.put("d1", "c1", "local", "open", expires_at=10)
    taken: list[StoredTicket | None] = []

    async def reach() -> None:
        taken.append(await take(table, "d1", 5))

    async with anyio.create_task_group() as racers:
        for _ in range(12):
            racers.start_soon(reach)
    assert taken.count(TICKET) == 1 and taken.count(None) == 11


async def test_an_expired_ticket_opens_nothing_and_is_swept(table: Rows) -> None:
    await table.put("old", "c1", "local", "open", expires_at=10)
    await table.put("young", "c1", "local", "open", expires_at=20)
    assert await take(table, "old", 10) is None
    assert list(await table.sweep(now=10)) == [TICKET]
    assert list(await table.sweep(now=10)) == []
    assert await take(table, "young", 11) == TICKET


async def test_revoking_takes_every_ticket_of_a_call(table: Rows) -> None:
    await table.put("d1", "c1", "local", "open", expires_at=10)
    await table.put("d2", "c2", "local", "open", expires_at=10)
    await table.revoke("c1")
    assert await take(table, "d1", 5) is None
    new = NewTicket("new", "resume", 100)
    assert await table.trade("d2", "c2", "local", 5, new=new) is not None


async def test_what_is_traded_in_is_replaced_only_for_its_holder(table: Rows) -> None:
    await table.put("d1", "c1", "local", "open", expires_at=10)
    assert await table.trade("d1", "c2", "local", 5, new=NewTicket("d2", "resume", 10)) is None
    assert await take(table, "d1", 5) is None
    assert await take(table, "d2", 5) is None


async def test_who_has_shown_a_fresh_token_comes_back_by_it(table: Rows) -> None:
    await table.put("d1", "c1", "local", "open", 10, token_until=6)
    await table.put("d2", "c2", "local", "open", 10, token_until=6)
    await table.extend("c1", 60)
    for call_id, digest, until in (("c1", "d1", 60), ("c2", "d2", 6)):
        new = NewTicket(f"of {call_id}", "resume", 100)
        opened = await table.trade(digest, call_id, "local", 5, new=new)
        assert opened == StoredTicket(call_id, "local", "open", until)
        again = await table.trade(new.digest, call_id, None, 5, new=NewTicket("x", "resume", 9))
        assert again == StoredTicket(call_id, "local", "resume", until)
        await table.revoke(call_id)


async def test_a_pass_is_taken_by_those_it_is_for(table: Rows) -> None:
    await table.put("d1", "c1", "rita", "listen", 10, "her name")
    assert await take(table, "d1", 5) is None, "it is no caller's"
    assert await table.consume("d1", "desk", 5) is None
    assert await table.consume("d1", "listen", 5) == StoredTicket(
        "c1", "rita", "listen", facts="her name"
    )
    assert await table.consume("d1", "listen", 5) is None


async def test_a_full_drawer_forgets_the_oldest() -> None:
    drawer = TicketDrawer(limit=2)
    for number in range(4):
        await drawer.put(f"d{number}", "c1", "local", "open", expires_at=10)
    assert len(drawer) == 2
    good = [bool(await take(drawer, f"d{number}", 5)) for number in range(4)]
    assert good == [False, False, True, True]


async def test_nothing_stays_in_a_drawer_of_calls_that_are_over() -> None:
    drawer = TicketDrawer()
    await drawer.put("d1", "c1", "local", "open", expires_at=10)
    await take(drawer, "d1", 5)
    await drawer.revoke("c1")
    await drawer.put("d2", "c2", "local", "open", expires_at=10)
    await drawer.sweep(10)
    kept = {name: held for name, held in vars(drawer).items() if name in ("_kept", "_of_call")}
    assert kept == {"_kept": {}, "_of_call": {}}


async def test_no_call_begins_that_could_not_be_recorded() -> None:
    is_away = False
    drawer = TicketDrawer(is_away=lambda: is_away)
    await drawer.put("d1", "c1", "local", "open", expires_at=10)
    is_away = True
    with pytest.raises(RecordsUnavailable):
        await drawer.put("d2", "c2", "local", "open", expires_at=10)
    assert await take(drawer, "d1", 5) == TICKET, "one that was placed may begin"


async def test_servers_that_share_a_store_share_its_tickets(store: Store) -> None:
    await TicketTable(store).put("d1", "c1", "local", "open", expires_at=10)
    assert isinstance(tickets_of(store), TicketTable) is store.is_shared
    await clear_table(store)
    kept = await take(TicketTable(store), "d1", 5)
    assert kept == (TICKET if store.is_shared else None), "what nothing sweeps is not left there"
