"""A call comes in, is answered once, has its media joined, and leaves nothing behind."""

from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus

from switchboard.access.media import MediaTickets
from switchboard.access.rates import Rate
from switchboard.conversation.events import CallerAway, CallerPressed
from switchboard.phone.admission import CallerLimits
from switchboard.phone.carrier import Connection
from switchboard.phone.handover import Handover
from switchboard.phone.leg import PhoneLeg
from switchboard.phone.media import Come
from switchboard.phone.room import MEDIA_S
from tests.access.signer import claims, signed
from tests.phone.house import CONNECTION, SECRET, House, house
from tests.phone.peers import Carrier


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as served:
        yield served


async def test_a_call_is_answered_and_its_media_are_joined_to_it(home: House) -> None:
    assert (await home.rings()).status_code == 200
    [(context, route)] = home.carrier.answered
    assert context == "ctx"
    assert route.callback_url == "https://talk.example/api/phone/events/call-0"
    assert route.media_url.startswith("wss://talk.example/api/phone/media/call-0?ticket=")
    async with home.media() as socket:
        await Carrier(socket).opens()
        await Carrier(socket).says("DtmfData", dtmfData={"data": "5"})
        await home.until(lambda: home.exchange.events)
        assert home.exchange.events == [CallerPressed("5")]


async def test_a_call_delivered_twice_is_answered_once(home: House) -> None:
    for _ in range(3):
        assert (await home.rings()).status_code == 200
    await home.rings(correlation="cor2")
    assert len(home.carrier.answered) == 2


async def test_a_call_whose_answering_failed_is_answered_when_it_is_delivered_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object, call_id: str, facts: str) -> str:
        raise OSError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(MediaTickets, "issue", fails)
        assert (await home.rings()).status_code == 500
    assert (await home.rings()).status_code == 200
    assert len(home.carrier.answered) == 1


async def test_a_callback_that_could_not_be_acted_upon_is_acted_upon_when_it_comes_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object, call_id: str) -> None:
        raise OSError("database is locked")

    await home.rings()
    with monkeypatch.context() as broken:
        broken.setattr(MediaTickets, "revoke", fails)
        assert (await home.told("CallDisconnected")).status_code == 500
    assert (await home.told("CallDisconnected")).status_code == 200
    with pytest.raises(InvalidStatus):
        await home.media()


async def test_what_is_told_again_or_by_another_of_a_call_that_is_here_costs_the_database_nothing(
    home: House, stores_go: Callable[[], None]
) -> None:
    await home.rings()
    async with home.media() as socket:
        await Carrier(socket).opens()
        await home.until(lambda: home.exchange.legs)
        assert (await home.told("CallConnected")).status_code == 200
        stores_go()
        assert (await home.told("CallConnected")).status_code == 200
        stranger = await home.told("CallDisconnected", event_id="cb2", connection="another")
        assert stranger.status_code == 200
        assert home.room.live() == 1
        news = await home.told("MediaStreamingStopped", event_id="cb3")
        assert news.status_code == 503


async def test_a_stale_call_is_not_answered(home: House) -> None:
    assert (await home.rings(at=home.clock.now - 90)).status_code == 200
    assert home.carrier.answered == []


async def test_a_call_that_comes_before_the_carrier_is_open_is_delivered_again(home: House) -> None:
    home.carrier.is_open = False
    answer = await home.rings()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert not home.exchange.asked
    home.carrier.is_open = True
    for _ in range(2):
        assert (await home.rings()).status_code == 200
    assert len(home.carrier.answered) == 1


async def test_a_server_that_stops_leaves_a_call_to_another(home: House) -> None:
    """It rings on: Event Grid delivers it again, and this server is sent nothing new by then."""
    home.exchange.stopping = True
    answer = await home.rings()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert home.carrier.answered == home.carrier.rejected == []
    home.exchange.stopping = False  # as another one is
    assert (await home.rings()).status_code == 200
    assert len(home.carrier.answered) == 1


async def test_a_handshake_needs_no_carrier(home: House) -> None:
    home.carrier.is_open = False
    asks = {
        "id": "v1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-11-26T10:00:00Z",
        "data": {"validationCode": "512d38b6"},
    }
    assert (await home.rings(asks)).json() == {"validationResponse": "512d38b6"}
    assert (await home.rings(at=home.clock.now - 90)).status_code == 200  # nor does a stale call


async def test_a_busy_house_says_so(home: House) -> None:
    home.exchange.lines = 0
    await home.rings()
    assert home.carrier.rejected == [("ctx", "busy")]
    assert home.carrier.answered == []


async def test_a_call_that_cannot_be_answered_frees_its_line(home: House) -> None:
    home.carrier.away = True
    assert (await home.rings()).status_code == 200
    assert home.exchange.ended == [("call-0", "not_answered")]


