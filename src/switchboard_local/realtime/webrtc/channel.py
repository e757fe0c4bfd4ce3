"""A caller's data channel, by aiortc."""

from collections import deque
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
        self._waiting: deque[str | None] = deque()
        self._flooded = self._over = False
        self._stirred = anyio.Event()
        self._room = anyio.Event()
        channel.bufferedAmountLowThreshold = MAX_UNSENT_BYTES // 2
        channel.on("message", self._take)
        channel.on("bufferedamountlow", self._make_room)
        channel.on("close", self._end)

    async def frames(self) -> AsyncGenerator[str | None]:
        while self._waiting or not self._over:
            if self._waiting:
                yield self._waiting.popleft()
                continue
            self._stirred = anyio.Event()
            await self._stirred.wait()
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
        if self._over:
            return
        if len(self._waiting) >= MAX_WAITING_FRAMES:
            self._flooded = True
            self._end()
            return
        self._waiting.append(message if isinstance(message, str) else None)
        self._stirred.set()

    def _make_room(self) -> None:
        self._room.set()

    def _end(self) -> None:
        self._over = True
        self._stirred.set()
        self._room.set()
