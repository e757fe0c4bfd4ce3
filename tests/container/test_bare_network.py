"""`make run` with nothing but loopback: calls are answered, and nobody outside is asked.

`scripts/bare-network.sh` runs this in a network namespace of its own.
"""

import errno
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from tests.container.ship import Ship
from tests.ports import free_port

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PROGRAM = str(ROOT / ".venv/bin/switchboard-local")
READY_S = 400.0
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def lift_loopback() -> None:
    """A new namespace has it, but down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def ways_out() -> list[str]:
    """Interfaces that are up and lead elsewhere."""
    return [
        name
        for _, name in socket.if_nameindex()
        if name != "lo" and int(Path(f"/sys/class/net/{name}/flags").read_text(), 16) & IFF_UP
    ]


def tries_to_get_out() -> int:
    """How often anything in this network has looked for a way that there is not, by the kernel."""
    names, values = re.findall(r"^Ip: (.*)$", Path("/proc/net/snmp").read_text(), re.MULTILINE)
    four = int(dict(zip(names.split(), values.split(), strict=True))["OutNoRoutes"])
    six = re.search(r"^Ip6OutNoRoutes\s+(\d+)", Path("/proc/net/snmp6").read_text(), re.MULTILINE)
    return four + int(six[1] if six else 0)


@pytest.fixture
def ship(tmp_path: Path) -> Generator[Ship]:
    """What `make run` starts, alive and ready."""
    lift_loopback()
    assert ways_out() == []
    ports = {"PORT": str(free_port()), "LOCAL_CLOUD_PORT": str(free_port())}
    ship = Ship("make run", int(ports["PORT"]))
    log = tmp_path / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            ["make", "--silent", "run"],
            cwd=ROOT,
            env={**os.environ, **ports, "DATA_DIR": str(tmp_path / "data")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + READY_S
        while "Or ring" not in log.read_text():
            assert running.poll() is None and time.monotonic() < until, log.read_text()[-4_000:]
            time.sleep(0.2)
        os.environ["LOCAL_CLOUD_PORT"] = ports["LOCAL_CLOUD_PORT"]
        yield ship
    finally:
        os.killpg(running.pid, signal.SIGINT)  # as a terminal would
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


async def test_in_a_network_of_nothing_but_loopback_a_call_is_answered(ship: Ship) -> None:
    before = tries_to_get_out()

    assert ship.get("/readyz").json()["status"] == "ready"
    assert "<title>" in ship.get("/").text
    async with ship.calling("banking") as page:
        about = "1,204.50"
        assert about in await page.answer_to("What is the balance of my account?", about)
        await page.say("end")
    with anyio.fail_after(240):
        rung = await anyio.run_process(
            [PROGRAM, "call", "--say", "How much is my bill?"], check=False
        )
    assert rung.returncode == 0, rung.stdout + rung.stderr
    heard = re.search(r"heard ([0-9.]+) s of sound", rung.stdout.decode())
    assert heard is not None
    assert float(heard[1]) > 3, rung.stdout
    [called] = ship.get("/api/console/history?channel=phone").json()["calls"]
    assert called["lines"] >= 2

    assert tries_to_get_out() == before == 0, "something called home"


def test_the_kernel_counts_who_looks_for_a_way_out() -> None:
    """Else the count above would prove nothing."""
    lift_loopback()
    before = tries_to_get_out()
    with socket.socket() as caller:
        assert caller.connect_ex(("192.0.2.1", 443)) == errno.ENETUNREACH
    assert tries_to_get_out() > before