async def test_event_grid_s_handshakes_are_answered(home: House) -> None:
    asks = {
        "id": "v1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-11-26T10:00:00Z",
        "data": {"validationCode": "512d38b6"},
    }
    answer = await home.rings(asks)
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})
    allowed = await home.http.options(
        f"/api/phone/incoming?secret={SECRET}",
        headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
    )
    assert allowed.status_code == 200
    assert allowed.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
    assert allowed.headers["webhook-allowed-rate"] == "*"


async def test_strangers_deliver_nothing(home: House) -> None:
    body = [home.incoming()]
    assert (await home.http.post("/api/phone/incoming", json=body)).status_code == 401
    wrong = await home.http.post("/api/phone/incoming?secret=wrong", json=body)
    assert wrong.status_code == 401
    evil = {"WebHook-Request-Origin": "evil.example"}
    asked = await home.http.options(f"/api/phone/incoming?secret={SECRET}", headers=evil)
    assert asked.status_code == 401
    assert home.carrier.answered == []


@pytest.mark.parametrize(("size", "status"), [(10, 400), (300_000, 413)])
async def test_a_hostile_body_is_refused(home: House, size: int, status: int) -> None:
    address = f"/api/phone/incoming?secret={SECRET}"
    assert (await home.http.post(address, content=b"x" * size)).status_code == status


@pytest.mark.parametrize(
    ("what", "reason"),
    [("CallDisconnected", "hung_up"), ("AnswerFailed", "hung_up"), ("CreateCallFailed", "hung_up")],
)
async def test_when_the_telephone_hangs_up_the_call_ends_once(
    home: House, what: str, reason: str
) -> None:
    await home.rings()
    for _ in range(3):
        assert (await home.told(what)).status_code == 200
    assert home.exchange.ended == [("call-0", reason)]
    with pytest.raises(InvalidStatus):
        await home.media()  # what was its ticket opens nothing any more


async def test_what_is_told_of_another_call_is_not_believed(home: House) -> None:
    await home.rings()
    await home.told("CallDisconnected", connection="cc2")
    assert home.exchange.ended == []
    async with home.media():
        await home.until(lambda: home.exchange.legs)
        await home.told("CallDisconnected", connection="cc2", event_id="cb2")
        assert home.exchange.ended == []


@pytest.mark.parametrize("aud", ["another", None])
async def test_strangers_tell_nothing(home: House, aud: str | None) -> None:
    await home.rings()
    assert (await home.told("CallDisconnected", token=signed(claims(aud=aud)))).status_code == 401
    assert home.exchange.ended == []


@pytest.mark.parametrize(
    "shown",
    [
        {"token": "abc"},
        {"token": signed(claims(aud="another"))},
        {"ticket": "A" * 43},
        {"ticket": "short"},
        {"call_id": "call-1"},
        {"connection": "a b"},
    ],
)
async def test_strangers_open_no_media(home: House, shown: dict[str, str]) -> None:
    await home.rings()
    with pytest.raises(InvalidStatus) as refusal:
        await home.media(**shown)
    assert refusal.value.response.status_code == 401
    assert home.exchange.legs == []


async def test_a_ticket_of_one_call_opens_no_other(home: House) -> None:
    await home.rings()
    first = home.carrier.answered[0][1].media_url.partition("ticket=")[2]
    await home.rings(correlation="cor2")
    with pytest.raises(InvalidStatus):
        await home.media(ticket=first, call_id="call-1")


async def test_acs_may_come_back_and_another_connection_may_not(home: House) -> None:
    await home.rings()
    async with home.media() as first:
        await home.until(lambda: home.exchange.legs)
        with pytest.raises(InvalidStatus):
            await home.media(connection="cc2")
        first.transport.abort()
        await home.until(lambda: home.exchange.events == [CallerAway()])
        async with home.media():
            await home.until(lambda: len(home.exchange.legs) == 2)
            assert home.carrier.hung_up == []


async def test_a_lost_socket_that_does_not_come_back_is_hung_up(home: House) -> None:
    await home.rings()
    async with home.media() as socket:
        await home.until(lambda: home.exchange.legs)
        socket.transport.abort()
        await home.until(lambda: home.carrier.hung_up)
    assert home.carrier.hung_up == [CONNECTION]
    await home.until(lambda: home.exchange.ended)


async def test_when_our_call_ends_the_telephone_is_hung_up(home: House) -> None:
    await home.rings()
    async with home.media() as socket:
        await home.until(lambda: home.exchange.legs)
        await home.exchange.leg.close("goodbye")
        assert await Carrier(socket).closed() == 1000
        await home.until(lambda: home.carrier.hung_up == [CONNECTION])


