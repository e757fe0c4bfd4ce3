"""A caller's leg that types: no audio, no clock, in this process."""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

import anyio

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, LegCapabilities, ReplyAudio
from switchboard.evals.attention import Attention

TEXT_ONLY: Final[dict[str, Any]] = {"output_modalities": ["text"]}
"""What the session is told, so that the model writes and does not speak."""


class TextLeg:
    """The leg of one simulated caller; `say` and its like are the caller's hands."""

    capabilities = LegCapabilities(paced=True, recordable=False, audible=False)

    def __init__(self, attention: Attention) -> None:
        self._attention = attention
        self._events: deque[e.CallerEvent | CallerAudio] = deque()
        self._more = anyio.Event()
        self._number = 0
        self._closed = False

    # -- the caller's hands -----------------------------------------------------------------

    async def say(self, text: str) -> None:
        self._number += 1
        self._put(e.CallerTyped(f"eval-{self._number}", text))

    async def press(self, keys: str) -> None:
        for key in keys:
            self._put(e.CallerPressed(key))

    async def hang_up(self) -> None:
        self._put(e.CallerLeft("caller_left"))

    async def reached(self, position: int) -> None:
        """Until `position` characters of the agent's answer are there."""
        await self._attention.agent_speaks(position)

    # -- the exchange's half ----------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[e.CallerEvent | CallerAudio]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._more = anyio.Event()
            await self._more.wait()

    def play(self, reply: ReplyAudio) -> None:
        """There is no ear."""

    def command(self, command: c.CallerCommand) -> None:
        """There is nothing to silence."""

    def show(self, note: c.Note) -> None:
        self._attention.note(note)

    async def close(self, reason: str) -> None:
        del reason
        self._closed = True
        self._attention.end()
        self._more.set()

    def _put(self, event: e.CallerEvent) -> None:
        self._events.append(event)
        self._more.set()
