"""What every WebSocket to a service of ours has in common."""

import socket
from collections.abc import Callable, Mapping
from typing import Final, override

from websockets.asyncio.client import ClientConnection, connect

_SEND_BUFFER_BYTES: Final = 64 * 1024
"""What the kernel may hold for us: about a second of audio, or a stalled link would swallow a
minute of it before we noticed."""


type Show = Callable[[str], Mapping[str, str]]
"""The header in which a token or key is shown."""


def by_bearer(token: str) -> Mapping[str, str]:
    """As Entra tokens are shown."""
    return {"Authorization": f"Bearer {token}"}


def by_key(key: str) -> Mapping[str, str]:
    """As a resource's key is shown."""
    return {"api-key": key}


class Upgrade(connect):
    """A dial that goes where it was told: no redirect takes our token elsewhere."""

    @override
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def bound_kernel_buffer(link: ClientConnection) -> None:
    raw: socket.socket = link.transport.get_extra_info("socket")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