async def test_a_fault_with_one_socket_leaves_no_leg_and_is_a_lost_socket(
    home: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(call_id: str, leg: object) -> None:
        raise RuntimeError("a fault of ours")

    await home.rings()
    with monkeypatch.context() as broken:
        broken.setattr(home.exchange, "carry", fails)
        async with home.media() as socket:
            assert await Carrier(socket).closed() == 1011
    await home.until(lambda: not legs_of(home))
    async with home.media():  # ACS opens a new one
        await home.until(lambda: home.exchange.legs)
        assert home.carrier.hung_up == []
    await home.until(lambda: home.carrier.hung_up == [CONNECTION])
    assert "media failed" in caplog.text


async def test_a_socket_whose_task_is_cancelled_leaves_no_leg(home: House) -> None:
    await home.rings()
    socket = cast("WebSocket", SimpleNamespace(scope={}, receive=anyio.sleep_forever))
    media = home.room._media  # pyright: ignore[reportPrivateUsage]  (no door cancels one)
    come = Come("call-0", Connection(CONNECTION), Handover("bank", "c", "4:+44"), first=False)
    join = partial(media._join, socket, come)  # pyright: ignore[reportPrivateUsage]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(join)
        await home.until(lambda: legs_of(home))
        tasks.cancel_scope.cancel()
    assert legs_of(home) == {}


def legs_of(home: House) -> dict[str, PhoneLeg]:
    return home.room._calls.legs  # pyright: ignore[reportPrivateUsage]  (no door shows it)


async def test_media_of_a_call_that_is_gone_hang_it_up(home: House) -> None:
    await home.rings()
    home.exchange.gone.add("call-0")
    async with home.media() as socket:
        assert await Carrier(socket).closed() == 1000
    await home.until(lambda: home.carrier.hung_up == [CONNECTION])


async def test_an_answered_call_whose_media_never_come_is_hung_up(home: House) -> None:
    await home.rings()
    await home.room.sweep()
    assert home.carrier.hung_up == []
    home.clock.now += MEDIA_S
    await home.room.sweep()
    await home.room.sweep()
    assert home.carrier.hung_up == [CONNECTION]
    assert home.exchange.ended == [("call-0", "hung_up")]


async def test_media_that_fail_before_they_come_end_the_call(home: House) -> None:
    await home.rings()
    await home.told("MediaStreamingFailed")
    assert home.carrier.hung_up == [CONNECTION]


async def test_acs_is_asked_to_come_again_while_its_tokens_cannot_be_checked(home: House) -> None:
    home.signer.status = 503
    answer = await home.told("CallConnected")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_callback_about_a_call_that_is_not_the_telephone_s_does_nothing(
    home: House,
) -> None:
    await home.rings()
    for what in ("CallDisconnected", "MediaStreamingFailed"):
        assert (await home.told(what, call_id="browser-call")).status_code == 200
    assert home.exchange.ended == []
    assert home.carrier.hung_up == []


async def test_the_number_and_the_caller_s_header_are_asked_about_who_answers(
    home: House,
) -> None:
    await home.rings()
    await home.rings(home.incoming(correlation="cor2", called="+442079460001"))
    headers: dict[str, Any] = {"X-Agent": "loans"}
    await home.rings(home.incoming(correlation="cor3", **headers))
    assert home.exchange.asked == ["bank", "press", "loans"]


async def test_one_telephone_does_not_take_every_line(tmp_path: Path) -> None:
    async with house(tmp_path, callers=CallerLimits(at_once=2)) as home:
        for call in range(3):
            await home.rings(correlation=f"cor{call}")
        assert len(home.carrier.answered) == 2
        assert home.carrier.rejected == [("ctx", "busy")]
        await home.rings(home.incoming(correlation="other", caller="4:+447400123457"))
        assert len(home.carrier.answered) == 3
        await home.told("CallDisconnected")
        await home.rings(correlation="again")
        assert len(home.carrier.answered) == 4


async def test_withheld_numbers_share_one_allowance(tmp_path: Path) -> None:
    async with house(tmp_path, callers=CallerLimits(at_once=1)) as home:
        for call, caller in enumerate(("4:anonymous", "", "4:unknown")):
            await home.rings(home.incoming(correlation=f"cor{call}", caller=caller))
        assert len(home.carrier.answered) == 1
        assert home.carrier.rejected == [("ctx", "busy")] * 2


async def test_one_telephone_does_not_ring_without_end(tmp_path: Path) -> None:
    limits = CallerLimits(Rate(0.1, 2), at_once=100)
    async with house(tmp_path, callers=limits) as home:
        for call in range(3):
            await home.rings(correlation=f"cor{call}")
        assert (len(home.carrier.answered), len(home.carrier.rejected)) == (2, 1)
        home.clock.now += 10
        await home.rings(correlation="later")
        assert len(home.carrier.answered) == 3


async def test_a_store_that_fails_keeps_nobody_on_the_line(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object, call_id: str) -> None:
        raise OSError("database is locked")

    await home.rings()
    await home.rings(correlation="cor2")
    monkeypatch.setattr(MediaTickets, "revoke", fails)
    home.clock.now += MEDIA_S
    await home.room.sweep()
    assert home.carrier.hung_up == [CONNECTION, CONNECTION]
    assert [call_id for call_id, _ in home.exchange.ended] == ["call-0", "call-1"]
