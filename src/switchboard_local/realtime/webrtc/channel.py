"""A caller's data channel, by aiortc."""

from collections.abc import AsyncGenerator
from typing import Final

import anyio
from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

from switchboard_local.realtime.webrtc.parts import Closed, Flooded, TooLarge

MAX_WAITING_FRAMES: Final = 256
"""Messages of the data channel not yet read."""
MAX_UNSENT_BYTES: Final = 256 * 1024
"""Of the data channel; above this we wait for the caller to read."""


class AiortcChannel:
    """A data channel with room for so much, each way."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        self._arrive, self._arrived = anyio.create_memory_object_stream[str | None](
            MAX_WAITING_FRAMES
        )
        self._flooded = False
        self._room = anyio.Event()
        channel.bufferedAmountLowThreshold = MAX_UNSENT_BYTES // 2
        channel.on("message", self._take)
        channel.on("bufferedamountlow", self._make_room)
        channel.on("close", self._end)

    async def frames(self) -> AsyncGenerator[str | None]:
        with self._arrived:
            async for frame in self._arrived:
                yield frame
        if self._flooded:
            raise Flooded

    async def send(self, text: str) -> None:
        while self._channel.bufferedAmount > MAX_UNSENT_BYTES:
            self._room = anyio.Event()
            await self._room.wait()
        try:
            self._channel.send(text)
        except InvalidStateError:
            raise Closed from None
        except ValueError:
            raise TooLarge from None

    def _take(self, message: str | bytes) -> None:
        try:
            self._arrive.send_nowait(message if isinstance(message, str) else None)
        except anyio.WouldBlock:
            self._flooded = True
            self._end()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # nobody reads any more

    def _make_room(self) -> None:
        self._room.set()

    def _end(self) -> None:
        self._arrive.close()
        self._room.set()
