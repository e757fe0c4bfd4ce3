"""What our server offers an application beyond ASGI, for sockets that carry speech.

Each is an entry of `scope["extensions"]`. Under another server they are missing, and everything
goes the way of ASGI: two tasks and a queue further, and the same bytes.
"""

from collections.abc import Callable
from typing import Final

from starlette.types import Scope

ABORT: Final = "switchboard.abort"
"""The application may cut the connection, whatever is still on its way."""
WIDEN: Final = "switchboard.widen"
"""Before a socket is accepted, the application may let it carry larger messages than
`ws_max_size`."""
SHORTCUT: Final = "switchboard.shortcut"
"""The application may be handed small messages as they come, where it has none before them and need
not wait. What it declines waits in the queue as all others do."""
AT_ONCE: Final = "switchboard.at_once"
"""Sends a text that is encoded already, if that takes no waiting, and says whether it did. Between
two messages that are sent as ever, the order is the application's business."""


def shortcut(scope: Scope, to: Callable[[str | bytes], bool]) -> None:
    """Have small messages handed to `to`, where the server can."""
    way = scope.get("extensions", {}).get(SHORTCUT)
    if way is not None:
        way["to"](to)


def at_once(scope: Scope) -> Callable[[bytes], bool]:
    """What sends a text at once, or says that it cannot."""
    way = scope.get("extensions", {}).get(AT_ONCE)
    return _cannot if way is None else way["send"]


def _cannot(text: bytes) -> bool:
    del text
    return False
