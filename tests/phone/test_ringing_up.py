"""While a call rings: its model is dialled at once, and its media may come to any replica."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from switchboard.access.media import MediaTickets
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.rules import Rules
from switchboard.exchange.brief import Fit
from switchboard.phone.carrier import Connection, Route
from switchboard.phone.occasion import Occasion, as_it_is
from switchboard.phone.room import MEDIA_S, SWEEP_S
from tests.exchange.house import house as switchboard
from tests.exchange.house import told, until
from tests.phone.house import CONNECTION, House, house
from tests.phone.peers import Carrier

GREETS = Rules(tools={}, reattach_s=0.3, silence_s=100, greeting="Welcome to the bank.")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as served:
        yield served


async def test_the_model_is_dialled_before_the_carrier_is_asked_to_answer(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    answer = home.carrier.answer

    async def noting(incoming: str, route: Route) -> Connection:
        begun.extend(home.exchange.begun)
        return await answer(incoming, route)

    monkeypatch.setattr(home.carrier, "answer", noting)
    await home.rings()
    assert begun == ["call-0"]


async def test_nothing_is_dialled_for_a_call_that_is_refused_or_stale_or_known(
    home: House,
) -> None:
    await home.rings(at=home.clock.now - 90)
    home.exchange.lines = 1
    for correlation in ("cor1", "cor1", "cor2"):
        await home.rings(correlation=correlation)
    assert home.exchange.begun == ["call-0"]


async def test_what_was_dialled_is_hung_up_where_the_call_cannot_be_answered(home: House) -> None:
    home.carrier.away = True
    await home.rings()
    assert (home.exchange.begun, home.exchange.ended) == (["call-0"], [("call-0", "not_answered")])


async def test_a_store_that_fails_while_it_rings_leaves_no_session(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object, call_id: str, facts: str) -> str:
        raise OSError("database is locked")

    monkeypatch.setattr(MediaTickets, "issue", fails)
    with pytest.raises(OSError, match="locked"):
        await home.room.delivered(home.body())
    assert home.exchange.ended == [("call-0", "not_answered")]


async def test_a_call_that_is_over_before_its_answer_is_known_is_not_waited_for(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = home.carrier.answer

    async def slowly(incoming: str, route: Route) -> Connection:
        connection = await answer(incoming, route)
        await home.told("CallDisconnected")
        return connection

    monkeypatch.setattr(home.carrier, "answer", slowly)
    await home.rings()
    assert home.exchange.ended == [("call-0", "hung_up")]
    assert home.room.live() == 0


async def test_the_greeting_is_asked_for_as_the_media_connect(tmp_path: Path) -> None:
    async with (
        switchboard(tmp_path / "exchange", GREETS) as exchange,
        house(tmp_path / "phone", carried_by=exchange.switchboard, agent="ana") as home,
    ):
        await home.rings()
        [model] = await until(lambda: exchange.service.dialled)
        model.does(e.ModelReady("s1"))
        call_id = home.carrier.answered[0][1].operation
        assert not told(model, c.RequestReply)

        async with home.media(call_id=call_id) as socket:
            await until(lambda: told(model, c.RequestReply))
            await Carrier(socket).opens()
            assert len(exchange.service.dialled) == 1
            await home.told("CallDisconnected", call_id=call_id)
            assert await Carrier(socket).closed() == 1000
        await until(lambda: exchange.switchboard.live() == 0)


async def test_a_call_whose_media_never_come_keeps_no_session(tmp_path: Path) -> None:
    async with (
        switchboard(tmp_path / "exchange", GREETS) as exchange,
        house(tmp_path / "phone", carried_by=exchange.switchboard, agent="ana") as home,
    ):
        await home.rings()
        await until(lambda: exchange.service.open)
        home.clock.now += MEDIA_S
        await home.room.sweep()
        await until(lambda: not exchange.service.open)
        assert home.carrier.hung_up == [CONNECTION]
        assert (exchange.switchboard.live(), home.room.live()) == (0, 0)


async def test_media_that_come_to_another_replica_are_carried_there(tmp_path: Path) -> None:
    async with house(tmp_path) as here, house(tmp_path) as there:
        await here.rings()
        async with there.media(ticket=here.ticket):
            await there.until(lambda: there.exchange.legs)
            [(call_id, caller_id, agent)] = there.exchange.adopted
            assert (call_id, agent) == ("call-0", "bank")
            assert caller_id.startswith("telephone:")

            await here.room.sweep()
            assert here.exchange.ended == [("call-0", "elsewhere")]
            assert (here.room.live(), there.room.live()) == (0, 1)
            assert here.carrier.hung_up == there.carrier.hung_up == []
    assert SWEEP_S < 5, "an orphan is gone within five seconds"


async def test_another_replica_greets_with_a_session_of_its_own(tmp_path: Path) -> None:
    async with (
        switchboard(tmp_path / "a", GREETS) as first,
        switchboard(tmp_path / "b", GREETS) as second,
        house(tmp_path / "phone", carried_by=first.switchboard, agent="ana") as here,
        house(tmp_path / "phone", carried_by=second.switchboard, agent="ana") as there,
    ):
        await here.rings()
        await until(lambda: first.service.open)
        call_id = here.carrier.answered[0][1].operation
        async with there.media(ticket=here.ticket, call_id=call_id):
            [model] = await until(lambda: second.service.dialled)
            model.does(e.ModelReady("s1"))
            await until(lambda: told(model, c.RequestReply))
            await here.room.sweep()
            await until(lambda: not first.service.open)
            assert (first.switchboard.live(), second.switchboard.live()) == (0, 1)


async def test_the_address_of_the_media_names_a_call_and_its_ticket_and_nobody(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        await home.rings()
        placed = await home.places(context={"why": "the-blue-elephant"})
        assert placed.status_code == 201
        for _, route in (*home.carrier.answered, *home.carrier.rung):
            address = urlsplit(route.media_url)
            assert address.path == f"/api/phone/media/{route.operation}"
            assert list(parse_qs(address.query)) == ["ticket"]


async def test_another_replica_learns_who_it_is_and_what_it_is_about(tmp_path: Path) -> None:
    occasions: list[Occasion] = []

    def fitting(occasion: Occasion) -> Fit:
        occasions.append(occasion)
        return as_it_is(occasion)

    async with house(tmp_path) as here, house(tmp_path, fitting=fitting) as there:
        await here.places(context={"why": "the-blue-elephant"})
        async with there.media(ticket=here.ticket):
            await there.until(lambda: there.exchange.legs)
    [occasion] = occasions
    assert occasion.number == "+442079460018"
    assert (occasion.outgoing, occasion.context) == (True, {"why": "the-blue-elephant"})


async def test_what_stands_beside_the_ticket_in_the_address_changes_nothing(home: House) -> None:
    await home.rings()
    async with home.media(ticket=f"{home.ticket}&agent=internal-operations&who=4:%2B1900"):
        await home.until(lambda: home.exchange.legs)
    assert not any("internal" in str(each) for each in home.exchange.adopted)


async def test_media_that_come_back_elsewhere_are_not_begun_anew(tmp_path: Path) -> None:
    async with house(tmp_path) as here, house(tmp_path) as there:
        await here.rings()
        async with here.media():
            await here.until(lambda: here.exchange.legs)
        there.exchange.gone.add("call-0")  # as it is there
        async with there.media(ticket=here.ticket) as socket:
            assert await Carrier(socket).closed() == 1000
        assert there.exchange.adopted == []


# -- calls of a former process --------------------------------------------------------------------


async def test_a_callback_for_a_call_of_a_former_process_clears_it_away(tmp_path: Path) -> None:
    async with house(tmp_path) as former:
        await former.rings()
        shown = former.ticket
    async with house(tmp_path) as home:
        await home.told("CallConnected")
        assert (home.room.live(), home.exchange.ended) == (0, [])
        await home.told("CallDisconnected", event_id="cb2")
        with pytest.raises(InvalidStatus):
            await home.media(ticket=shown)
        assert home.room.live() == 0


async def test_media_of_a_former_process_s_call_hang_it_up(tmp_path: Path) -> None:
    async with house(tmp_path, reattach_s=60) as former:  # it dies before it gives up
        await former.rings()
        shown = former.ticket
        async with former.media():
            await former.until(lambda: former.exchange.legs)
    async with house(tmp_path) as home:
        home.exchange.gone.add("call-0")  # nobody knows it any more
        async with home.media(ticket=shown) as socket:
            assert await Carrier(socket).closed() == 1000
        await home.until(lambda: home.carrier.hung_up == [CONNECTION])
        await home.until(lambda: home.room.live() == 0)


async def test_a_former_process_s_call_whose_media_fail_is_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path) as former:
        await former.rings()
    async with house(tmp_path) as home:
        await home.told("MediaStreamingFailed")
        assert home.carrier.hung_up == [CONNECTION]
