"""The telephone's lines, alone: what the model asks of them, and news that come late."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import pytest

from switchboard.access.principal import Kind, Principal, Role
from switchboard.conversation.commands import RingHuman
from switchboard.conversation.events import LineOutcome, ToolOutcome
from switchboard.conversation.legs import Rung
from switchboard.conversation.rules import Human
from switchboard.exchange.lines import ask_line
from switchboard.phone import lines
from switchboard.phone.carrier import Callee, Person
from switchboard.phone.leg import REPLACED, PhoneLeg
from switchboard.phone.lines import PhoneLines
from switchboard.phone.tune import tune
from switchboard.phone.webhooks import Told, What
from tests.e2e.town import until
from tests.phone.house import CONNECTION, ScriptedCarrier
from tests.phone.peers import legs

CALLER = Principal("telephone:1", "Caller", frozenset({Role.CALLER}), Kind.TELEPHONE)
ONE, OTHER = Human("support", "8:acs:one"), Human("sales", "8:acs:other")


@dataclass
class Exchanges(ScriptedCarrier):
    """A carrier that takes down whom it rings, sends away, and what it presses."""

    added: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    pressed: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])
    there: frozenset[str] = frozenset()
    broken: bool = False

    async def cancel_add(self, connection_id: str, invitation_id: str) -> None:
        self.cancelled.append(invitation_id)

    async def people(self, connection_id: str) -> frozenset[str]:
        return self.there

    async def add(self, connection_id: str, who: Callee, *, ring_s: int, operation: str) -> str:
        if self.broken:
            raise RuntimeError("a fault of ours")
        self.added.append(operation)
        return operation

    async def remove(self, connection_id: str, who: Person) -> None:
        self.removed.append(who.raw_id)

    async def send_keys(self, connection_id: str, keys: Sequence[str], to: Person) -> None:
        self.pressed.append("".join(keys))


def a_call(carrier: ScriptedCarrier, leg: PhoneLeg) -> PhoneLines:
    there = PhoneLines(carrier, None)
    there.began("c1", CALLER, "4:+442079460018")
    there.joined("c1", CONNECTION, leg)
    return there


def added(operation: str) -> Told:
    return Told("e", What.ADDED, CONNECTION, "", operation, 200, 0)


@pytest.mark.parametrize("keys", ["12#\n", "", "1" * 33, "1,2", "\u0661", "A"])
async def test_only_keys_that_there_are_can_be_pressed(keys: str) -> None:
    carrier = Exchanges()
    async with legs() as house, house.line() as line:
        there = a_call(carrier, line.leg)
        arguments = '{"keys": "' + keys.replace("\n", "\\n") + '"}'
        _, outcome = await there.use("c1", "send_keys", arguments)
        assert outcome is ToolOutcome.FAILED
        assert carrier.pressed == []


async def test_somebody_who_comes_late_is_sent_away_and_not_who_is_rung_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody_tells(monkeypatch)
    carrier = Exchanges()
    async with legs() as house, house.line() as line, anyio.create_task_group() as tasks:
        there = a_call(carrier, line.leg)
        assert (await there.ring("c1", ONE)).outcome is LineOutcome.NO_ANSWER
        monkeypatch.setattr(lines, "GRACE_S", 10)
        tasks.start_soon(there.ring, "c1", OTHER)
        await until(lambda: len(carrier.added) == 2)
        await there.told("c1", added(carrier.added[0]))
        assert carrier.removed == ["8:acs:one"]
        await there.told("c1", added(carrier.added[1]))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(603, LineOutcome.DECLINED), (486, LineOutcome.BUSY), (480, LineOutcome.NO_ANSWER)],
)
async def test_what_the_carrier_says_is_over_is_not_called_off(
    code: int, outcome: LineOutcome
) -> None:
    carrier, rung = Exchanges(), list[Rung]()
    async with legs() as house, house.line() as line, anyio.create_task_group() as tasks:
        there = a_call(carrier, line.leg)

        async def ring() -> None:
            rung.append(await there.ring("c1", ONE))

        tasks.start_soon(ring)
        await until(lambda: carrier.added)
        await there.told("c1", Told("e", What.NOT_ADDED, CONNECTION, "", carrier.added[0], code, 0))
    assert rung == [Rung(outcome)]
    assert carrier.cancelled == []


async def test_what_nobody_said_is_over_is_called_off(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_tells(monkeypatch)
    carrier = Exchanges()
    async with legs() as house, house.line() as line:
        there = a_call(carrier, line.leg)
        assert await there.ring("c1", ONE) == Rung(LineOutcome.NO_ANSWER)
    assert carrier.cancelled == carrier.added


async def test_a_human_of_whom_another_replica_was_told_is_found_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody_tells(monkeypatch)
    carrier = Exchanges(there=frozenset({ONE.to, "4:+442079460018"}))
    async with legs() as house, house.line() as line:
        there = a_call(carrier, line.leg)
        assert await there.ring("c1", ONE) == Rung(LineOutcome.DONE, apart=True)
        assert await there.hand_over("c1") is LineOutcome.DONE
    assert carrier.cancelled == carrier.removed == []


def nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RING_S", 0)
    monkeypatch.setattr(lines, "GRACE_S", 0.01)


async def test_a_fault_in_the_line_is_told_and_does_not_end_the_call() -> None:
    carrier = Exchanges(broken=True)
    async with legs() as house, house.line() as line:
        there = a_call(carrier, line.leg)
        told = await ask_line(there, "c1", RingHuman("t1", ONE))
        assert (told.call_id, told.outcome) == ("t1", LineOutcome.FAILED)


async def test_a_leg_that_is_lost_plays_no_tune() -> None:
    async with legs() as house, house.line() as line:
        await line.is_open()
        await line.leg.close(REPLACED)
        line.leg.wait_on(tune())
        assert house.metronome.rests
