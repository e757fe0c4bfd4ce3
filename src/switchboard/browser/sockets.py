"""uvicorn's WebSocket stack, with the limits it lacks."""

import socket
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from switchboard.extensions import ABORT, AT_ONCE, SHORTCUT, WIDEN
from switchboard.framing import awaits_a_message, lone_message, plain_text, whole_message

UNSENT_PONGS_BYTES: Final = 65_536
"""Beyond it, a client that pings without reading would fill our memory with pongs."""
MAX_FRAGMENTS: Final = 4_096
"""Of one message. Empty ones cost memory and count towards no size."""
KERNEL_BUFFER_BYTES: Final = 128 * 1024
"""What the kernel may hold of a wide socket: or a slow reader's pings would wait behind megabytes,
and seem to be lost."""
AT_HAND: Final = 8
"""Small messages that may wait for the application before we stop reading: to stop and go on again
for each costs two system calls, which at fifty a second is a tenth of a proxied connection."""
SMALL_BYTES: Final = 16 * 1024
NOT_TEXT: Final = 1007
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
    _is_between = False
    """The parser has read all there was, and waits for the beginning of a message."""
    _hand_over: Callable[[str | bytes], bool] | None = None

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        if self._is_between:
            data = self._take_whole_messages(data)
            if not data:
                return
        super().data_received(data)
        self._is_between = awaits_a_message(self.conn)

    def _take_whole_messages(self, data: bytes) -> bytes:
        """Take what needs no parser; returns the rest. A quarter of a proxied message's cost."""
        at, end, most = 0, len(data), self.conn.max_message_size or 0
        if end <= most and not self.close_sent and (text := lone_message(data)) is not None:
            self._pass_on(True, text)
            return b""
        while at < end and self.conn.state is State.OPEN:
            found = whole_message(data, at, most)
            if found is None:
                break
            is_text, payload, at = found
            self._pass_on(is_text, payload)
        return data[at:]

    def _pass_on(self, is_text: bool, payload: bytes) -> None:
        """To the application: at once if it can be, else by the queue."""
        if self._hand_over is not None and self.queue.empty():
            try:
                if self._hand_over(payload.decode() if is_text else payload):
                    return
            except UnicodeDecodeError:
                pass  # `_refuse_text` knows what to say to that
        self.curr_msg_data_type = "text" if is_text else "bytes"
        self.frames = [payload]
        self.send_receive_event_to_app()

    def _send_at_once(self, text: bytes) -> bool:
        # Where a client has said goodbye, the transport is closing.
        if self.close_sent or self.transport.is_closing() or not self.writable.is_set():
            return False
        self.transport.write(plain_text(text))
        return True

    def _shorten(self, hand_over: Callable[[str | bytes], bool]) -> None:
        self._hand_over = hand_over

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
            extensions[SHORTCUT] = {"to": self._shorten}  # pyright: ignore[reportOptionalSubscript]
            extensions[AT_ONCE] = {"send": self._send_at_once}  # pyright: ignore[reportOptionalSubscript]

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

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_text(self.frames):
            self._refuse_text()
            return
        is_small = len(self.frames) == 1 and len(self.frames[0]) <= SMALL_BYTES
        if self.read_paused or not is_small or self.queue.qsize() >= AT_HAND:
            super().send_receive_event_to_app()
            return
        self.read_paused = True  # so it seems to uvicorn, which would stop for every message
        super().send_receive_event_to_app()
        self.read_paused = False

    def _refuse_text(self) -> None:
        # uvicorn would log a traceback for each; and raise, where a close frame stood behind it and
        # is answered already. `fail` says nothing then, and passes over what else comes.
        self.frames = []
        if not self.close_sent:
            self.conn.fail(NOT_TEXT)
            self.handle_parser_exception()

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
        self._hand_over = None  # or we and the application would hold each other
        extensions = self.scope["extensions"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        for name in (ABORT, WIDEN, SHORTCUT, AT_ONCE):
            extensions.pop(name, None)  # pyright: ignore[reportOptionalMemberAccess]
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


def _is_text(frames: list[bytes]) -> bool:
    data = frames[0] if len(frames) == 1 else b"".join(frames)
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
