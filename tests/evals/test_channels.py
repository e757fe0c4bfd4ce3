"""The same scenarios from a page and from a telephone: real sockets, real tickets, real keys."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from switchboard.evals.cloud import local_cloud
from tests.evals.runs import Outcome, evaluate, only
from tests.ports import free_port

OFFLINE = {"AZURE_OPENAI_ENDPOINT": "", "AZURE_VOICELIVE_ENDPOINT": ""}
"""The command starts a local cloud of its own, voice and ears and all."""
START_S = 60

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]


def passed(found: Outcome) -> None:
    assert found.run is not None, found.said
    assert found.failed() == [], found.said
    assert found.status == 0


def test_a_caller_at_a_page_interrupts_the_agent(tmp_path: Path) -> None:
    words = [*only("telecom-interrupted"), "--by", "socket"]
    found = evaluate(tmp_path, *words, environment=OFFLINE)

    passed(found)
    assert found.run is not None
    [result] = found.run.results
    assert found.run.by == "socket"
    assert result.interruptions >= 1
    assert result.cost_usd is not None  # its own server's, which a page is not told
    assert any(line.cut for line in result.lines)


def test_a_caller_on_the_telephone_agrees_with_a_key(tmp_path: Path) -> None:
    words = [*only("telecom-pays-by-key"), "--by", "phone"]
    found = evaluate(tmp_path, *words, environment=OFFLINE)

    passed(found)
    assert found.run is not None
    [result] = found.run.results
    assert found.run.by == "phone"
    assert [tool.name for tool in result.tools] == ["pay_bill"]
    judged = {verdict.judge for verdict in result.verdicts}
    assert "database" in judged


def until_ready(url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Generator[str]:
    """A server that somebody else runs."""
    port = free_port()
    told = {**os.environ, **environment, "PORT": str(port), "DATA_DIR": str(folder)}
    child = subprocess.Popen([sys.executable, "-m", "switchboard", "serve"], env=told)
    try:
        address = f"http://127.0.0.1:{port}"
        until_ready(f"{address}/readyz")
        yield address
    finally:
        child.terminate()
        child.wait(timeout=60)


@pytest.mark.asyncio
async def test_a_server_that_runs_is_called_as_its_pages_call_it(tmp_path: Path) -> None:
    async with local_cloud(by_voice=True, sessions=8) as cloud:
        environment = {**OFFLINE, **cloud.environment, "AFTER_CALLS": "false"}
        with serving(tmp_path / "theirs", environment) as address:
            words = [*only("telecom-shop-hours"), "--by", "socket", "--server", address]
            found = evaluate(tmp_path, *words, environment=environment)
            async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
                past = (await http.get("/api/console/history")).json()

    passed(found)
    assert [call["call"]["channel"] for call in past["calls"]] == ["browser"]
    assert found.run is not None
    assert found.run.results[0].cost_usd is None


def test_a_server_that_is_not_there_fails_the_conversation(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    words = [*only("telecom-shop-hours"), "--by", "socket", "--server", nowhere]
    found = evaluate(tmp_path, *words, environment={**OFFLINE, "LOCAL_VOICE": "fixed"})

    assert found.status == 1
    assert "The server is not to be had" in found.said


def test_by_phone_with_a_model_of_azures_is_refused(tmp_path: Path) -> None:
    azure = {"AZURE_OPENAI_ENDPOINT": "https://nobody.openai.azure.com"}
    found = evaluate(tmp_path, "--by", "phone", environment=azure)

    assert found.status == 2
    assert "unset AZURE_OPENAI_ENDPOINT" in found.said
