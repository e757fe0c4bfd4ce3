"""uvicorn's HTTP stack, with the limits it lacks: a request's head is short, and comes soon.

Of uvicorn's insides it leans on the names of the parser's callbacks, on `loop`, on `transport`, and
on `cycle.response_complete`, which tells whether a request is being answered.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 65_536
"""Of a request's line and headers together; and of its trailers."""
HEAD_S: Final = 10.0
"""For a head to be whole: after the connection was made, or after its first byte on an old one."""
PIECE_BYTES: Final = 16_384
"""What the parser is fed at once. The head of a request that begins amid a piece, behind the end of
another, may be as much longer."""
LAST_WORD_S: Final = 1.0
"""For a client to read why it was cut off: aborted with bytes unread, TCP resets the connection."""
TOO_LONG: Final = b"The head of this request is too long."
REFUSAL: Final = b"\r\n".join(
    [
        b"HTTP/1.1 431 Request Header Fields Too Large",
        b"content-type: text/plain; charset=utf-8",
        b"content-length: %d" % len(TOO_LONG),
        b"connection: close",
        b"",
        TOO_LONG,
    ]
)


class BoundedRequests(HttpToolsProtocol):
    """uvicorn's `http=` class: nobody fills the memory, or keeps a connection, with half a head."""

    head_s = HEAD_S
    _unframed_bytes = 0
    """Fed to the parser since it last came to the end of a head, a piece of a body, a request."""
    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (as uvicorn has it)
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_answering():
            if self._unframed_bytes == 0 and self._passed_on(data):
                return
            self._await_head()  # uvicorn forgets its own timer with the first byte of anything
        at = 0
        while at < len(data):
            piece = data[at : at + min(PIECE_BYTES, HEAD_BYTES - self._unframed_bytes)]
            at += len(piece)
            self._unframed_bytes += len(piece)
            super().data_received(piece)
            if self.transport.get_protocol() is not self:
                self.parser = None  # a WebSocket now; the parser holds us, and uvicorn keeps it
                return
            if self.transport.is_closing():
                return  # refused
            if self._unframed_bytes >= HEAD_BYTES:
                self._refuse()
                return

    def on_headers_complete(self) -> None:
        self._unframed_bytes = 0
        self._forget_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unframed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unframed_bytes = 0
        super().on_message_complete()

    def _passed_on(self, data: bytes) -> bool:
        """Whether somebody else has the connection now, for the request that begins with `data`."""
        del data
        return False

    def _is_answering(self) -> bool:
        # uvicorn has no cycle before the first request, though it is not typed so.
        cycle = self.cycle
        return bool(cycle) and not cycle.response_complete

    def _await_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(self.head_s, self.transport.abort)

    def _forget_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _refuse(self) -> None:
        if self._is_answering():  # its answer may have begun: nothing can be said in the middle
            self.transport.abort()
            return
        self.transport.pause_reading()
        self.transport.write(REFUSAL)
        self.loop.call_later(LAST_WORD_S, self.transport.abort)
