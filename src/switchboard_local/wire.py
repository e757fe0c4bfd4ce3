"""The WebSocket protocol of the server, with a way to cut a connection that ASGI lacks."""

from collections.abc import Callable
from typing import Final, cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_CUT: Final = "switchboard_local.cut"


class Cuttable(WebSocketsSansIOProtocol):
    """uvicorn's own; its applications may use `cut`."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # The application's task has been made, but has not begun: it will find this.
        if hasattr(self, "scope"):
            extensions = cast("dict[str, object]", self.scope.setdefault("extensions", {}))
            extensions[_CUT] = self.transport.abort


def cut(socket: WebSocket) -> None:
    """Break the connection: no close frame, and what was not sent yet is lost."""
    extensions = cast("dict[str, Callable[[], None]]", socket.scope.get("extensions", {}))
    extensions[_CUT]()
