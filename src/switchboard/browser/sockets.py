"""uvicorn's WebSocket stack, with the limits it lacks."""

import socket
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from switchboard.browser.leg import ABORT

WIDEN: Final = "switchboard.widen"
"""An ASGI extension of ours: before a socket is accepted, the application may let it carry larger
messages than `ws_max_size`."""
UNSENT_PONGS_BYTES: Final = 65_536
"""Beyond it, a client that pings without reading would fill our memory with pongs."""
MAX_FRAGMENTS: Final = 4_096
"""Of one message. Empty ones cost memory and count towards no size."""
KERNEL_BUFFER_BYTES: Final = 128 * 1024
"""What the kernel may hold of a wide socket: or a slow reader's pings would wait behind megabytes,
and seem to be lost."""
TOO_BIG: Final = 1009
LAST_WORD_S: Final = 3.0
"""For a client that is still sending to read why it was cut off."""
QUIET_S: Final = 0.3
"""Without a byte from it: it has stopped sending."""
LINGER_S: Final = 10.0
"""For the last bytes to leave once the application is done with a socket."""


class BoundedSockets(WebSocketsSansIOProtocol):
    """uvicorn's `ws=` class: an application can cut a connection, and nobody keeps one for ever."""

    _hang_up_by = 0.0
    _heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)

    def keepalive_timeout(self) -> None:
        # Its pong may stand behind a large message of its own, or where we do not read just now.
        if self.read_paused or self._heard_at > self.ping_sent_at:
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
            return
        super().keepalive_timeout()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions = self.scope["extensions"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  (uvicorn always sets it)
            extensions[ABORT] = {"now": self.transport.abort}  # pyright: ignore[reportOptionalSubscript]
            extensions[WIDEN] = {"to": self._widen}  # pyright: ignore[reportOptionalSubscript]

    def handle_ping(self) -> None:
        super().handle_ping()
        if self.transport.get_write_buffer_size() > UNSENT_PONGS_BYTES:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self.frames = []
            self.conn.fail(TOO_BIG, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def handle_parser_exception(self) -> None:
        # Who talks before the handshake is answered has no connection to be told of a fault on;
        # uvicorn takes it for impossible, and would log a traceback for each.
        if self.conn.close_sent is None:
            self.transport.abort()
            return
        if self.close_sent:
            self._hang_up_soon()  # more of what is being passed over
            return
        said = self.conn.close_sent
        gone = {"type": "websocket.disconnect", "code": said.code, "reason": said.reason}
        self.queue.put_nowait(gone)  # pyright: ignore[reportArgumentType]  (as uvicorn has it)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.read_paused = False
        self.transport.resume_reading()
        self._hang_up_by = self.loop.time() + LAST_WORD_S
        self._hang_up_soon()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        # `transport.close()` waits for the peer to read what is left, for ever if need be.
        self.loop.call_later(LINGER_S, self.transport.abort)

    def _hang_up_soon(self) -> None:
        """Once the client has stopped sending: closed with bytes unread, TCP would reset the
        connection, and our last word be lost."""
        if self.close_timer is not None:
            self.close_timer.cancel()
        at = min(self.loop.time() + QUIET_S, self._hang_up_by)
        self.close_timer = self.loop.call_at(at, self.transport.close)

    def _widen(self, max_bytes: int) -> None:
        self.conn.max_message_size = max_bytes
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
