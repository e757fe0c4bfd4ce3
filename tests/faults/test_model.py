"""The realtime service fails, as a call begins and in the middle of it."""

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from switchboard import services
from switchboard.model.config import ModelConfig
from switchboard.telemetry import names
from tests.browser.webrtc.peers import connection, product
from tests.faults.proxy import Mode, fault_proxy
from tests.faults.scenes import FAILING, asks, end_reason, looked, paged, strike, until
from tests.local.realtime.doubles import Cloud
from tests.local.webrtc.caller import offered
from tests.telemetry.peers import collecting

HASTY = partial(
    ModelConfig,
    dial_timeout_s=2.0,
    configure_timeout_s=2.0,
    ping_interval_s=0.5,
    ping_timeout_s=1.0,
    stall_timeout_s=2.0,
)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up sooner than in life, or each of these would take a minute."""
    monkeypatch.setattr(services, "ModelConfig", HASTY)


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_call_that_cannot_begin_ends_in_words(
    cloud: Cloud, tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting() as collector:
        told: dict[str, Any] = {"otel_exporter_otlp_endpoint": collector.url}
        async with (
            fault_proxy(cloud.port) as proxy,
            product(tmp_path, proxy.address, **told) as home,
        ):
            strike(proxy, mode)
            async with paged(home) as page:
                with anyio.fail_after(60):
                    code, said = await page.closed()
            assert (code, said[-1]["type"]) == (1000, "ended")
            assert "voice service" in said[-1]["text"]
            await home.quiet()
            reason = await end_reason(home, page.ready["call"])
            assert reason is not None and reason.startswith("model_lost:")
            assert (await looked(home))["azure_openai"] == ("not ok" if mode is Mode.GONE else "ok")
            proxy.turn(Mode.PASS)
            async with paged(home) as page:
                await asks(page, "Good day")
    assert "model unavailable" in caplog.text
    dials = collector.points(names.DIAL_DURATION)
    # A slow service is reached: it is the session that does not come.
    assert sum("error.type" in about for about, _ in dials) == (mode is not Mode.SLOW)


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_call_is_moved_to_a_new_session_once_there_is_one(
    cloud: Cloud, tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting() as collector:
        told: dict[str, Any] = {"otel_exporter_otlp_endpoint": collector.url}
        async with (
            fault_proxy(cloud.port) as proxy,
            product(tmp_path, proxy.address, **told) as home,
            paged(home) as page,
        ):
            await asks(page, "Good day")
            dialled = proxy.tried
            strike(proxy, mode)
            await page.say("text", id="t2", text="Are you there?")
            await until(lambda: proxy.tried > dialled)
            proxy.turn(Mode.PASS)
            await asks(page, "And now?", "t3")
            assert home.house.switchboard.live() == 1
    assert "model lost" in caplog.text
    assert collector.total(names.SESSIONS, switchboard__session="recovery") == 1


@pytest.mark.parametrize("reset", [True, False])
async def test_a_session_cut_in_the_middle_is_replaced(
    cloud: Cloud, tmp_path: Path, reset: bool
) -> None:
    async with (
        fault_proxy(cloud.port) as proxy,
        product(tmp_path, proxy.address) as home,
        paged(home) as page,
    ):
        await asks(page, "Good day")
        assert proxy.cut(reset=reset) > 0
        await asks(page, "And now?", "t2")


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_service_that_stays_away_ends_the_call_in_words(
    cloud: Cloud, tmp_path: Path, mode: Mode
) -> None:
    with collecting() as collector:
        told: dict[str, Any] = {"otel_exporter_otlp_endpoint": collector.url}
        async with (
            fault_proxy(cloud.port) as proxy,
            product(tmp_path, proxy.address, **told) as home,
            paged(home) as page,
        ):
            await asks(page, "Good day")
            strike(proxy, mode)
            with anyio.fail_after(60):
                while (said := await page.next())["type"] != "ended":
                    pass
            assert said["text"]
            await home.quiet()
            reason = await end_reason(home, page.ready["call"])
            assert reason is not None and reason.startswith("model_lost:")
    assert collector.total(names.NOTICES, switchboard__notice="model_lost") == 1


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_an_offer_that_cannot_be_passed_on_is_refused_in_words(
    cloud: Cloud, tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        fault_proxy(cloud.port) as proxy,
        product(tmp_path, proxy.address) as home,
        connection() as (peer, _),
    ):
        offer = await offered(peer)
        strike(proxy, mode)
        refused = await home.place(offer)
        assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
        assert "way closed" in caplog.text
        assert home.house.switchboard.live() == 0
        proxy.turn(Mode.PASS)
        assert (await home.place(offer)).status_code == 201
