"""Whole messages on the way to a service, made and written with as little as it takes.

The library's own `send` masks with four fresh bytes from the kernel for each message, and passes
through a context manager, a protocol and a list. At fifty messages a second and hundreds of sockets
that was half of the proxy's time (bench/README.md).
"""

import secrets
import struct
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.speedups import apply_mask

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_KEY_BYTES: Final = 4
_DRAWN_BYTES: Final = 4_096


class Masks:
    """Masking keys that nobody can foresee (RFC 6455, 5.3), drawn a thousand at a time."""

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0

    def next(self) -> bytes:
        """Four bytes, each used once."""
        if self._at == len(self._drawn):
            self._drawn, self._at = secrets.token_bytes(_DRAWN_BYTES), 0
        self._at += _KEY_BYTES
        return self._drawn[self._at - _KEY_BYTES : self._at]


def masked_frame(message: str | bytes, key: bytes) -> bytes:
    """One whole message as a client puts it on the wire (RFC 6455, 5.2)."""
    if isinstance(message, str):
        opcode, payload = Opcode.TEXT, message.encode()
    else:
        opcode, payload = Opcode.BINARY, message
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FINAL | opcode, _MASKED | size)
    elif size < 65_536:
        head = struct.pack("!BBH", _FINAL | opcode, _MASKED | 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL | opcode, _MASKED | 127, size)
    return b"".join((head, key, apply_mask(payload, key)))


_masks: Final = Masks()


async def send_whole(link: ClientConnection, message: str | bytes) -> None:
    """Send one message; waits while the other side is slow.

    For a socket without extensions, on which nobody sends fragments. What is sent to a closed one
    is lost. Raises `OSError` when the socket is lost meanwhile.
    """
    # Straight to the transport: the protocol keeps nothing back, so nothing can be overtaken.
    if link.protocol.state is State.OPEN:
        link.transport.write(masked_frame(message, _masks.next()))
        await link.drain()


def send_at_once(link: ClientConnection, message: str | bytes) -> bool:
    """As `send_whole`, if that takes no waiting; else `False`, and nothing is sent."""
    if link.paused or link.protocol.state is not State.OPEN:
        return False
    link.transport.write(masked_frame(message, _masks.next()))
    return True
