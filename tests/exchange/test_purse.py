"""The purse counts what calls use, tells them goodbye in time, and gives back what is not used."""

from dataclasses import dataclass, field, replace

import pytest

from switchboard.access.principal import ANONYMOUS, LOCAL, Kind, Principal, Role
from switchboard.access.refusals import BudgetSpent
from switchboard.conversation.commands import Note, NoteUsage
from switchboard.conversation.events import Usage
from switchboard.conversation.past import Past
from switchboard.exchange.purse import Purse, payer_of
from switchboard.records.budgets import HELD_S, Budget, Budgets, BudgetTable
from switchboard.records.opening import Opening
from switchboard.records.store import Store

NOON = 1_800_014_400.0
"""Twelve hours before midnight UTC."""
ADA = Principal("p-ada", "Ada", frozenset({Role.CALLER}), Kind.PERSON)


class Nowhere:
    """A ledger that keeps nothing."""

    def open_call(self, opening: Opening) -> None: ...
    def note(self, call_id: str, note: Note, at: float) -> None: ...
    def close_call(self, call_id: str, reason: str, ended_at: float) -> None: ...
    def let_go(self, call_id: str) -> None: ...


@dataclass
class Counted:
    store: Store
    now: float = NOON
    ended: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def purse(self, user: Budget | None = None, everybody: Budget | None = None) -> Purse:
        budgets = Budgets(user or Budget(), everybody or Budget())
        purse = Purse(Nowhere(), BudgetTable(self.store), budgets, clock=lambda: self.now)
        purse.end = lambda call_id, reason: self.ended.append((call_id, reason))
        return purse

    async def talking(self, purse: Purse, who: Principal = ADA) -> str:
        call_id = await purse.book(who)
        self.begin(purse, call_id, who)
        return call_id

    def begin(
        self, purse: Purse, call_id: str, who: Principal = ADA, past: Past | None = None
    ) -> None:
        opening = Opening(
            call_id,
            principal_id=who.id,
            agent="bank",
            model="m",
            voice="v",
            channel="browser",
            began_at=self.now,
            past=past,
        )
        purse.open_call(opening)

    async def seconds(self) -> float:
        return (await BudgetTable(self.store).today(self.now)).seconds


@pytest.fixture
def counted(store: Store) -> Counted:
    return Counted(store)


async def test_a_call_that_reaches_the_budget_is_told_goodbye_and_the_next_is_refused(
    counted: Counted,
) -> None:
    purse = counted.purse(user=Budget(minutes=2))
    call_id = await counted.talking(purse)
    counted.now += 80
    await purse.tick()
    assert counted.ended == []
    counted.now += 20
    await purse.tick()
    assert counted.ended == [(call_id, "day_budget")]
    purse.close_call(call_id, "day_budget", counted.now)
    await purse.tick()
    assert await counted.seconds() == 100
    with pytest.raises(BudgetSpent, match="midnight UTC") as refused:
        await purse.book(ADA)
    assert refused.value.retry_after_s == pytest.approx(86_400 - counted.now % 86_400)


async def test_money_counts_where_it_is_known_and_minutes_always(counted: Counted) -> None:
    purse = counted.purse(everybody=Budget(usd=0.5))
    call_id = await counted.talking(purse)
    purse.note(call_id, NoteUsage("r1", Usage(), 0.3), counted.now)
    purse.note(call_id, NoteUsage("r2", Usage(), None), counted.now)
    counted.now += 5
    await purse.tick()
    assert counted.ended == []
    purse.note(call_id, NoteUsage("r3", Usage(), 0.16), counted.now)
    await purse.tick()
    assert counted.ended == [(call_id, "day_budget")]
    assert await counted.seconds() == 5 + HELD_S


async def test_the_budget_in_all_ends_everybody_s_calls(counted: Counted) -> None:
    purse = counted.purse(everybody=Budget(minutes=3))
    ada, local = await counted.talking(purse), await counted.talking(purse, LOCAL)
    counted.now += 61
    await purse.tick()
    assert {call_id for call_id, _ in counted.ended} == {ada, local}


async def test_a_call_over_midnight_is_counted_to_the_day_that_it_was_used_on(
    counted: Counted,
) -> None:
    counted.now = NOON + 43_200 - 40
    purse = counted.purse(user=Budget(minutes=2))
    call_id = await counted.talking(purse)
    counted.now += 50
    await purse.tick()
    assert await counted.seconds() == HELD_S, "the new day has only begun"
    counted.now += 20
    purse.close_call(call_id, "goodbye", counted.now)
    await purse.tick()
    assert await counted.seconds() == 20
    counted.now -= 86_400
    assert await counted.seconds() == 50


async def test_what_is_not_placed_after_all_is_given_back(counted: Counted) -> None:
    purse = counted.purse(user=Budget(minutes=1))
    first, _ = await purse.book(ADA), await purse.book(ADA)
    with pytest.raises(BudgetSpent):
        await purse.book(ADA)
    purse.forget(first)
    await purse.tick()
    await purse.book(ADA)


async def test_a_store_that_is_away_loses_nothing_that_was_used(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    purse = counted.purse(user=Budget(minutes=9))
    call_id = await counted.talking(purse)
    counted.now += 60
    purse.close_call(call_id, "goodbye", counted.now)
    with monkeypatch.context() as away:
        away.setattr(counted.store, "writing", _away)
        with pytest.raises(OSError, match="away"):
            await purse.tick()
    await purse.tick()
    assert await counted.seconds() == 60


@pytest.mark.parametrize("killed", [True, False])
async def test_what_each_server_counts_of_a_call_that_goes_over_adds_up(
    counted: Counted, *, killed: bool
) -> None:
    first, other = (counted.purse(user=Budget(minutes=9)) for _ in range(2))
    call_id = await counted.talking(first)
    counted.now += 60
    await first.tick()
    counted.begin(other, call_id, past=Past(elapsed_s=60))
    counted.now += 20
    await other.tick()
    if not killed:
        first.let_go(call_id)
        await first.tick()
    counted.now += 20
    other.close_call(call_id, "goodbye", counted.now)
    await other.tick()
    counted.now += 60  # whoever was killed holds nothing any more
    assert await counted.seconds() == 60 + 40 + (0 if killed else 20)


def _away() -> None:
    raise OSError("the store is away")


def test_strangers_of_one_address_have_one_budget_and_a_person_has_their_own() -> None:
    def stranger(address: str) -> str:
        return payer_of(replace(ANONYMOUS, address=address))

    assert stranger("10.0.0.1") == stranger("10.0.0.1") != stranger("10.0.0.2")
    assert payer_of(ADA) == "p-ada"
