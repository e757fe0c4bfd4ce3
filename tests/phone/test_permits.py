"""Permits are counted in the records, committed before anybody dials, and survive a restart."""

from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from switchboard.access.principal import LOCAL, Principal
from switchboard.phone.dialling import DiallingRules, NotDialled, Why
from switchboard.phone.permits import Permit, Permits
from switchboard.records.dialled import DAY_S, LONGEST_CALL_S, DialledTable, Quotas
from switchboard.records.store import Store, sqlite_url

LONDON, PARIS = "+44 20 7946 0018", "+33 1 23 45 67 89"
RULES = DiallingRules(("GB", "FR"), quiet=None)
ROOM = Quotas(principal_a_day=100, number_a_day=100, a_day=100, at_once=100)
OTHER = replace(LOCAL, id="other")


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Desk:
    """Asks for permits, each for a call of its own."""

    store: Store
    clock: Clock
    asked: int = 0

    async def ask(
        self,
        text: str = LONDON,
        quotas: Quotas = ROOM,
        *,
        who: Principal = LOCAL,
        operation: str | None = None,
    ) -> Permit:
        self.asked += 1
        permits = Permits(DialledTable(self.store), RULES, quotas, clock=self.clock)
        return await permits.ask(
            text,
            call_id=f"c{self.asked}",
            principal=who,
            operation=operation or f"op{self.asked}",
        )

    async def refused(
        self, text: str = LONDON, quotas: Quotas = ROOM, *, who: Principal = LOCAL
    ) -> Why:
        with pytest.raises(NotDialled) as refusal:
            await self.ask(text, quotas, who=who)
        return refusal.value.why

    async def over(self, call_id: str) -> None:
        await Permits(DialledTable(self.store), RULES, ROOM, clock=self.clock).over(call_id)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, Clock())


async def test_one_operation_is_one_call_however_often_it_is_asked_for(desk: Desk) -> None:
    first = await desk.ask(operation="invoice-7")
    again = await desk.ask(operation="invoice-7")
    assert (first.call_id, first.again) == ("c1", False)
    assert (again.call_id, again.again) == ("c1", True)
    assert not (await desk.ask(operation="invoice-7", who=OTHER)).again


async def test_a_number_is_called_so_often_a_day(desk: Desk) -> None:
    quotas = replace(ROOM, number_a_day=2)
    await desk.ask(quotas=quotas)
    await desk.ask("+442079460018", quotas, who=OTHER)  # written otherwise, by somebody else
    assert await desk.refused(quotas=quotas) is Why.NUMBER_QUOTA
    await desk.ask(PARIS, quotas)
    desk.clock.now += DAY_S
    await desk.ask(quotas=quotas)


async def test_somebody_may_call_so_often_a_day(desk: Desk) -> None:
    quotas = replace(ROOM, principal_a_day=1)
    await desk.ask(quotas=quotas)
    assert await desk.refused(PARIS, quotas) is Why.PRINCIPAL_QUOTA
    await desk.ask(PARIS, quotas, who=OTHER)


async def test_all_together_may_call_so_often_a_day(desk: Desk) -> None:
    quotas = replace(ROOM, a_day=2)
    await desk.ask(quotas=quotas)
    await desk.ask(PARIS, quotas, who=OTHER)
    assert await desk.refused(quotas=quotas, who=replace(LOCAL, id="third")) is Why.DAY_QUOTA


async def test_so_many_at_once_and_an_ended_call_makes_room(desk: Desk) -> None:
    quotas = replace(ROOM, at_once=1)
    first = await desk.ask(quotas=quotas)
    assert await desk.refused(PARIS, quotas) is Why.AT_ONCE
    await desk.over(first.call_id)
    await desk.ask(PARIS, quotas)
    desk.clock.now += LONGEST_CALL_S  # its server died, and never said that it had ended
    await desk.ask(quotas=quotas)


async def test_whoever_said_never_again_is_not_called(desk: Desk) -> None:
    permit = await desk.ask()
    permits = Permits(DialledTable(desk.store), RULES, ROOM, clock=desk.clock)
    await permits.never_again(permit.target.number, "asked during the call")
    await permits.never_again(permit.target.number, "asked twice")
    assert await desk.refused() is Why.DO_NOT_CALL
    desk.clock.now += 400 * DAY_S
    assert await desk.refused() is Why.DO_NOT_CALL
    await desk.ask(PARIS)


async def test_what_the_rules_refuse_is_not_counted(desk: Desk) -> None:
    quotas = replace(ROOM, a_day=1)
    assert await desk.refused("+449098790000", quotas) is Why.PREMIUM
    await desk.ask(quotas=quotas)


async def test_of_many_at_once_no_more_get_through_than_may(desk: Desk) -> None:
    quotas, permitted, whys = replace(ROOM, at_once=3), list[Permit](), list[Why]()

    async def try_it() -> None:
        try:
            permitted.append(await desk.ask(quotas=quotas))
        except NotDialled as refusal:
            whys.append(refusal.why)

    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(try_it)
    assert len(permitted) == 3
    assert whys == [Why.AT_ONCE] * 9


async def test_the_count_survives_a_restart(tmp_path: Path) -> None:
    quotas, clock = replace(ROOM, number_a_day=1), Clock()
    async with Store(sqlite_url(tmp_path)).opened() as store:
        await Desk(store, clock).ask(quotas=quotas)
    async with Store(sqlite_url(tmp_path)).opened() as store:
        assert await Desk(store, clock, asked=5).refused(quotas=quotas) is Why.NUMBER_QUOTA


async def test_no_number_is_written_to_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="switchboard")
    await desk.ask()
    await desk.refused("+449098790000")
    assert "442079460018" not in caplog.text
    assert "449098790000" not in str([record.__dict__ for record in caplog.records])
