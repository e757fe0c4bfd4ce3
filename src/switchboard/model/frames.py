"""Whole messages to and from a service, with as little as it takes.

The library's own `send` masks with four fresh bytes from the kernel for each message, and passes
through a context manager, a protocol and a list; what it reads goes through a parser, a queue and a
task. At fifty messages a second and hundreds of sockets that was half of all time
(bench/README.md).
"""

from collections.abc import Callable
from typing import Final, override

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

from switchboard.framing import (
    awaits_a_message,
    lone_text,
    masked_frame,
    masked_text,
    masking_keys,
    whole_text,
)

_keys: Final = masking_keys()


class QuickConnection(ClientConnection):
    """The library's connection, which may hand over small texts as they come."""

    hand_over: Callable[[bytes], bool] | None = None
    """Is given whole texts, not decoded, that nothing came before and that need not wait. What it
    declines is read by `recv` as all else is, and so is all that follows until that was read."""
    _is_between = False

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_between and self.hand_over is not None:
            data = self._hand_over_texts(data, self.hand_over)
            if not data:
                return
        super().data_received(data)
        self._is_between = awaits_a_message(self.protocol)

    def _hand_over_texts(self, data: bytes, hand_over: Callable[[bytes], bool]) -> bytes:
        """Returns what is left for the parser."""
        if self.recv_messages.frames:
            return data
        if (lone := lone_text(data)) is not None:
            return b"" if hand_over(lone) else data
        at, end = 0, len(data)
        while at < end and (found := whole_text(data, at)) is not None:
            text, after = found
            if not hand_over(text):
                break
            at = after
        return data[at:]


async def send_whole(link: ClientConnection, message: str | bytes) -> None:
    """Send one message; waits while the other side is slow.

    For a socket without extensions, on which nobody sends fragments. What is sent to a closed one
    is lost. Raises `OSError` when the socket is lost meanwhile.
    """
    # Straight to the transport: the protocol keeps nothing back, so nothing can be overtaken.
    if link.protocol.state is State.OPEN:
        link.transport.write(masked_frame(message, next(_keys)))
        await link.drain()


async def send_whole_text(link: ClientConnection, text: bytes) -> None:
    """The same of a text that is encoded already."""
    if link.protocol.state is State.OPEN:
        link.transport.write(masked_text(text, next(_keys)))
        await link.drain()


def send_at_once(link: ClientConnection, message: str | bytes) -> bool:
    """As `send_whole`, if that takes no waiting; else `False`, and nothing is sent."""
    if link.paused or link.protocol.state is not State.OPEN:
        return False
    link.transport.write(masked_frame(message, next(_keys)))
    return True


def send_text_at_once(link: ClientConnection, text: bytes) -> bool:
    """The same of a text that is encoded already."""
    if link.paused or link.protocol.state is not State.OPEN:
        return False
    link.transport.write(masked_text(text, next(_keys)))
    return True
