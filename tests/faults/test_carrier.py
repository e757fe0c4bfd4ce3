"""The telephone's carrier fails: its operations, and the media of a call."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from switchboard.phone import acs as carrier
from switchboard_local.acs.grid import Subscription
from switchboard_local.acs.people import Phone, PhoneCall
from switchboard_local.acs.serving import ServedAcs, serving_acs
from tests.browser.webrtc.peers import Product, product
from tests.faults.proxy import FaultProxy, Mode, fault_proxy
from tests.faults.scenes import FAILING, end_reason, strike, until
from tests.local.realtime.doubles import Cloud
from tests.phone.ringing import AGENT, AS_IN_LIFE, CALLER, SECRET, SPEECH, clouded, until_open


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    monkeypatch.setattr(carrier, "OPERATION_S", 2.0)
    with clouded(monkeypatch) as cloud:
        yield cloud


@dataclass
class Town:
    """A product on a telephone, with a proxy before either."""

    home: Product
    served: ServedAcs
    rest: FaultProxy
    """Before the carrier's operations."""
    front: FaultProxy
    """Before the product, as the carrier sees it: media, callbacks, Event Grid."""

    @property
    def phone(self) -> Phone:
        return self.served.acs.phone(CALLER)

    async def ring(self) -> PhoneCall:
        with anyio.fail_after(60):
            call = await self.served.acs.dial(self.phone, AGENT)
            await call.hear_ms(300)
        return call

    async def answers(self, call: PhoneCall) -> None:
        """The caller speaks, and the agent is heard again."""
        before = call.heard_ms
        await call.say_out(SPEECH)
        with anyio.fail_after(60):
            await call.hear_ms(before + 300)

    async def empty(self) -> None:
        await until(lambda: not self.home.house.switchboard.live())


@asynccontextmanager
async def town(
    cloud: Cloud,
    data_dir: Path,
    *,
    answer_s: float = AS_IN_LIFE.answer_s,
    ping_s: float = 20.0,
    **settings: object,
) -> AsyncGenerator[Town]:
    assert cloud.issuer is not None
    config = replace(AS_IN_LIFE, answer_s=answer_s)
    door = socket.create_server(("127.0.0.1", 0))
    async with (
        serving_acs(cloud.issuer, config) as served,
        fault_proxy(served.port) as rest,
        fault_proxy(door.getsockname()[1]) as front,
        product(
            data_dir,
            f"http://127.0.0.1:{cloud.port}",
            door=door,
            acs_endpoint=f"https://127.0.0.1:{rest.door}",
            acs_resource_id=config.resource_id,
            acs_issuer=served.acs.signer.issuer,
            acs_ca_file=str(served.ca_file),
            event_grid_secret=SECRET,
            public_url=front.address,
            phone_agent="banking",
            ping_s=ping_s,
            **settings,
        ) as home,
    ):
        where = f"{front.address}/api/phone/incoming?secret={SECRET}"
        await served.acs.grid.subscribe(Subscription(where))
        await until_open(home)
        yield Town(home, served, rest, front)


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_call_that_cannot_be_answered_leaves_nothing_and_the_next_one_is(
    cloud: Cloud, tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    async with town(cloud, tmp_path, answer_s=4.0) as here:
        strike(here.rest, mode)
        with suppress(Exception), anyio.fail_after(20):  # nobody answers
            await here.served.acs.dial(here.phone, AGENT)
        await until(lambda: "carrier refused" in caplog.text)
        await here.empty()
        here.rest.turn(Mode.PASS)
        call = await here.ring()
        call.hang_up()
        await here.empty()


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_call_goes_on_and_ends_though_the_carrier_hears_nothing_of_us(
    cloud: Cloud, tmp_path: Path, mode: Mode
) -> None:
    async with town(cloud, tmp_path) as here:
        call = await here.ring()
        [call_id] = list(here.home.house.switchboard._calls)  # pyright: ignore[reportPrivateUsage]
        strike(here.rest, mode)
        await here.answers(call)
        call.hang_up()
        await here.empty()
        assert await end_reason(here.home, call_id) == "hung_up"


@pytest.mark.parametrize("mode", FAILING)
async def test_a_hang_up_of_ours_that_fails_is_told_and_the_call_is_over_all_the_same(
    cloud: Cloud, tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    async with town(cloud, tmp_path) as here:
        await here.ring()
        [call_id] = list(here.home.house.switchboard._calls)  # pyright: ignore[reportPrivateUsage]
        strike(here.rest, mode)
        await here.home.house.switchboard.end(call_id, "operator")
        await until(lambda: "telephone not hung up" in caplog.text)
        await here.empty()
        assert await end_reason(here.home, call_id) == "operator"


@pytest.mark.parametrize("reset", [True, False])
async def test_media_that_are_cut_come_back_to_the_same_call(
    cloud: Cloud, tmp_path: Path, reset: bool
) -> None:
    async with town(cloud, tmp_path) as here:
        call = await here.ring()
        assert here.front.cut(reset=reset) > 0
        await here.answers(call)
        assert here.home.house.switchboard.live() == 1
        call.hang_up()
        await here.empty()


@pytest.mark.parametrize("mode", [Mode.HOLE, Mode.NOISE, Mode.SLOW])
async def test_media_that_fail_for_a_moment_cost_no_call(
    cloud: Cloud, tmp_path: Path, mode: Mode
) -> None:
    async with town(cloud, tmp_path) as here:
        call = await here.ring()
        here.front.turn(mode)
        await until(lambda: here.front.asked)  # some of the caller's audio
        if mode is not Mode.NOISE:  # which ends the socket, and ACS tries again but a few times
            await anyio.sleep(1)
        here.front.turn(Mode.PASS)
        await here.answers(call)
        call.hang_up()
        await here.empty()


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_call_whose_media_stay_away_ends(cloud: Cloud, tmp_path: Path, mode: Mode) -> None:
    async with town(cloud, tmp_path, ping_s=1.0) as here:
        await here.ring()
        [call_id] = list(here.home.house.switchboard._calls)  # pyright: ignore[reportPrivateUsage]
        strike(here.front, mode)
        await here.empty()
        assert await end_reason(here.home, call_id) is not None
        here.front.turn(Mode.PASS)
