"""The parent of several workers: opens their sockets, starts them, and stays out of their way.

One listening socket is shared by all, and kept open here: a worker that dies loses its own calls
and nobody else's, and who is just knocking is let in by another. With a socket for each
(SO_REUSEPORT) those whom the system had given to the dead one would wait for its successor, or be
cut off, and one who is busy gets as many as one who is not. Who gets a call is decided a step
later, by how many lines are free (`handing`): the system wakes whom it likes.

Not uvicorn's own supervisor: it gives all workers the same settings, starts dead ones again at once
and for ever, says in as many tracebacks why none can start, and a second signal does not reach them
while it waits for the first to be obeyed.
"""

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Generator, MutableSequence
from contextlib import ExitStack, contextmanager
from ctypes import c_int
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Final, cast

from switchboard.errors import ConfigurationError
from switchboard.records.claim import sole_user
from switchboard.settings import Settings
from switchboard.telemetry import configure_logging
from switchboard.workers.child import Place, work
from switchboard.workers.share import AWAY, Worker, link_door, listening, passage, share_of

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
AGAIN_S: Final = 1.0
"""Before a worker that died is started again; twice as long each time."""
SLOWEST_S: Final = 30.0
STEADY_S: Final = 60.0
"""One that has lived for so long is started again as if for the first time."""
LOOK_S: Final = 0.5

# As if each had been started by itself: nothing of the parent is in them but what they are given.
_spawned: Final = multiprocessing.get_context("spawn")

logger = logging.getLogger("switchboard.workers")


def serve_together(settings: Settings) -> int:
    """Serve with several processes until told to stop. Raises `ConfigurationError` before anything
    is answered."""
    configure_logging(settings.log_level, settings.log_format)
    settings.need_room_for_workers()
    with ExitStack() as open_:
        door = listening(settings.host, settings.port, f"HOST={settings.host} PORT={settings.port}")
        open_.enter_context(door)
        open_.enter_context(sole_user(settings.data_dir))
        places = _places(settings, door, open_)
        extra = {"host": settings.host, "port": settings.port, "workers": settings.workers}
        logger.info("listening", extra=extra)
        parent = Parent(places)
        status = parent.run()
    if parent.refusal is not None:
        raise ConfigurationError(parent.refusal)
    if parent.told == signal.SIGTERM:  # as one process ends by it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    return status


def _places(settings: Settings, door: socket.socket, open_: ExitStack) -> list[Place]:
    """What each worker is given. The sockets stay open here, for its successors."""
    count = settings.workers
    # Made here: the workers could not agree on who does it.
    free = cast("MutableSequence[int]", _spawned.RawArray(c_int, [AWAY] * count))
    pairs = [passage() for _ in range(count)]
    for end in (end for pair in pairs for end in pair):
        open_.enter_context(end)
    places: list[Place] = []
    for number, (own, _) in enumerate(pairs, 1):
        worker = Worker(number, count)
        link, url = link_door(settings, worker)
        open_.enter_context(link)
        share = share_of(settings, worker, url)
        others = [other for _, other in pairs]
        places.append(Place(share, worker, (door, link), own, others, free))
    return places


@dataclass(eq=False)
class Post:
    """A worker's place, and the process that has it at the moment."""

    place: Place
    process: SpawnProcess | None = None
    told: Connection | None = None
    """Where the process says that it serves, or why it cannot."""
    reason: str | None = None
    since: float = 0.0
    has_served: bool = False
    deaths: int = 0
    """One soon after the other."""
    due: float = 0.0
    """When it is started (again)."""


