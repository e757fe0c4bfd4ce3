"""Connections that are another worker's: passed on to it as they are, with what was read of them.

All workers accept at one socket, and the system wakes whom it likes: of sixty connections that come
in a burst one worker may get fifty-nine. So each looks at the first line of a request. A new call
is for whoever has the most lines free. All that is about a call is for the worker that has it,
which its id says (`share.home_of`): its page, which comes back, its event stream, the carrier's
callbacks and media. The open socket itself goes over, not what is said on it, so that nothing of
a call passes through two processes.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Callable, MutableSequence, Sequence
from typing import ClassVar, Final

from switchboard.browser.requests import BoundedRequests
from switchboard.workers.share import AWAY, Worker, home_of

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.02
"""Between two looks at how many lines of one's own are free."""
MOST_BYTES: Final = 65_536
"""Of what was read; with more, which none of ours sends at once, it stays where it is."""
_OF_A_CALL: Final = re.compile(
    rb"[A-Z]+ /api/(?:calls|session|phone/events|phone/media)/([A-Za-z0-9_-]{1,64})[/? ]"
)
_NEW: Final = re.compile(rb"POST /api/(?:calls|session|phone/incoming|phone/calls)[? ]|GET /ws[? ]")


class Handing:
    """A worker's side of it. `free` is shared by all: the free lines of each."""

    def __init__(
        self,
        worker: Worker,
        free: MutableSequence[int],
        own: socket.socket,
        others: Sequence[socket.socket],
        free_now: Callable[[], int],
        holds: Callable[[str], bool],
    ) -> None:
        """`own` is where connections come for this worker; `others`, by number, where they go.
        `holds`: a call is here, whatever its id says, as one that was taken over."""
        self._worker = worker
        self._free = free
        self._own = own
        self._others = others
        self._free_now = free_now
        self._holds = holds
        self._looking: asyncio.TimerHandle | None = None
        self._arriving = set[asyncio.Task[object]]()

    def open(self, serve: Callable[[], BoundedRequests]) -> None:
        """Take connections, and say that this worker may have some. `serve` makes what serves
        one."""
        loop = asyncio.get_running_loop()
        self._own.setblocking(False)
        loop.add_reader(self._own, self._take, loop, serve)
        self._look(loop)

    def close(self) -> None:
        """Take no more; what comes now waits for whoever is next."""
        self._free[self._worker.number - 1] = AWAY
        asyncio.get_running_loop().remove_reader(self._own)
        if self._looking is not None:
            self._looking.cancel()

    def pass_on(self, transport: asyncio.Transport, data: bytes) -> bool:
        """Give a connection to the worker it is for, if that is another; nothing of it is left here
        then. Of a request's line that comes in pieces nobody can tell: it stays."""
        number = self._whom_for(data)
        if number == self._worker.number or len(data) > MOST_BYTES:
            return False
        if transport.get_write_buffer_size():
            return False  # the end of an answer would be lost
        raw: socket.socket = transport.get_extra_info("socket")
        try:
            sent = self._others[number - 1]
            socket.send_fds(sent, [data], [raw.fileno()], socket.MSG_DONTWAIT)
        except OSError as reason:  # it is stuck: we are a server as good as any
            logger.warning("connection not passed on", extra={"to": number, "why": str(reason)})
            return False
        transport.pause_reading()
        transport.abort()  # this process's handle: the connection lives on with the other
        return True

    def _whom_for(self, data: bytes) -> int:
        if (about := _OF_A_CALL.match(data)) is not None:
            call_id = about[1].decode()
            home = home_of(call_id, self._worker.of)
            stays = self._free[home - 1] == AWAY or self._holds(call_id)
            return self._worker.number if stays else home
        if _NEW.match(data) is None:
            return self._worker.number
        own = self._worker.number - 1
        self._free[own] = self._free_now()
        best = max(range(self._worker.of), key=lambda each: (self._free[each], each == own))
        # Until it looks by itself: or a burst would all go there.
        self._free[best] = max(self._free[best] - 1, 0)
        return best + 1

    def _take(self, loop: asyncio.AbstractEventLoop, serve: Callable[[], BoundedRequests]) -> None:
        while True:
            try:
                data, handles, _, _ = socket.recv_fds(self._own, MOST_BYTES, 1)
            except BlockingIOError:
                return
            for handle in handles:
                opening = loop.create_task(_opened(loop, serve, socket.socket(fileno=handle), data))
                self._arriving.add(opening)
                opening.add_done_callback(self._arriving.discard)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._free[self._worker.number - 1] = self._free_now()
        self._looking = loop.call_later(LOOK_S, self._look, loop)


class PassedOn(BoundedRequests):
    """Of a worker: it may be served elsewhere, or have come from there."""

    handing: ClassVar[Handing]
    early = b""
    """What was read of it elsewhere."""
    _is_settled = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (as uvicorn has it)
        super().connection_made(transport)
        if self.early:
            self._is_settled = True  # it is here because somebody thought so
            self.data_received(self.early)
            self._is_settled, self.early = False, b""

    def _passed_on(self, data: bytes) -> bool:
        return not self._is_settled and self.handing.pass_on(self.transport, data)


def passing_on(handing: Handing) -> type[BoundedRequests]:
    """uvicorn's `http=` class for a worker."""
    return type("PassedOn", (PassedOn,), {"handing": handing})


async def _opened(
    loop: asyncio.AbstractEventLoop,
    serve: Callable[[], BoundedRequests],
    came: socket.socket,
    data: bytes,
) -> None:
    def early() -> BoundedRequests:
        served = serve()
        if isinstance(served, PassedOn):
            served.early = data
        return served

    came.setblocking(False)
    try:
        await loop.connect_accepted_socket(early, came)
    except OSError:  # it has gone meanwhile
        came.close()
