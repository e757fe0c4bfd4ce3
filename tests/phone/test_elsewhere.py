"""A call that this replica places, of which another one is told, or has the media."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import pytest

from switchboard.phone.admission import CallerLimits
from switchboard.phone.arriving import ANSWERING_S
from switchboard.phone.webhooks import Told
from tests.phone.house import CONNECTION, RING_S, House, house


@dataclass
class Pair:
    here: House
    there: House


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncGenerator[Pair]:
    async with house(tmp_path) as here, house(tmp_path) as there:
        yield Pair(here, there)


async def test_a_call_that_was_answered_elsewhere_is_not_hung_up_here(pair: Pair) -> None:
    here, there = pair.here, pair.there
    await here.places()
    await there.told("CallConnected")
    async with there.media(ticket=here.ticket):
        await there.until(lambda: there.exchange.legs)
        await here.room.sweep()
        here.clock.now += RING_S + 1
        await here.room.sweep()
        assert here.carrier.hung_up == there.carrier.hung_up == []
        assert (here.room.live(), there.room.live()) == (0, 1)
        assert here.exchange.ended == [("call-0", "elsewhere")]


async def test_nor_is_one_of_which_the_carrier_has_not_told_us_yet(pair: Pair) -> None:
    here, there = pair.here, pair.there
    here.carrier.slow = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.places)
        await here.until(lambda: here.carrier.rung)
        await there.told("CallConnected")
        await here.room.sweep()
        here.carrier.slow.set()
    await here.room.sweep()
    assert here.carrier.hung_up == []
    assert here.room.live() == 1


async def test_its_media_may_still_come_here(pair: Pair) -> None:
    here, there = pair.here, pair.there
    await here.places()
    await there.told("CallConnected")
    await here.room.sweep()
    async with here.media():
        await here.until(lambda: here.exchange.legs)
        here.clock.now += RING_S + 1
        await here.room.sweep()
        assert here.carrier.hung_up == []
        assert here.exchange.ended == []
        assert here.exchange.adopted == []


async def test_one_that_nobody_took_leaves_nothing_here(pair: Pair) -> None:
    here, there = pair.here, pair.there
    await here.places()
    await there.told("CreateCallFailed", code=486)
    await here.room.sweep()
    assert here.room.live() == 0
    assert ("call-0", "hung_up") in here.exchange.ended
    assert (await here.state())["state"] == "busy"
    here.carrier.hung_up.clear()
    here.clock.now += RING_S + 1
    await here.room.sweep()
    assert here.carrier.hung_up == []


async def test_a_caller_who_hangs_up_while_we_answer_leaves_nothing_here(tmp_path: Path) -> None:
    one = CallerLimits(at_once=1)
    async with house(tmp_path, callers=one) as here, house(tmp_path) as there:
        here.carrier.meanwhile = partial(there.told, "CallDisconnected")
        await here.rings()
        assert here.exchange.ended == [("call-0", "hung_up")]
        here.carrier.meanwhile = None
        await here.rings(correlation="cor2")
        assert here.carrier.rejected == []
        assert len(here.carrier.answered) == 2


async def test_a_call_that_a_replica_began_to_answer_and_never_did_is_answered_here(
    pair: Pair,
) -> None:
    here, there, dead = pair.here, pair.there, anyio.Event()
    there.carrier.meanwhile = dead.wait  # as if it had died in the middle of it
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(there.rings)
        await there.until(lambda: there.carrier.answered)
        assert (await here.rings()).status_code == 503  # it comes again
        assert here.carrier.answered == []
        here.clock.now = there.clock.now + ANSWERING_S
        assert (await here.rings()).status_code == 200
        assert len(here.carrier.answered) == 1
        dead.set()


class Nobody:
    """Other replicas, none of which has the call."""

    async def told(self, call_id: str, event: Told) -> bool:
        return False


async def test_a_call_that_another_replica_ended_is_over_though_it_is_awaited_here(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, elsewhere=Nobody()) as here, house(tmp_path) as there:
        await here.rings()
        await there.told("CallDisconnected")
        assert (await here.told("MediaStreamingFailed", event_id="cb2")).status_code == 200
        assert here.carrier.hung_up == []


async def test_media_that_never_come_anywhere_end_it(pair: Pair) -> None:
    here, there = pair.here, pair.there
    await here.places()
    await there.told("CallConnected")
    await here.room.sweep()
    here.clock.now += RING_S + 1
    await here.room.sweep()
    assert here.carrier.hung_up == [CONNECTION]
    assert here.room.live() == 0


async def test_a_call_that_the_carrier_took_all_the_same_is_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        home.carrier.away = True  # it does what it is asked, and its answer is lost
        await home.places()
        await home.rings()
        home.carrier.away = False
        for call_id, connection in (("call-0", "cc0"), ("call-1", "cc1")):
            await home.told("CallConnected", call_id=call_id, connection=connection)
            await home.told("CallConnected", call_id=call_id, connection=connection)
        assert home.carrier.hung_up == ["cc0", "cc1"]
        assert home.room.live() == 0


async def test_but_not_another_call_s_connection_whoever_names_it(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        await home.rings()
        await home.told("CallConnected", call_id="call-9", event_id="cb9")
        async with home.media():
            await home.until(lambda: home.exchange.legs)
            await home.told("CallConnected", call_id="call-9", event_id="cb10")
            assert home.carrier.hung_up == []
