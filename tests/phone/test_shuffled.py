"""Events of many calls at once, doubled, out of order and lost: no call is left behind by them."""

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import func, select

from switchboard.errors import CarrierUnavailable
from switchboard.phone.carrier import Connection, Route
from switchboard.phone.room import MEDIA_S
from switchboard.records.schema import MediaTicketRow
from switchboard_local.acs.people import NoAnswer
from switchboard_local.acs.troubles import Troubles
from tests.exchange.house import House as Exchange
from tests.exchange.house import house as switchboard
from tests.exchange.legs import until
from tests.phone.house import House, house
from tests.phone.ringing import AGENT, Town

CALLS = 40
LIFE = (
    "CallConnected",
    "ParticipantsUpdated",
    "MediaStreamingStarted",
    "MediaStreamingStopped",
    "MediaStreamingFailed",
    "PlayCompleted",
    "AddParticipantFailed",
    "CallTransferFailed",
    "RecordingStateChanged",
    "CallDisconnected",
)
"""What is told of each call."""
DROPPED, DOUBLED = 0.15, 0.35
AT_ONCE = 6
"""Requests under way together."""


@dataclass(frozen=True)
class Event:
    """An incoming call, or what is told of one."""

    number: int
    what: str

    def body(self, now: float) -> bytes:
        prefix = "Microsoft.Communication."
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        about: dict[str, object] = {"id": f"{self.what}-{self.number}", "time": when}
        if self.what == "IncomingCall":
            ends = {"to": {"rawId": "4:+442079460000"}, "from": {"rawId": f"4:+4474{self.number}"}}
            named = {"incomingCallContext": str(self.number), "correlationId": str(self.number)}
            data: dict[str, object] = {**ends, **named}
        else:
            data = {"callConnectionId": f"cc{self.number}"}
        return json.dumps([{**about, "type": prefix + self.what, "data": data}]).encode()


def shuffled(seed: int) -> Sequence[Event]:
    """About 500 events. A call is told of before it has come in, too, and after it is over."""
    lot = random.Random(seed)
    events = [Event(number, "IncomingCall") for number in range(CALLS)]
    events += [Event(number, what) for number in range(CALLS) for what in LIFE]
    events = [each for each in events if lot.random() >= DROPPED or each.what == "IncomingCall"]
    events += [each for each in events if lot.random() < DOUBLED]
    lot.shuffle(events)
    return events


class Carrier:
    """Answers each call as a connection of its own, and knows ours by it."""

    def __init__(self) -> None:
        self.calls: dict[int, str] = {}
        """Our id of each call that was answered."""

    async def answer(self, incoming: str, route: Route) -> Connection:
        await anyio.lowlevel.checkpoint()
        self.calls[int(incoming)] = route.operation
        return Connection(f"cc{incoming}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 2])
async def test_five_hundred_shuffled_events_leave_no_ghost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    events = shuffled(seed)
    assert len(events) > 450
    async with (
        switchboard(tmp_path / "exchange") as exchange,
        house(tmp_path / "phone", carried_by=exchange.switchboard, agent="ana") as home,
    ):
        carrier = Carrier()
        monkeypatch.setattr(home.carrier, "answer", carrier.answer)
        before = len(asyncio.all_tasks())

        waiting = iter(events)
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(deliver, home, carrier, waiting)
        home.clock.now += MEDIA_S
        await home.room.sweep()

        assert carrier.calls
        await until(lambda: exchange.switchboard.live() == 0)
        assert registers(home) == [0] * 6
        assert await tickets(home) == 0
        assert_no_line_is_taken(exchange)
        await until(lambda: len(asyncio.all_tasks()) <= before)


async def deliver(home: House, carrier: Carrier, events: Iterator[Event]) -> None:
    """As their doors do, once it is known who is there."""
    for event in events:
        body = event.body(home.clock.now)
        if event.what == "IncomingCall":
            with suppress(CarrierUnavailable):  # another delivery of it is being answered
                await home.room.delivered(body)
        else:
            call_id = carrier.calls.get(event.number, "not-yet")
            await home.room.told(call_id, body)


def registers(home: House) -> list[int]:
    """What the room holds of calls. (No door shows all of it.)"""
    calls = home.room._calls  # pyright: ignore[reportPrivateUsage]
    metronome = home.room._media.metronome  # pyright: ignore[reportPrivateUsage]
    held = (
        calls.legs,
        calls.connections,
        calls.answered,
        calls.lost,
        calls.here,
        metronome._players,  # pyright: ignore[reportPrivateUsage]
    )
    return [len(each) for each in held]


async def tickets(home: House) -> int:
    store = home.room._doors.bindings._store  # pyright: ignore[reportPrivateUsage]
    async with store.reading() as connection:
        return (await connection.execute(select(func.count(MediaTicketRow.digest)))).scalar_one()


def assert_no_line_is_taken(exchange: Exchange) -> None:
    assert exchange.service.open == 0
    assert not exchange.switchboard._waiting  # pyright: ignore[reportPrivateUsage]


@pytest.mark.timeout(120)
async def test_whatever_befalls_the_callbacks_no_call_is_left_anywhere(there: Town) -> None:
    """The product, and a local ACS that loses, doubles and delays a good part of what it posts."""
    there.acs.troubles = Troubles(dropped=0.3, duplicated=0.3, late=0.2, seed=7)

    async def rings(number: int) -> None:
        try:
            call = await there.acs.dial(there.acs.phone(f"+155502{number:02}"), AGENT)
        except NoAnswer:
            return
        await call.hear_ms(100)
        call.hang_up()

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(rings, number)
    await there.empty()
    assert there.acs.troubles.struck > 0
    assert registers_of(there) == 0


def registers_of(there: Town) -> int:
    telephone = there.home.house.telephone
    assert telephone is not None
    calls = telephone.room._calls  # pyright: ignore[reportPrivateUsage]
    return len(calls.legs) + len(calls.lost)
