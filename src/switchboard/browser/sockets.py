"""uvicorn's WebSocket stack, with the limits it lacks."""

from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from switchboard.browser.leg import ABORT

UNSENT_PONGS_BYTES: Final = 65_536
"""Beyond it, a client that pings without reading would fill our memory with pongs."""
LINGER_S: Final = 10.0
"""For the last bytes to leave once the application is done with a socket."""


class BoundedSockets(WebSocketsSansIOProtocol):
    """uvicorn's `ws=` class: an application can cut a connection, and nobody keeps one for ever."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][ABORT] = {"now": self.transport.abort}  # pyright: ignore[reportTypedDictNotRequiredAccess,reportOptionalSubscript]  (uvicorn always sets it)

    def handle_ping(self) -> None:
        super().handle_ping()
        if self.transport.get_write_buffer_size() > UNSENT_PONGS_BYTES:
            self.transport.abort()

    def handle_parser_exception(self) -> None:
        # Who talks before the handshake is answered has no connection to be told of a fault on;
        # uvicorn takes it for impossible, and would log a traceback for each.
        if self.conn.close_sent is None:
            self.transport.abort()
            return
        super().handle_parser_exception()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        # `transport.close()` waits for the peer to read what is left, for ever if need be.
        self.loop.call_later(LINGER_S, self.transport.abort)
