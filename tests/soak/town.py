"""Both servers as their users start them, and what the kernel knows of them."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.town import ROOT, answering
from tests.ports import free_port

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
STOP_S = 60.0


@dataclass(frozen=True)
class Holdings:
    """What a process holds at one moment."""

    sockets: int
    files: int
    """All open descriptors, sockets included."""
    threads: int
    rss_mib: float
    cpu_s: float
    at_s: float
    """When, on any steady clock."""

    @property
    def open(self) -> tuple[int, int, int]:
        """What must be given back."""
        return self.sockets, self.files, self.threads


@dataclass
class Served:
    """A server that runs, and later how it ended."""

    name: str
    process: "subprocess.Popen[bytes]"
    address: str
    log: Path

    def holdings(self) -> Holdings:
        place = Path(f"/proc/{self.process.pid}")
        files = _descriptors(place)
        after_name = (place / "stat").read_text().rpartition(")")[2].split()
        return Holdings(
            sockets=sum(target.startswith("socket:") for target in files),
            files=len(files),
            threads=int(after_name[17]),
            rss_mib=int(after_name[21]) * _PAGE_BYTES / 2**20,
            cpu_s=(int(after_name[11]) + int(after_name[12])) / _TICKS_PER_S,
            at_s=time.monotonic(),
        )

    def descriptors(self) -> Counter[str]:
        """What is open, by name: files by their paths, connections by the port of their server."""
        place = Path(f"/proc/{self.process.pid}")
        connections = _connections(place)
        return Counter(
            connections.get(target, re.sub(r"[0-9]+", "", target))
            if target.startswith("socket:")
            else target
            for target in _descriptors(place)
        )

    def health(self) -> dict[str, object]:
        # A connection of its own each time: one kept open would count as held by the server.
        state: dict[str, object] = httpx.get(f"{self.address}/health", timeout=30).json()
        return state

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@contextmanager
def served(module: str, port: int, log: Path, environment: Mapping[str, str]) -> Generator[Served]:
    """`python -m module serve`, told to stop when the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        here = Served(module, process, f"http://127.0.0.1:{port}", log)
        try:
            answering(f"{here.address}/health", log)
            yield here
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


@contextmanager
def cloud(place: Path, header: str) -> Generator[tuple[Served, int]]:
    """The local cloud with fixed ears and a fixed voice, and its port."""
    port = free_port()
    environment = {
        "LOCAL_CLOUD_PORT": str(port),
        "IDENTITY_HEADER": header,
        "LOCAL_VOICE": "fixed",
        "LOCAL_EARS": "fixed",
        "LOCAL_MIND": "offline",
    }
    with served("switchboard_local", port, place / "cloud.log", environment) as here:
        yield here, port


@contextmanager
def product(place: Path, header: str, *, identity_port: int, model_port: int) -> Generator[Served]:
    """The product, its model at `model_port`, its identity at `identity_port`."""
    port = free_port()
    environment = {
        "PORT": str(port),
        "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{model_port}",
        "AFTER_CALLS": "false",  # what is left open is to be that of calls
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{identity_port}/msi/token",
        "IDENTITY_HEADER": header,
        "DATA_DIR": str(place / "data"),
    }
    with served("switchboard", port, place / "product.log", environment) as here:
        yield here


def _connections(place: Path) -> dict[str, str]:
    """The TCP sockets of this machine, by the names that `/proc` gives their descriptors."""
    found: dict[str, str] = {}
    for line in (place / "net/tcp").read_text().splitlines()[1:]:
        _, ours, theirs, state, *rest = line.split()
        here, there = (int(end.rpartition(":")[2], 16) for end in (ours, theirs))
        way = f"listens at {here}" if not there else f"{min(here, there)}"
        found[f"socket:[{rest[5]}]"] = f"tcp {way} {state}"
    return found


def _descriptors(place: Path) -> list[str]:
    targets: list[str] = []
    for link in (place / "fd").iterdir():
        try:
            targets.append(str(link.readlink()))
        except FileNotFoundError:
            continue  # closed while we looked
    return targets
