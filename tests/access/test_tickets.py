"""A ticket is good once, soon, for one call and one principal; and is written down nowhere."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio
import pytest

from switchboard.access.principal import ANONYMOUS, LOCAL
from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import TicketKind, TicketOffice, looks_like_ticket
from switchboard.records.drawer import TicketDrawer
from switchboard.records.store import Store, sqlite_url
from switchboard.records.tickets import StoredTicket, TicketTable


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["table", "drawer"])
async def office(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncGenerator[TicketOffice]:
    if request.param == "drawer":
        yield TicketOffice(TicketDrawer(), open_s=30, resume_s=300, clock=clock)
        return
    async with Store(sqlite_url(tmp_path)).opened() as store:
        yield TicketOffice(TicketTable(store), open_s=30, resume_s=300, clock=clock)


async def test_a_ticket_opens_its_call_once(office: TicketOffice) -> None:
    ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
    assert (await office.redeem(ticket, "c1", LOCAL)).kind is TicketKind.OPEN
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c1", LOCAL)


async def test_it_is_exchanged_for_the_one_to_come_back_with(office: TicketOffice) -> None:
    opened = await office.redeem(await office.issue("c1", LOCAL, TicketKind.OPEN), "c1", LOCAL)
    resumed = await office.redeem(opened.resume, "c1", LOCAL)
    assert (opened.kind, resumed.kind) == (TicketKind.OPEN, TicketKind.RESUME)
    assert resumed.resume != opened.resume


async def test_a_store_that_fails_in_the_exchange_leaves_the_ticket_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        office = TicketOffice(TicketTable(store), open_s=30)
        ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
        with monkeypatch.context() as broken:
            broken.setattr("switchboard.records.tickets._row", _no_row)
            with pytest.raises(LookupError):
                await office.redeem(ticket, "c1", LOCAL)
        assert (await office.redeem(ticket, "c1", LOCAL)).kind is TicketKind.OPEN


def _no_row(*_: object) -> None:
    raise LookupError


async def test_no_two_tickets_are_alike(office: TicketOffice) -> None:
    tickets = {await office.issue("c1", LOCAL, TicketKind.OPEN) for _ in range(20)}
    assert len(tickets) == 20
    assert all(map(looks_like_ticket, tickets))


async def test_shown_at_the_wrong_door_it_is_used_up(office: TicketOffice) -> None:
    ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c2", LOCAL)
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c1", LOCAL)


async def test_it_is_no_good_to_anybody_else(office: TicketOffice) -> None:
    ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c1", ANONYMOUS)


async def test_it_expires_and_its_unclaimed_call_is_reported(
    office: TicketOffice, clock: Clock
) -> None:
    ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
    await office.issue("c2", LOCAL, TicketKind.RESUME)
    clock.now += 30
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c1", LOCAL)
    unclaimed: list[str] = []
    await office.sweep(unclaimed.append)
    clock.now += 300
    await office.sweep(unclaimed.append)  # a lost page that never came back is not unclaimed
    assert unclaimed == ["c1"]


async def test_after_the_call_none_of_its_tickets_is_good(office: TicketOffice) -> None:
    ticket = await office.issue("c1", LOCAL, TicketKind.RESUME)
    await office.revoke("c1")
    with pytest.raises(NotIdentified):
        await office.redeem(ticket, "c1", LOCAL)


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_what_is_stored_opens_nothing(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        office = TicketOffice(TicketTable(store), open_s=30)
        ticket = await office.issue("c1", LOCAL, TicketKind.OPEN)
        stored = everything_in(tmp_path)
    assert b"c1" in stored
    assert ticket.encode() not in stored


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, "a" * 42 + "!", "a" * 42 + "\n", "é" * 43]
)
async def test_what_is_no_ticket_is_not_looked_for(office: TicketOffice, text: str) -> None:
    assert not looks_like_ticket(text)
    with pytest.raises(NotIdentified):
        await office.redeem(text, "c1", LOCAL)


class BusyRows(TicketTable):
    """A store that is busy, then is not."""

    rounds = 0

    async def sweep(self, now: float) -> Sequence[StoredTicket]:
        self.rounds += 1
        if self.rounds == 1:
            raise LookupError
        return await super().sweep(now)


async def test_a_store_that_is_busy_once_is_swept_the_next_time(tmp_path: Path) -> None:
    unclaimed: list[str] = []
    async with Store(sqlite_url(tmp_path)).opened() as store:
        office = TicketOffice(BusyRows(store), open_s=0, sweep_s=0.01)
        await office.issue("c1", LOCAL, TicketKind.OPEN)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(office.run, unclaimed.append)
            with anyio.fail_after(20):
                while not unclaimed:  # noqa: ASYNC110  (a plain list)
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    assert unclaimed == ["c1"]
