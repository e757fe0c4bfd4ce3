"""A worker: a server like any other, at sockets that it is given."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import Generator, MutableSequence, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Protocol

from switchboard.errors import ConfigurationError
from switchboard.settings import Settings
from switchboard.workers.share import Worker

REFUSED = 2
"""The exit status of one that is wrongly set up."""

logger = logging.getLogger("switchboard.workers")


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is given, and whoever comes after it."""

    settings: Settings
    worker: Worker
    doors: Sequence[socket.socket]
    """The one that all share, and its own, for other servers."""
    own: socket.socket
    """Where connections come that another worker accepted."""
    others: Sequence[socket.socket]
    """Where they go, by the number of the worker."""
    free: MutableSequence[int]
    """How many lines each has free; shared by all."""


class Stoppable(Protocol):
    """A server, as far as somebody may stop it."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None: ...


def work(place: Place, told: Connection) -> None:
    """The whole life of the process. `told` hears `None` once it serves, or why it cannot."""
    # The terminal's Ctrl-C is the parent's to pass on, or it would be heard twice.
    with suppress(PermissionError):
        os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        status = _served(place, told)
    except ConfigurationError as reason:
        told.send(str(reason))
        status = REFUSED
    raise SystemExit(status)


def _served(place: Place, told: Connection) -> int:
    # Here, and not in the parent, which imports this file and stays small.
    from switchboard.records.spool import gather
    from switchboard.serving import DrainingServer, made, run
    from switchboard.telemetry import configure_logging
    from switchboard.workers.handing import Handing, passing_on

    settings, worker = place.settings, place.worker
    configure_logging(settings.log_level, settings.log_format, worker=worker.number)
    if worker.number == 1:
        gather(settings.data_dir, worker.of)
    app = made(settings, worker)
    exchange = app.state.house.switchboard
    handing = Handing(worker, place.free, place.own, place.others, exchange.free, exchange.holds)

    @contextmanager
    def beside(server: DrainingServer) -> Generator[None]:
        with _bound_to_parent(server):
            handing.open(server.protocol)
            told.send(None)
            try:
                yield
            finally:
                handing.close()

    return run(app, list(place.doors), http=passing_on(handing), beside=beside)


@contextmanager
def _bound_to_parent(server: Stoppable) -> Generator[None]:
    """A parent that was killed cannot say so: its workers finish their calls and go, rather than
    keep the port from whoever is started next."""
    parent, loop = multiprocessing.parent_process(), asyncio.get_running_loop()
    if parent is None:
        yield
        return

    def orphaned() -> None:
        loop.remove_reader(parent.sentinel)
        logger.error("the parent is gone: this worker finishes its calls")
        server.handle_exit(signal.SIGTERM, None)

    loop.add_reader(parent.sentinel, orphaned)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)
