"""The whole rounds, and the command as its users run it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest
from anyio import to_thread

from switchboard.__main__ import main
from switchboard.doctor.findings import Finding, Outcome, as_json, failed, one_line, status_of
from switchboard.doctor.rounds import rounds
from switchboard.errors import ConfigurationError
from switchboard.settings import Settings
from switchboard_local.faults.kinds import Refuse
from switchboard_local.vault import KEY_SECRET, Vault
from tests.doctor.peers import HEADER, PATIENT, ROOT, settings, welcome
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.model.peer import serving

KEY = "the-customers-own-key"
TODAY = date(2026, 11, 26)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with local_cloud(identity_header=HEADER) as served:
        for name, value in identity_of(served).items():
            monkeypatch.setenv(name, value)
        yield served


def identity_of(cloud: Cloud) -> dict[str, str]:
    return {
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{cloud.port}/msi/token",
        "IDENTITY_HEADER": HEADER,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }


async def examine(given: Settings) -> dict[str, Finding]:
    found = [each async for each in rounds(lambda: given, patience=PATIENT, today=lambda: TODAY)]
    by_check = {each.check: each for each in found}
    assert len(by_check) == len(found)
    return by_check


async def test_everything_is_looked_at_in_order(cloud: Cloud, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    found = await examine(
        settings(tmp_path, azure_openai_endpoint=endpoint, azure_voicelive_endpoint=endpoint)
    )
    assert list(found) == [
        "settings",
        "agents",
        "data directory",
        "records",
        "page",
        "services",
        "identity for https://ai.azure.com/.default",
        "Azure OpenAI endpoint",
        "Azure OpenAI model gpt-realtime-2.1",
        "Azure OpenAI model gpt-realtime-2.1-mini",
        "Azure OpenAI model gpt-realtime-1.5",
        "Azure OpenAI model gpt-realtime-2.1 retires",
        "Azure OpenAI model gpt-realtime-2.1-mini retires",
        "Azure OpenAI model gpt-realtime-1.5 retires",
        "Azure OpenAI WebRTC",
        "clock against Azure OpenAI",
        "Voice Live endpoint",
        "Voice Live model gpt-realtime-2.1",
        "clock against Voice Live",
        "origins",
        "callers",
    ]
    found.pop("page")  # built or not, on the machine that runs this
    unproven = found.pop("Azure OpenAI WebRTC")
    assert (unproven.outcome, "unproven" in unproven.detail) == (Outcome.SKIPPED, True)
    assert {each.outcome for each in found.values()} == {Outcome.OK}


async def test_each_audience_is_asked_for_once(cloud: Cloud, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    legacy = "https://cognitiveservices.azure.com/.default"
    found = await examine(
        settings(
            tmp_path,
            azure_openai_endpoint=endpoint,
            azure_voicelive_endpoint=endpoint,
            azure_voicelive_scope=legacy,
        )
    )
    assert [check for check in found if check.startswith("identity")] == [
        "identity for https://ai.azure.com/.default",
        f"identity for {legacy}",
    ]


async def test_without_a_token_no_session_is_tried(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    endpoint = f"http://127.0.0.1:{cloud.port}"
    found = await examine(settings(tmp_path, azure_openai_endpoint=endpoint))
    assert found["identity for https://ai.azure.com/.default"].outcome is Outcome.FAILED
    assert found["Azure OpenAI models"].outcome is Outcome.SKIPPED
    assert found["clock against Azure OpenAI"].outcome is Outcome.OK


async def test_a_service_that_is_not_set_up_is_skipped_and_its_agents_named(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    found = await examine(settings(tmp_path, azure_voicelive_endpoint=endpoint))
    told = found["Azure OpenAI endpoint"]
    assert told.outcome is Outcome.SKIPPED
    assert "nobody is offered gpt-realtime-2.1, " in told.detail
    assert "telecom, government, banking" in told.advice
    assert "Azure OpenAI models" not in found


async def test_a_service_that_cannot_be_reached_is_asked_nothing_more(
    cloud: Cloud, tmp_path: Path
) -> None:
    found = await examine(settings(tmp_path, azure_openai_endpoint="http://127.0.0.1:9"))
    assert found["Azure OpenAI endpoint"].outcome is Outcome.FAILED
    assert found["Azure OpenAI models"].outcome is Outcome.SKIPPED
    assert found["Azure OpenAI model gpt-realtime-2.1 retires"].outcome is Outcome.OK
    assert "clock against Azure OpenAI" not in found


@pytest.mark.parametrize(
    ("given", "check", "said"),
    [
        ({}, "services", "AZURE_OPENAI_ENDPOINT is not set, nor is"),
        (
            {"voice_live_proxy": True, "azure_openai_endpoint": "http://127.0.0.1:9"},
            "services",
            "VOICE_LIVE_PROXY is on, but",
        ),
        ({"azure_openai_endpoint": "http://a.example"}, "Azure OpenAI endpoint", "must be https"),
        ({"azure_voicelive_endpoint": "https://u@a"}, "Voice Live endpoint", "must look like"),
    ],
)
async def test_services_that_are_set_up_wrongly(
    given: dict[str, object], check: str, said: str, cloud: Cloud, tmp_path: Path
) -> None:
    told = (await examine(settings(tmp_path, **given)))[check]
    assert told.outcome is Outcome.FAILED
    assert said in told.detail


async def test_settings_that_cannot_be_read_end_the_rounds() -> None:
    def refuse() -> Settings:
        raise ConfigurationError("PORT: no number.")

    first, last = [each async for each in rounds(refuse)]
    assert (first.check, first.outcome) == ("settings", Outcome.FAILED)
    assert (last.check, last.outcome) == ("everything else", Outcome.SKIPPED)


# -- saying it ----------------------------------------------------------------------------------


def test_whatever_a_service_says_stays_one_short_line() -> None:
    assert one_line(" a\n\n b\x1b[31m\u2028c\r\nd ") == "a; b [31m; c; d"
    assert len(one_line("x" * 10_000)) == 800


def test_one_failure_is_a_failure() -> None:
    finding = failed("the check", "what", "how")
    assert status_of([finding]) == 1
    assert status_of([]) == 0
    assert finding.line() == "not ok   the check: what → how"
    assert json.loads(as_json([finding])) == [
        {"check": "the check", "outcome": "not ok", "detail": "what", "advice": "how"}
    ]


# -- the process --------------------------------------------------------------------------------


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "switchboard", "doctor", *words],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_as_a_process_it_says_a_line_for_each_check(tmp_path: Path) -> None:
    with local_cloud(identity_header=HEADER) as cloud:
        ran = run(
            DATA_DIR=str(tmp_path),
            AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{cloud.port}",
            **identity_of(cloud),
        )
    *lines, total = ran.stdout.splitlines()
    assert "ok       Azure OpenAI model gpt-realtime-2.1: a session was opened" in ran.stdout
    assert all(line.startswith(("ok  ", "not ok  ", "skipped  ")) for line in lines)
    bad = [line for line in lines if line.startswith("not ok")]
    assert bad == [line for line in bad if " page: " in line]  # it may not be built here
    assert ran.returncode == int(bool(bad))
    assert total == f"{len(lines) - len(bad) - 2} ok, {len(bad)} not ok, 2 skipped"
    assert ran.stderr == ""
    assert HEADER not in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_as_a_process_it_speaks_json(tmp_path: Path) -> None:
    doubles = Doubles()
    doubles.faults.arm(Refuse(status=401, times=None))
    with local_cloud(doubles, identity_header=HEADER) as cloud:
        ran = run(
            "--json",
            DATA_DIR=str(tmp_path),
            AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{cloud.port}",
            **identity_of(cloud),
        )
    assert ran.returncode == 1
    found = {each["check"]: each for each in json.loads(ran.stdout)}
    told = found["Azure OpenAI model gpt-realtime-2.1"]
    assert told["outcome"] == "not ok"
    assert "Cognitive Services OpenAI User" in told["detail"]


async def test_as_a_process_it_shows_its_token_to_the_service_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    async with identity_endpoint() as identity, serving(welcome) as peer:
        told = {
            "DATA_DIR": str(tmp_path),
            "AZURE_OPENAI_ENDPOINT": peer.endpoint,
            "IDENTITY_ENDPOINT": identity.address,
            "IDENTITY_HEADER": SECRET_HEADER,
            "LOG_LEVEL": "DEBUG",
        }
        ran = await to_thread.run_sync(lambda: run(**told))
    shown = [request.headers.get("Authorization") for request in peer.requests]
    assert shown == ["Bearer token-1"] * 3 + [None]  # three models; the clock needs no token
    for secret in ("token-1", SECRET_HEADER):
        assert secret not in ran.stdout + ran.stderr
    assert "a credential that did not say its name" not in ran.stdout


def test_as_a_process_it_ends_though_a_tool_hangs(tmp_path: Path) -> None:
    """And what a tool prints as it is imported is no part of the JSON."""
    (tmp_path / "slow.py").write_text('import time\nprint("hello")\ntime.sleep(600)\n')
    text = (ROOT / "session_config.json").read_text("utf-8")
    config = json.loads(text)
    config["tools"] = {"modules": ["slow.py"]}
    (tmp_path / "session_config.json").write_text(json.dumps(config))
    ran = run("--json", DATA_DIR=str(tmp_path), SESSION_CONFIG=f"{tmp_path}/session_config.json")
    assert ran.returncode == 1
    found = {each["check"]: each for each in json.loads(ran.stdout)}
    assert "took longer than 10 s" in found["agents"]["detail"]


def test_a_wrong_setting_is_a_finding_without_its_value() -> None:
    ran = run(PORT="secret-value")
    assert ran.returncode == 1
    assert ran.stdout.startswith("not ok   settings: PORT: ")
    assert "secret-value" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("words", [["--xml"], ["--json", "now"], ["--json", "--json"]])
def test_words_it_does_not_know_are_misuse(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", *words]) == 2
    assert "usage: switchboard COMMAND" in capsys.readouterr().err


# -- agents and keys ----------------------------------------------------------------------------


def with_concierge(folder: Path) -> Path:
    """The shipped agents, and one that speaks as an agent of a Foundry project."""
    config = json.loads((ROOT / "session_config.json").read_text())
    config["models"].append(
        {
            "id": "hotel",
            "title": "Hotel",
            "service": "voice_live",
            "agent": {"name": "concierge", "project": "hotel"},
            "voice": "ava",
        }
    )
    config["agents"].append({"id": "guests", "title": "G", "model": "hotel", "voice": "ava"})
    copytree(ROOT / "prompts", folder / "prompts")
    file = folder / "session_config.json"
    file.write_text(json.dumps(config))
    return file


async def test_a_foundry_agent_is_asked_for_as_such(cloud: Cloud, tmp_path: Path) -> None:
    given = {"azure_voicelive_endpoint": f"http://127.0.0.1:{cloud.port}"}
    file = with_concierge(tmp_path)
    found = await examine(settings(tmp_path, session_config=file, **given))
    assert found["Voice Live agent concierge"].outcome is Outcome.OK
    assert found["Voice Live model gpt-realtime-2.1"].outcome is Outcome.OK

    async with serving(welcome, refusals=[404] * 2) as peer:
        given = {"azure_voicelive_endpoint": peer.endpoint}
        found = await examine(settings(tmp_path, session_config=file, **given))
    told = found["Voice Live agent concierge"]
    assert told.outcome is Outcome.FAILED
    assert "Foundry User" in told.advice
    paths = [request.path for request in peer.requests]
    assert any("agent-name=concierge&agent-project-name=hotel" in path for path in paths)


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with local_cloud(Doubles(vault=Vault.with_key(KEY)), identity_header=HEADER) as served:
        for name, value in identity_of(served).items():
            monkeypatch.setenv(name, value)
        yield served


def by_key(cloud: Cloud, name: str = KEY_SECRET) -> dict[str, str]:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    secret = f"{endpoint}/secrets/{name}"
    return {"azure_voicelive_endpoint": endpoint, "voicelive_key_secret_uri": secret}


async def test_a_key_is_read_and_tried_and_never_shown(keyed: Cloud, tmp_path: Path) -> None:
    found = await examine(settings(tmp_path, **by_key(keyed)))
    told = found["Voice Live key"]
    assert (told.outcome, "prefer Entra tokens" in told.advice) == (Outcome.OK, True)
    assert "identity for https://vault.azure.net/.default" in found
    assert "identity for https://ai.azure.com/.default" not in found
    assert found["Voice Live model gpt-realtime-2.1"].outcome is Outcome.OK
    assert KEY not in as_json(list(found.values()))


async def test_a_key_that_cannot_be_read_says_how_to_mend_it(keyed: Cloud, tmp_path: Path) -> None:
    found = await examine(settings(tmp_path, **by_key(keyed, "elsewhere")))
    told = found["Voice Live key"]
    assert (told.outcome, told.detail) == (
        Outcome.FAILED,
        "the Key Vault has no such secret; check VOICELIVE_KEY_SECRET_URI",
    )
    assert found["Voice Live models"].detail == "a key comes first"


async def test_a_key_that_the_service_refuses_is_told_as_a_key(
    keyed: Cloud, tmp_path: Path
) -> None:
    vault = keyed.doubles.vault
    assert vault is not None
    vault.service_key = "another"
    found = await examine(settings(tmp_path, **by_key(keyed)))
    assert "did not accept the key" in found["Voice Live model gpt-realtime-2.1"].detail


@pytest.mark.parametrize(
    ("given", "check", "said"),
    [
        (
            {
                "voicelive_key_secret_uri": "https://a.vault.azure.net/secrets/k",
                "azure_openai_endpoint": "http://127.0.0.1:9",
            },
            "services",
            "say whose key it is",
        ),
        (
            {
                "voicelive_key_secret_uri": "https://evil.example/secrets/k",
                "azure_voicelive_endpoint": "http://127.0.0.1:9",
            },
            "Voice Live key",
            "must look like https://<vault>.vault.azure.net",
        ),
    ],
)
async def test_a_key_that_is_set_up_wrongly(
    given: dict[str, object], check: str, said: str, cloud: Cloud, tmp_path: Path
) -> None:
    told = (await examine(settings(tmp_path, **given)))[check]
    assert told.outcome is Outcome.FAILED
    assert said in told.detail