@dataclass
class Parent:
    """Starts the workers, and watches over them until all have gone."""

    places: list[Place]
    told: signal.Signals | None = None
    """The signal to stop, once there was one."""
    refusal: str | None = None
    """Why no worker can serve."""
    _gave_up: bool = False
    _posts: list[Post] = field(default_factory=list[Post])

    @property
    def _stopping(self) -> bool:
        return self.told is not None or self._gave_up

    def run(self) -> int:
        """Until all have gone; returns the exit status."""
        self._posts = [Post(place) for place in self.places]
        with self._listening():
            try:
                while True:
                    if not self._stopping:
                        self._start_due()
                    living = [post for post in self._posts if post.process is not None]
                    if not living and self._stopping:
                        return 1 if self._gave_up else 0
                    self._wait(living)
                    for post in living:
                        self._look_at(post)
            finally:
                self._tell_all()  # where we fail, they go, too

    @contextmanager
    def _listening(self) -> Generator[None]:
        """To signals, which are passed on to all workers: the second and the third one, too."""
        before = {each: signal.signal(each, self._pass_on) for each in SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self.told = self.told or signal.Signals(number)
        self._tell_all()

    def _tell_all(self) -> None:
        for post in self._posts:
            if post.process is not None and post.process.is_alive():
                post.process.terminate()

    def _start_due(self) -> None:
        # The first goes alone, until it serves: it brings the tables up to date, and makes what
        # they share; and what keeps it from starting would keep them all.
        first = self._posts[0]
        for post in self._posts if first.has_served else [first]:
            if post.process is None and time.monotonic() >= post.due:
                try:
                    self._start(post)
                except OSError as reason:  # no memory, no processes; there may be some again
                    post.reason = str(reason)
                    self._missed(post, None)

    def _start(self, post: Post) -> None:
        post.told, theirs = _spawned.Pipe(duplex=False)
        number = post.place.worker.number
        process = _spawned.Process(
            target=work, args=(post.place, theirs), name=f"switchboard worker {number}"
        )
        # Ctrl-C is for the whole group: before it has left ours, it would hear it twice.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            process.start()
            post.process, post.since, post.reason = process, time.monotonic(), None
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            theirs.close()
        logger.info("worker started", extra={"worker": number, "pid": process.pid})
        if self._stopping:  # told to while we were about to start it
            process.terminate()

    def _wait(self, living: list[Post]) -> None:
        """Until one of them says something or goes, or it is time to start one."""
        ends = [post.process.sentinel for post in living if post.process is not None]
        words = [post.told for post in living if post.told is not None]
        wait([*ends, *words], LOOK_S)

    def _look_at(self, post: Post) -> None:
        if post.told is not None and post.told.poll():
            try:
                post.reason = post.told.recv()
                if post.reason is None:
                    post.has_served = True
                    logger.info("worker serves", extra={"worker": post.place.worker.number})
            except EOFError:
                post.told.close()
                post.told = None
        if post.process is not None and not post.process.is_alive():
            self._gone(post, post.process)

    def _gone(self, post: Post, process: SpawnProcess) -> None:
        number, status = post.place.worker.number, process.exitcode
        process.close()
        post.process = None
        if post.told is not None:
            post.told.close()
            post.told = None
        post.place.free[number - 1] = AWAY
        if not self._stopping:
            self._missed(post, status)

    def _missed(self, post: Post, status: int | None) -> None:
        """It has nobody, and should."""
        number = post.place.worker.number
        if not post.has_served:
            self.refusal = post.reason
            self._give_up(number, status)
            return
        steady = time.monotonic() - post.since >= STEADY_S
        post.deaths = 1 if steady else post.deaths + 1
        after_s = min(AGAIN_S * 2 ** (post.deaths - 1), SLOWEST_S)
        post.due = time.monotonic() + after_s
        extra = {"worker": number, "status": status, "again_s": after_s}
        logger.error("worker died", extra=extra | ({"why": post.reason} if post.reason else {}))

    def _give_up(self, number: int, status: int | None) -> None:
        """One cannot even start: nobody would notice that it is missing, so all go."""
        if self.refusal is None:
            extra = {"worker": number, "status": status}
            logger.critical("worker could not be started", extra=extra)
        self._gave_up = True
        self._tell_all()
