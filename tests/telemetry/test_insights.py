"""The whole product as a child: a full day, and everything that left it, read for what must not."""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from switchboard_local.entra.issuer import BadToken
from tests.model.tls import self_signed, server_tls
from tests.secrecy.peers import (
    ARGUMENT,
    FAULT,
    HEADER,
    KEY,
    PROMPT,
    RESULT,
    SPOKEN,
    TYPED,
    Upstream,
    product,
    upstream,
    with_key,
)
from tests.secrecy.talk import HUM
from tests.secrecy.test_logs import a_day
from tests.telemetry.peers import Collector, Insights, collecting, insights

AUDIENCE = "https://monitor.azure.com/"
pytestmark = pytest.mark.timeout(180)  # a whole server, and libraries that take long to import


@pytest.fixture
def there() -> Generator[Upstream]:
    with upstream() as there:
        yield there


@contextmanager
def application_insights(there: Upstream, folder: Path) -> Generator[tuple[Insights, Path]]:
    """With its certificate, which its clients must believe."""
    certificate = self_signed(folder)

    def accepts(token: str) -> bool:
        assert there.issuer is not None
        try:
            there.issuer.read(token, [AUDIENCE])
        except BadToken:
            return False
        return True

    with insights(server_tls(certificate), accepts) as resource:
        yield resource, certificate


async def test_a_day_leaves_no_word_and_no_secret_with_whoever_collects(
    there: Upstream, tmp_path: Path
) -> None:
    with application_insights(there, tmp_path) as (azure, certificate), collecting() as otlp:
        settings = {
            **with_key(there),
            "APPLICATIONINSIGHTS_CONNECTION_STRING": azure.connection_string,
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url,
            "REQUESTS_CA_BUNDLE": str(certificate),
            "LOG_LEVEL": "DEBUG",
            "NO_PROXY": "*",
        }
        async with product(tmp_path, there, **settings) as served:
            with anyio.fail_after(90):
                secrets = await a_day(served, there)
            logged = await served.stop()
    secrets |= there.values(b"authorization") | there.values(b"x-identity-header")

    # It was a full day, and all of it was told of.
    assert "telemetry is sent" in logged
    assert azure.refused == 0
    check_calls(otlp)
    check_envelopes(azure)

    left = b"\n".join([*otlp.bodies, *(repr(each).encode() for each in azure.envelopes)])
    for secret in secrets | {KEY, HEADER}:
        for part in {secret, *secret.split(".")} - {""}:
            assert len(part) < 12 or part.encode() not in left
    for words in (TYPED, SPOKEN, ARGUMENT, RESULT, FAULT, PROMPT, HUM):
        assert words.encode() not in left
        assert base64.b64encode(words.encode()) not in left
    for word in {"zeppelin", "wolverines", "marzipan", "albatross", "kaleidoscope"}:
        assert word.encode() not in left
    assert b"127.0.0.1:" not in b"\n".join(otlp.bodies)  # whose address it was


def check_calls(otlp: Collector) -> None:
    ended = {
        about["switchboard.end_reason"]: value
        for about, value in otlp.points("switchboard.calls.ended")
    }
    assert sum(ended.values()) == 5
    assert len(otlp.named("invoke_agent desk")) == 5
    tools = [span.name for span in otlp.named("execute_tool")]
    assert tools.count("execute_tool look_up") == tools.count("execute_tool stumble") == 2
    assert otlp.total("switchboard.model.dial.duration", error__type="401") >= 1
    assert otlp.named("POST /api/calls")


def check_envelopes(azure: Insights) -> None:
    done = azure.data("RemoteDependencyData")
    names = [each["name"] for each in done]
    assert names.count("invoke_agent desk") == 5
    (stumbled, *_) = [each for each in done if each["name"] == "execute_tool stumble"]
    assert stumbled["success"] is False
    assert stumbled["properties"]["switchboard.tool.state"] == "failed"
    assert "POST /api/calls" in [each["name"] for each in azure.data("RequestData")]
    measured = {point["name"] for each in azure.data("MetricData") for point in each["metrics"]}
    assert {"switchboard.calls.active", "switchboard.calls.limit"} <= measured
    lines = {each["message"] for each in azure.data("MessageData")}
    assert {"call began", "call ended"} <= lines
    roles = {each["tags"]["ai.cloud.role"] for each in azure.envelopes if each.get("tags")}
    assert roles == {"switchboard"}
    assert {each["iKey"] for each in azure.envelopes} == {Insights.KEY}


async def test_a_day_goes_well_though_application_insights_takes_nothing(
    there: Upstream, tmp_path: Path
) -> None:
    with insights(server_tls(self_signed(tmp_path)), lambda _: False) as azure:
        settings = {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": azure.connection_string,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "service.pem"),
            "NO_PROXY": "*",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        async with product(tmp_path, there, **settings) as served:
            async with served.talking() as (page, _):
                await page.say("text", id="t1", text="Hello")
                with anyio.fail_after(20):
                    await page.next("line")
                await page.say("end")
            await anyio.to_thread.run_sync(lambda: azure.until(lambda: azure.refused))
            logged = await served.stop()
    assert "call ended" in logged
    assert azure.envelopes == []
