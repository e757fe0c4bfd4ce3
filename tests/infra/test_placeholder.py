"""What the app runs until it has an image."""

import os
import subprocess
import sys
import time

import httpx

from switchboard.house import LIVE_PATH, READY_PATH
from tests.infra.scenarios import INFRA
from tests.ports import free_port

TEXT = (INFRA / "modules/placeholder.py").read_text(encoding="utf-8")


def answered(url: str) -> int:
    """The status, once there is one."""
    until = time.monotonic() + 20
    while True:
        try:
            return httpx.get(url, timeout=5, trust_env=False).status_code
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_where_there_is_no_server_the_probes_are_content_and_it_stops_when_told() -> None:
    port = free_port()
    plain = [sys.executable, "-I", "-S", "-c", TEXT]  # without what is installed for it
    with subprocess.Popen(
        plain, env={**os.environ, "PORT": str(port)}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert (
                answered(f"http://127.0.0.1:{port}{LIVE_PATH}") == 204
            )  # and not the server's 200
            assert answered(f"http://127.0.0.1:{port}{READY_PATH}") == 204
            process.terminate()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
