"""The command line, as its users run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import anyio
import httpx
import pytest
from anyio import to_thread
from websockets.asyncio.client import connect

from switchboard.__main__ import main
from tests.browser.proxy.peers import jwt, voice_live
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
NEVER_ANSWERS = "http://127.0.0.1:9"


def environment(**settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, **settings}


def switchboard(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "switchboard", *words],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@contextmanager
def serving(port: int, data_dir: Path, **settings: str) -> Generator[subprocess.Popen[str]]:
    told = {"PORT": str(port), "DATA_DIR": str(data_dir), "AZURE_OPENAI_ENDPOINT": NEVER_ANSWERS}
    server = subprocess.Popen(
        [sys.executable, "-m", "switchboard", "serve"],
        cwd=ROOT,
        env=environment(**{**told, **settings}),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield server
    finally:
        server.kill()
        server.communicate()


def test_it_serves_until_told_to_stop(tmp_path: Path) -> None:
    port = free_port()
    with serving(port, tmp_path, LOG_FORMAT="json") as server:
        health = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        assert health.status_code == 503  # without a token no call could be taken
        assert health.json()["model"]["token"] == "missing"
        assert "server" not in health.headers
        long = httpx.get(
            f"http://127.0.0.1:{port}/livez", headers={"a": "b" * 65_536}, trust_env=False
        )
        assert long.status_code == 431
        server.send_signal(signal.SIGTERM)
        _, logged = server.communicate(timeout=60)
    records = [json.loads(line) for line in logged.splitlines()]
    assert "drained" in [record["message"] for record in records]
    assert (tmp_path / "records.sqlite3").exists()


def test_told_a_second_time_it_waits_for_nobody(tmp_path: Path) -> None:
    """Whatever DRAIN_SECONDS is, and whichever signal it is that comes twice."""
    port = free_port()

    async def calls(server: subprocess.Popen[str]) -> None:
        origin = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=origin, trust_env=False, timeout=30) as page:
            config = (await page.get("/api/config")).json()
            placed = await page.post(
                "/api/calls", json={"agent": config["defaultAgent"]}, headers={"Origin": origin}
            )
            assert placed.status_code == 201
            server.send_signal(signal.SIGTERM)
            while (drain := (await page.get("/health")).json()["drain"]) is None:  # noqa: ASYNC110
                await anyio.sleep(0.05)
            assert drain["calls_left"] == 1
            assert 0 < drain["seconds_left"] <= 3_000
            assert (await page.get("/readyz")).status_code == 503
            again = await page.post(
                "/api/calls", json={"agent": config["defaultAgent"]}, headers={"Origin": origin}
            )
        assert (again.status_code, again.json()["code"]) == (503, "stopping")
        assert again.headers["retry-after"] == "1"
        server.send_signal(signal.SIGTERM)

    with serving(port, tmp_path, DRAIN_SECONDS="3000", TICKET_SECONDS="600") as server:
        anyio.run(calls, server)
        _, logged = server.communicate(timeout=60)
    assert "told to stop twice" in logged
    assert "drained" not in logged


def test_a_second_server_on_the_same_port_says_so(tmp_path: Path) -> None:
    port = free_port()
    with serving(port, tmp_path / "a"):
        settings = {"PORT": str(port), "DATA_DIR": str(tmp_path / "b")}
        second = switchboard("serve", AZURE_OPENAI_ENDPOINT=NEVER_ANSWERS, **settings)
    assert second.returncode == 2
    assert f"Cannot listen on HOST=127.0.0.1 PORT={port}" in second.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "AZURE_OPENAI_ENDPOINT is not set"),
        ({"PORT": "x"}, "PORT: "),
        ({"HOST": "0.0.0.0", "AZURE_OPENAI_ENDPOINT": NEVER_ANSWERS}, "HOST=0.0.0.0 would let"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_status_2(
    settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    refused = switchboard("serve", DATA_DIR=str(tmp_path), **settings)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith(f"switchboard: {said}")
    assert "Traceback" not in refused.stderr


def test_a_database_that_cannot_be_opened_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    refused = switchboard(
        "serve",
        DATA_DIR=str(tmp_path),
        PORT=str(free_port()),
        AZURE_OPENAI_ENDPOINT=NEVER_ANSWERS,
        DATABASE_URL=f"postgresql://talk:hidden@127.0.0.1:{free_port()}/talk",
    )
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("switchboard: The database at 127.0.0.1:")
    assert "cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hidden" not in refused.stderr


def test_the_schema_is_the_committed_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "session_config.schema.json").read_text("utf-8")


def test_tools_are_listed_and_run(tmp_path: Path) -> None:
    listed = switchboard("tools", DATA_DIR=str(tmp_path))
    assert listed.returncode == 0
    assert "get_bill" in listed.stdout
    ran = switchboard("tools", "call", "get_bill", "{}", DATA_DIR=str(tmp_path))
    assert ran.returncode == 0
    assert isinstance(json.loads(ran.stdout), dict)


def test_whoever_reads_only_the_beginning_is_told_no_more(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "switchboard", "openapi"],
        env=environment(DATA_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("words", "status"), [([], 2), (["sing"], 2), (["serve", "now"], 2), (["--help"], 0)]
)
def test_what_it_does_not_know_it_explains(
    words: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == status
    captured = capsys.readouterr()
    assert "usage: switchboard COMMAND" in captured.out + captured.err


async def test_a_token_shown_to_the_proxy_is_not_in_its_log(tmp_path: Path) -> None:
    async with voice_live() as live:
        port = free_port()
        hidden = {"secret": quote(jwt(), safe="").replace("eyJ", "%65yJ"), "ours": "token." + jwt()}
        with serving(
            port,
            tmp_path,
            VOICE_LIVE_PROXY="true",
            AZURE_VOICELIVE_ENDPOINT=live.endpoint,
            LOG_LEVEL="DEBUG",
        ) as server:
            for query, protocols in (
                (f"model=m&token={hidden['secret']}", []),
                (f"model=m&%74oken={hidden['secret']}", []),
                ("model=m", ["switchboard.proxy.v1", hidden["ours"]]),
            ):
                async with connect(
                    f"ws://127.0.0.1:{port}/ws?{query}",
                    origin=f"http://127.0.0.1:{port}",  # pyright: ignore[reportArgumentType]  (text will do)
                    subprotocols=protocols or None,  # pyright: ignore[reportArgumentType]
                    proxy=None,
                ) as client:
                    await client.send("hello")
                    assert await client.recv() == "hello"
            server.send_signal(signal.SIGTERM)
            _, logged = await to_thread.run_sync(lambda: server.communicate(timeout=60))
    assert logged.count("proxied connection ended") == 3
    for secret in hidden.values():
        assert secret.rpartition(".")[0] not in logged
        assert secret[20:60] not in logged
    assert "connections_cut_off=0" in logged
