"""Collectors that misbehave: a call never notices, and the server stops all the same."""

import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from switchboard.errors import ConfigurationError
from switchboard.exchange.observer import Particulars
from switchboard.telemetry import pipeline
from switchboard.telemetry.config import Insights, TelemetryConfig
from switchboard.telemetry.pipeline import Telemetry, telemetry_of
from tests.ports import free_port
from tests.telemetry.peers import Mood, collecting
from tests.test_app import open_house, say

CALL = Particulars("c1", "ana", "model", "azure_openai", "browser", "in")
KEY = "7d9f3c1a-0b52-4f0e-9a6d-1c2b3a4d5e6f"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a collector gives up soon, or each of these would take half a minute."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(pipeline, "FLUSH_S", 1.5)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Generator[None]:
    yield
    for thread in threading.enumerate():
        if "Otel" in thread.name:
            thread.join(20)
            assert not thread.is_alive()


@asynccontextmanager
async def sending(url: str) -> AsyncGenerator[Telemetry]:
    telemetry = telemetry_of(TelemetryConfig("1", otlp_endpoint=url))
    with anyio.fail_after(40):
        async with telemetry.running():
            yield telemetry


@pytest.mark.parametrize("mood", ["hangs", "garbage", "busy"])
async def test_a_call_goes_on_while_the_collector_does_not(tmp_path: Path, mood: Mood) -> None:
    with collecting(mood) as collector, anyio.fail_after(50):
        async with open_house(
            tmp_path, otel_exporter_otlp_endpoint=collector.url, reattach_seconds=5
        ) as home:
            for n in range(2):
                async with home.dial(await home.place()) as page:
                    assert (await say(page, f"Question {n}"))["state"] == "final"
                    await page.say("end")
                    assert (await page.closed())[0] == 1000
            await home.quiet()
        assert collector.bodies  # it was asked, and in vain
        collector.released.set()


async def test_a_call_goes_on_where_nobody_collects(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with anyio.fail_after(50):
        async with open_house(tmp_path, otel_exporter_otlp_endpoint=nobody) as home:
            async with home.dial(await home.place()) as page:
                await say(page, "Is anybody there?")
                await page.say("end")
                assert (await page.closed())[0] == 1000
            await home.quiet()


async def test_what_waits_is_bounded_and_the_newest_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    with collecting("hangs") as collector:
        async with sending(collector.url) as telemetry:
            for _ in range(200):
                telemetry.observer.began(CALL, None).ended("goodbye")
            await to_thread.run_sync(lambda: collector.until(lambda: collector.bodies))
            collector.mood = "well"
            collector.released.set()
    assert 0 < len(collector.spans) <= 20 + 10


async def test_the_server_stops_in_time_though_the_collector_hangs(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    monkeypatch.setattr(pipeline, "FLUSH_S", 0.2)
    with collecting("hangs") as collector:
        async with sending(collector.url) as telemetry:
            telemetry.observer.began(CALL, None).ended("goodbye")
        assert "telemetry was not all sent" in caplog.messages
        collector.released.set()


async def test_what_waits_when_the_server_stops_is_still_sent() -> None:
    with collecting() as collector:
        async with sending(collector.url) as telemetry:
            telemetry.observer.began(CALL, None).ended("goodbye")
            assert collector.spans == []
    assert [span.name for span in collector.spans] == ["invoke_agent ana"]


async def test_trouble_with_a_collector_is_not_sent_to_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with collecting() as collector:
        async with sending(collector.url):
            logging.getLogger("opentelemetry.exporter").error("cannot be reached")
            logging.getLogger("switchboard.telemetry.pipeline").error("not all was sent")
            logging.getLogger("switchboard.exchange").error("this is")
    assert [line.body.string_value for line in collector.logs] == ["this is"]


@pytest.mark.parametrize(
    "read",
    [
        lambda: TelemetryConfig("1", otlp_endpoint="collector:4318"),
        lambda: TelemetryConfig("1", otlp_endpoint="http://"),
        lambda: Insights.of("InstrumentationKey=abc"),
        lambda: Insights.of(f"InstrumentationKey={KEY}"),
        lambda: Insights.of(f"InstrumentationKey={KEY};IngestionEndpoint=http://in.example/"),
        lambda: Insights.of("%%%"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_the_start(
    read: Callable[[], object],
) -> None:
    with pytest.raises(ConfigurationError, match=r"OTEL_EXPORTER|APPLICATIONINSIGHTS"):
        read()


def test_the_token_is_for_whom_the_connection_string_says() -> None:
    here = f"InstrumentationKey={KEY};IngestionEndpoint=https://in.example/"
    assert Insights.of(here).scope == "https://monitor.azure.com//.default"
    there = Insights.of(f"{here};AadAudience=https://monitor.azure.us/")
    assert there.scope == "https://monitor.azure.us//.default"
