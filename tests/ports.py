"""Ports for servers that must be told theirs before they listen."""

import os
import random
import socket
from typing import Final

LOWEST: Final = 12_000
EACH: Final = 2_000
"""Ports of one worker."""
WORKERS: Final = 8


def free_port() -> int:
    """One that nobody takes until its server does: below those that systems give to clients and to
    whoever asks for any, and another for each worker of the tests."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    first = LOWEST + worker * EACH
    for port in random.sample(range(first, first + EACH), EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
