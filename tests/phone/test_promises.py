"""A call that was promised is placed when it is due, within the rules, and not for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from switchboard.errors import CarrierUnavailable, NotAllowed
from switchboard.phone.dialling import DiallingRules, NotDialled, QuietHours, Why, zone_of
from switchboard.phone.handover import Handover
from switchboard.phone.lines import PhoneLines
from switchboard.phone.outgoing import Outgoing, OutgoingConfig
from switchboard.phone.permits import Permit, Permits
from switchboard.phone.promises import (
    AGAIN_S,
    ATTEMPTS,
    KEEPING_S,
    LATE_S,
    LATEST_S,
    Asked,
    Promises,
    moment,
)
from switchboard.phone.webhooks import Told, What
from switchboard.records.dialled import DialledTable, Quotas
from switchboard.records.placed import PlacedTable, State
from switchboard.records.promised import PromisedTable
from switchboard.records.store import Store
from tests.phone.house import Clock, Exchange, ScriptedCarrier

NUMBER = "+442079460018"
ASKED = Asked(NUMBER, "bank", "telephone:1")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()


class Lines:
    """Rings, unless the carrier is away; takes down what was rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.away = False
        self.broken = False
        self.lines = PhoneLines(ScriptedCarrier(), None)

    async def ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        if self.away:
            raise CarrierUnavailable("away", retryable=True)
        if self.broken:
            raise RuntimeError("a fault of ours")
        assert permit.target.number == NUMBER
        self.rung.append(call_id)

    async def abandon(self, call_id: str, reason: str) -> None: ...

    def answered(self, call_id: str) -> bool:
        return True


@dataclass
class Desk:
    promises: Promises
    outgoing: Outgoing
    permits: Permits
    lines: Lines
    exchange: Exchange
    clock: Clock

    async def due(self, after_s: float) -> None:
        """Let time pass, and keep what is due then."""
        self.clock.now += after_s
        await self.promises.keep_due()

    async def told(self, what: What, code: int) -> None:
        """What the carrier says of the latest call."""
        event = Told("e", what, "cc1", "", "", code, 0)
        await self.outgoing.told(self.lines.rung[-1], event)

    async def state(self) -> State:
        return (await self.outgoing.need(self.lines.rung[-1])).state


def desk_on(store: Store, quotas: Quotas | None = None) -> Desk:
    exchange, lines, clock = Exchange(), Lines(), Clock(NOON)
    rules = DiallingRules(("GB",), QuietHours(time(21), time(8)))
    quotas = quotas or Quotas(number_a_day=10)
    permits = Permits(DialledTable(store), rules, quotas, clock=clock)
    outgoing = Outgoing(
        exchange, lines, permits, PlacedTable(store), OutgoingConfig(caller_key=b"k"), clock=clock
    )
    promises = Promises(PromisedTable(store), permits, outgoing, clock=clock)
    return Desk(promises, outgoing, permits, lines, exchange, clock)


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def test_a_promised_call_is_placed_when_it_is_due_and_once(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(599)
    assert desk.lines.rung == []
    await desk.due(1)
    await desk.told(What.CONNECTED, 200)
    await desk.told(What.DISCONNECTED, 200)
    await desk.due(AGAIN_S * 10)
    assert len(desk.lines.rung) == 1
    assert await desk.state() is State.ENDED


@pytest.mark.parametrize("code", [486, 480])
async def test_nobody_who_does_not_answer_is_called_for_ever(desk: Desk, code: int) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600)
    for attempt in range(1, ATTEMPTS + 3):
        assert len(desk.lines.rung) == min(attempt, ATTEMPTS)
        await desk.told(What.CREATE_FAILED, code)
        await desk.due(AGAIN_S)


async def test_who_declines_is_not_called_again(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600)
    await desk.told(What.CREATE_FAILED, 603)
    await desk.due(AGAIN_S * 5)
    assert len(desk.lines.rung) == 1


async def test_a_carrier_that_is_away_is_asked_again(desk: Desk) -> None:
    desk.lines.away = True
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600)
    desk.lines.away = False
    await desk.due(AGAIN_S)
    assert len(desk.lines.rung) == 1


async def test_a_promise_survives_a_restart(desk: Desk, store: Store) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    after = desk_on(store)
    await after.due(600)
    assert len(after.lines.rung) == 1


