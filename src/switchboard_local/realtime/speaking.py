"""From mind to mouth: thoughts become words and sound, faster than real time, stoppable."""

import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, cast

import anyio

from switchboard_local.engine.parts import Voice
from switchboard_local.mind.parts import Call, Mind, Request, Say
from switchboard_local.realtime.reply import (
    Piece,
    SentenceBegun,
    SentenceOver,
    Sound,
    ToolWanted,
    Words,
)
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS
from switchboard_local.realtime.words import CHARS_PER_S, word_ends

DELTA_MS: Final = 100
"""Audio in one `response.output_audio.delta`."""
STEP_TIMEOUT_S: Final = 30.0
"""For each next thought of the mind, and each next piece of the voice."""
LEAKED_DELTAS: Final = 2
"""What a cancelled reply still sends, as the real service does."""
_LEAD_MS: Final = 500
"""How far the transcript runs ahead of the sound."""
_DELTA_BYTES: Final = DELTA_MS * PCM_BYTES_PER_MS


class Stalled(Exception):
    """The mind or the voice gave nothing for too long."""


@dataclass(slots=True)
class Speaking:
    """Says one reply. `tell` takes each piece at once; `room` waits until more may be told."""

    mind: Mind
    voice: Voice
    tell: Callable[[Piece], None]
    room: Callable[[], Awaitable[None]]
    aloud: bool
    speed: float
    pace: float
    """Times faster than real time."""
    _hand: bytes = b""
    """Made, not yet sent."""
    _began_s: float | None = None
    _sent_ms: float = 0.0
    _first: bool = True

    async def say(self, request: Request) -> None:
        """Until the mind has said it all. Raises `Stalled`, or what the mind or voice raises."""
        async with aclosing(_patiently(self.mind.reply(request))) as thoughts:
            async for thought in thoughts:
                match thought:
                    case Say(text):
                        await self._say(" ".join(text.split()))
                    case Call(name, arguments):
                        self._first = True
                        self.tell(ToolWanted(name, arguments))
                await self.room()

    def leak(self) -> None:
        """Let go of what was already on its way when the reply was cancelled."""
        for _ in range(LEAKED_DELTAS):
            if self._hand:
                self._send(self._hand[:_DELTA_BYTES])

    async def _say(self, text: str) -> None:
        if not text:
            return
        shown = text if self._first else f" {text}"
        self._first = False
        self.tell(SentenceBegun(text))
        if self.aloud:
            await self._aloud(text, shown)
        else:
            for word in _words(shown):
                self.tell(Words(word))
        self.tell(SentenceOver())

    async def _aloud(self, text: str, transcript: str) -> None:
        words = deque(_words(transcript))
        said_ms, shown = 0.0, 0
        async with aclosing(_patiently(self.voice.speak(text, speed=self.speed))) as pieces:
            async for pcm in pieces:
                self._hand += pcm
                while len(self._hand) >= _DELTA_BYTES:
                    shown += self._show(words, (said_ms + _LEAD_MS) * CHARS_PER_S / 1000 - shown)
                    await self._paced()
                    self._send(self._hand[:_DELTA_BYTES])
                    said_ms += DELTA_MS
        self._show(words, math.inf)
        if self._hand:
            self._send(self._hand)

    def _show(self, words: deque[str], chars: float) -> int:
        """Tell the next `words`, about `chars` letters of them; how many there were."""
        told = 0
        while words and told <= chars:
            told += len(words[0])
            self.tell(Words(words.popleft()))
        return told

    def _send(self, pcm: bytes) -> None:
        self._hand = self._hand[len(pcm) :]
        self._sent_ms += len(pcm) / PCM_BYTES_PER_MS
        self.tell(Sound(pcm))

    async def _paced(self) -> None:
        await self.room()
        now_s = anyio.current_time()
        if self._began_s is None:
            self._began_s = now_s
        due_s = self._began_s + self._sent_ms / 1000 / self.pace
        await anyio.sleep(max(0.0, due_s - now_s))


def _words(text: str) -> list[str]:
    """`text` in pieces that join up to it again: each word with the space before it."""
    starts = [0, *word_ends(text)]
    return [text[a:b] for a, b in pairwise(starts) if a < b]


async def _patiently[T](source: AsyncIterator[T]) -> AsyncGenerator[T]:
    """`source`, each step within `STEP_TIMEOUT_S`, closed whatever happens."""
    async with aclosing(cast("AsyncGenerator[T]", source)):
        while True:
            try:
                with anyio.fail_after(STEP_TIMEOUT_S):
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Stalled from None
            yield piece
