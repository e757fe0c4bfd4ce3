"""The local cloud's command line: what it says, where it refuses, what it leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from switchboard.browser.protocol import SUBPROTOCOL, TICKET_PREFIX
from tests.ports import free_port

FIXED = {"LOCAL_VOICE": "fixed", "LOCAL_EARS": "fixed"}


def command(*words: str, **environment: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "switchboard_local", *words], {**os.environ, **environment}


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line, whole = command(*words, **environment)
    return subprocess.run(line, env=whole, capture_output=True, text=True, timeout=100, check=False)


@contextmanager
def started(*words: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    line, whole = command(*words, **environment)
    with subprocess.Popen(line, env=whole, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], what: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if what in line:
            return line
    raise AssertionError(f"never said {what!r}")


@contextmanager
def taken_port() -> Generator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


def test_serve_says_what_it_is_made_of_and_ends_when_told() -> None:
    with started("serve", LOCAL_CLOUD_PORT="0", **FIXED) as process:
        parts = read_until(process, "Switchboard local:")
        assert "ears: fixed texts" in parts
        assert "voice: fixed tone" in parts
        read_until(process, "/openai/v1/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.parametrize(("words", "variable"), [("serve", "LOCAL_CLOUD_PORT"), ("up", "PORT")])
def test_a_taken_port_is_named_with_a_way_out(words: str, variable: str) -> None:
    with taken_port() as port:
        refused = run(words, **FIXED, **{variable: port})
    assert refused.returncode == 2
    assert f"Port {port} is taken" in refused.stderr
    assert variable in refused.stderr


def test_a_wrong_setting_is_named() -> None:
    refused = run("serve", LOCAL_VOICE="loud")
    assert refused.returncode == 2
    assert "LOCAL_VOICE" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_up_brings_the_product_up_with_a_credential_and_takes_it_down(tmp_path: Path) -> None:
    port = str(free_port())
    environment = {"PORT": port, "LOCAL_CLOUD_PORT": "0", "DATA_DIR": str(tmp_path), **FIXED}
    with started("up", **environment) as process:
        page = read_until(process, "Talk to the agent:").split()[-1]
        assert page == f"http://127.0.0.1:{port}"
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{page}/health").is_success
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
        client.get(f"{page}/health")


def test_up_lets_a_caller_talk_to_a_model_on_voice_live(tmp_path: Path) -> None:
    environment = {"PORT": str(free_port()), "LOCAL_CLOUD_PORT": "0", "DATA_DIR": str(tmp_path)}
    wanted = {"agent": "telecom", "model": "voice-live", "voice": "ava"}
    with started("up", **environment, **FIXED) as process:
        page = read_until(process, "Talk to the agent:").split()[-1]
        placed = httpx.post(
            f"{page}/api/calls", json=wanted, headers={"Origin": page}, trust_env=False
        ).json()
        with connect(
            page.replace("http", "ws") + placed["socket"],
            origin=Origin(page),
            subprotocols=[Subprotocol(SUBPROTOCOL), Subprotocol(TICKET_PREFIX + placed["ticket"])],
            proxy=None,
        ) as caller:
            heard = [json.loads(caller.recv(20))]
            while heard[-1]["type"] != "audio":
                heard.append(json.loads(caller.recv(20)))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "ended" not in {message["type"] for message in heard}


def test_up_is_rung_from_a_terminal(tmp_path: Path) -> None:
    cloud, heard = str(free_port()), tmp_path / "heard.wav"
    environment = {"PORT": str(free_port()), "LOCAL_CLOUD_PORT": cloud, "DATA_DIR": str(tmp_path)}
    with started("up", **environment, **FIXED) as process:
        assert "+15550100" in read_until(process, "Or ring")
        rung = run("call", "--out", str(heard), LOCAL_CLOUD_PORT=cloud)
        assert rung.returncode == 0, rung.stdout + rung.stderr
        wrong = run("call", "--number", "+15550199", LOCAL_CLOUD_PORT=cloud)
        assert (wrong.returncode, "unanswered" in wrong.stdout) == (1, True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "answered" in rung.stdout
    assert " dB " in rung.stdout
    with wave.open(str(heard)) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 1)
        assert file.getnframes() > 24_000


def test_call_says_where_there_is_nobody_to_ring() -> None:
    refused = run("call", LOCAL_CLOUD_PORT=str(free_port()))
    assert refused.returncode == 2
    assert "make run" in refused.stderr