async def test_a_fault_while_it_is_kept_does_not_lose_a_promise(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    desk.lines.broken = True
    with pytest.raises(RuntimeError):
        await desk.due(600)
    desk.lines.broken = False
    await desk.due(KEEPING_S - 1)
    assert desk.lines.rung == []  # it could still be under way
    await desk.due(1)
    assert len(desk.lines.rung) == 1


async def test_a_server_that_dies_of_each_call_does_not_ring_for_ever(
    desk: Desk, store: Store
) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    rung, now = 0, NOON
    for _ in range(ATTEMPTS + 3):
        server = desk_on(store)
        server.clock.now = now
        await server.outgoing.recover()
        await server.due(600)
        await server.due(AGAIN_S)
        now = server.clock.now
        rung += len(server.lines.rung)
    assert rung == ATTEMPTS


async def test_an_end_that_nobody_heard_of_is_heard_later(desk: Desk, store: Store) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600)
    desk.outgoing.on_over = None  # the store was busy just then
    await desk.told(What.CREATE_FAILED, 480)
    await desk.due(1)
    await desk.due(AGAIN_S)
    assert len(desk.lines.rung) == 2


async def test_busy_lines_of_ours_cost_no_attempt(desk: Desk) -> None:
    desk.exchange.lines = 0
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600)
    for _ in range(ATTEMPTS + 2):
        await desk.due(AGAIN_S)
    desk.exchange.lines = 1_000
    await desk.due(AGAIN_S)
    assert len(desk.lines.rung) == 1


async def test_what_comes_much_too_late_is_given_up(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.due(600 + LATE_S + 1)
    assert desk.lines.rung == []


async def test_the_rules_hold_when_it_is_promised(desk: Desk) -> None:
    night = NOON + 10 * 3_600
    with pytest.raises(NotDialled) as refusal:
        await desk.promises.make(ASKED, night, "the loan")
    assert refusal.value.why is Why.QUIET
    with pytest.raises(NotDialled):
        await desk.promises.make(Asked("+33142685300", "bank", "t"), NOON + 600, "")
    for at in (NOON - 60, NOON + 5, NOON + LATEST_S + 60):
        with pytest.raises(NotAllowed):
            await desk.promises.make(ASKED, at, "the loan")


async def test_and_again_when_it_is_kept(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.permits.never_again(NUMBER, "asked elsewhere")
    await desk.due(600)
    await desk.due(AGAIN_S)
    assert desk.lines.rung == []


async def test_a_call_that_would_ring_at_night_waits_for_the_morning(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 8.9 * 3_600, "the loan")
    await desk.due(9.5 * 3_600)  # the server slept: it is half past nine
    assert desk.lines.rung == []
    for _ in range(48):
        await desk.due(AGAIN_S)
    assert len(desk.lines.rung) == 1


async def test_who_wants_no_more_calls_gets_none_that_was_promised(desk: Desk) -> None:
    await desk.promises.make(ASKED, NOON + 600, "the loan")
    await desk.promises.never(NUMBER)
    await desk.due(600)
    assert desk.lines.rung == []
    with pytest.raises(NotDialled):
        await desk.promises.make(ASKED, NOON + 1_200, "the loan")


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+442079460018", "Europe/London"),
        ("+12125550123", "America/New_York"),
        ("+81312345678", "Asia/Tokyo"),
        ("+79161234567", None),  # it may be anywhere between Kaliningrad and Kamchatka
        ("+881612345678", None),
        ("nonsense", None),
    ],
)
def test_a_telephone_s_own_clock_is_known_where_there_is_but_one(
    number: str, zone: str | None
) -> None:
    found = zone_of(number)
    assert (found.key if found else None) == zone


def test_a_time_without_a_zone_is_the_telephone_s_own() -> None:
    there = ZoneInfo("America/New_York")
    said = datetime(2026, 11, 27, 15)  # noqa: DTZ001 - as somebody says it
    assert moment(said, there) == datetime(2026, 11, 27, 20, tzinfo=UTC)
    assert moment(datetime(2026, 11, 27, 15, tzinfo=UTC), there).hour == 10
    assert moment(said, None).tzinfo is not None
