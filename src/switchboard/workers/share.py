"""Which of several workers a process is, and what is its share of what the machine is set to."""

import socket
import sys
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from zlib import crc32

from switchboard.errors import ConfigurationError
from switchboard.naming import new_call_id
from switchboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the processes that serve a port together: number 1 to `of`."""

    number: int
    of: int

    @property
    def shown(self) -> int | None:
        """Its number, for whoever reads; nothing where it is the only one."""
        return self.number if self.of > 1 else None

    def new_call_id(self) -> str:
        """An id that each worker sees to be this one's (`home_of`)."""
        while home_of(call_id := new_call_id(), self.of) != self.number:
            pass
        return call_id


AWAY: Final = -1
"""In place of how many lines a worker has free: it has not started, or is gone."""
ALONE: Final = Worker(1, 1)


def home_of(call_id: str, workers: int) -> int:
    """The number of the worker whose the call is, if it is one of this machine's."""
    return crc32(call_id.encode()) % workers + 1


def share_of(settings: Settings, worker: Worker, url: str) -> Settings:
    """This worker's: of what is counted for the machine, its part; and its own address, at which
    other servers reach it."""
    lines = _part(settings.max_calls, worker)
    kept = settings.lines_for_people
    return settings.model_copy(
        update={
            "max_calls": lines,
            # Fewer than all of them, as for the machine.
            "lines_for_people": None if kept is None else min(_part(kept, worker), lines - 1),
            "proxy_max_connections": _part(settings.proxy_max_connections, worker),
            "replica_url": url,
        }
    )


def link_door(settings: Settings, worker: Worker) -> tuple[socket.socket, str]:
    """Where other servers reach this worker and no other: its listening socket, and the address.

    At `REPLICA_URL`'s address, its port and the worker's number; without one, on loopback, where
    the other workers are. Raises `ConfigurationError`.
    """
    url = settings.own_replica_url()
    parts = urlsplit(url or "http://127.0.0.1")
    host = parts.hostname or ""
    port = 0 if url is None else (parts.port or 80) + worker.number
    door = listening(host, port, f"worker {worker.number} at REPLICA_URL, port {port}")
    named = f"[{host}]" if ":" in host else host
    return door, f"http://{named}:{door.getsockname()[1]}"


def passage() -> tuple[socket.socket, socket.socket]:
    """A worker's end, and the other ones', of a way for open connections: each with one message."""
    # Of datagrams Linux lets ten wait, which is fewer than may come in a burst.
    kind = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
    return socket.socketpair(socket.AF_UNIX, kind)


def listening(host: str, port: int, what: str) -> socket.socket:
    """A socket bound there, that listens once it is served. Raises `ConfigurationError` when the
    address is not to be had."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as reason:
        door.close()
        raise ConfigurationError(f"Cannot listen on {what}: {reason.strerror}.") from reason
    return door


def _part(whole: int, worker: Worker) -> int:
    """The first ones have one more where it does not come out even."""
    each, rest = divmod(whole, worker.of)
    return each + (worker.number <= rest)
