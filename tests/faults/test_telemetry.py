"""The collector of telemetry fails: no call notices, and the server stops in time."""

from pathlib import Path

import anyio
import pytest

from switchboard.telemetry import pipeline
from tests.faults.proxy import Mode, fault_proxy
from tests.faults.scenes import FAILING, strike
from tests.telemetry.peers import collecting
from tests.test_app import open_house, say


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(pipeline, "FLUSH_S", 1.5)


@pytest.mark.parametrize("at_start", [True, False], ids=["at-start", "mid-call"])
@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_call_goes_on_and_the_server_stops(
    tmp_path: Path, mode: Mode, at_start: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting("well") as collector:
        async with fault_proxy(collector.port) as proxy:
            if at_start:
                strike(proxy, mode)
            with anyio.fail_after(60):
                async with open_house(
                    tmp_path, otel_exporter_otlp_endpoint=proxy.address, reattach_seconds=5
                ) as home:
                    async with home.dial(await home.place()) as page:
                        await say(page, "Before")
                        strike(proxy, mode)
                        await say(page, "Meanwhile", "t2")
                        await page.say("end")
                        assert (await page.closed())[0] == 1000
                    await home.quiet()
            assert proxy.taken or mode is Mode.GONE  # it was asked
    if mode is not Mode.SLOW:  # which takes all of it, in time
        assert "Failed to export" in caplog.text
