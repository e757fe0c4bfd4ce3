"""Speech parts replaced by fixed audio: deterministic and nearly free, for load tests."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import numpy as np

from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import RATE_HZ, to_pcm
from switchboard_local.engine.voices import PIECE_BYTES

_MS_PER_CHARACTER: Final = 60
_SHORTEST_MS: Final = 300
_LONGEST_MS: Final = 20_000
_TONE_HZ: Final = 200
_TONE_LEVEL: Final = 0.2


class FixedVoice:
    """A tone instead of speech, 60 ms for every character (at least 300 ms, at most 20 s).

    `hertz`: a multiple of 5."""

    info = PartInfo("voice", "fixed tone")

    def __init__(self, hertz: int = _TONE_HZ) -> None:
        # A whole number of periods, so that pieces join without a click.
        times = np.arange(PIECE_BYTES // 2, dtype=np.float32) / RATE_HZ
        tone = _TONE_LEVEL * np.sin(2 * math.pi * hertz * times)
        self._piece = to_pcm(tone.astype(np.float32))

    async def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]:
        """The tone, for as long as `text` would take."""
        left = self.size_bytes(text, speed=speed)
        while left > 0:
            yield self._piece[:left]
            left -= len(self._piece)

    async def prepare(self, text: str) -> None:
        """Always ready."""

    @staticmethod
    def size_bytes(text: str, *, speed: float = 1.0) -> int:
        """How much audio `text` makes."""
        ms = min(_LONGEST_MS, max(_SHORTEST_MS, _MS_PER_CHARACTER * len(text))) / speed
        return int(ms * RATE_HZ / 1000) * 2

    async def close(self) -> None:
        """Nothing to end."""


class FixedEars:
    """Texts from a table: by how long the speech is, else one after the other, round and round."""

    info = PartInfo("ears", "fixed texts")

    def __init__(
        self,
        texts: Sequence[str] = ("What can you do?",),
        *,
        by_duration_ms: Mapping[int, str] | None = None,
        tolerance_ms: int = 400,
    ) -> None:
        """`by_duration_ms`: the text whose duration is nearest and within `tolerance_ms`."""
        self._texts = tuple(texts)
        self._by_duration_ms = dict(by_duration_ms or {})
        self._tolerance_ms = tolerance_ms
        self._calls = 0

    async def transcribe(self, pcm: bytes) -> str:
        """The table's text for this call."""
        ms = len(pcm) // 2 * 1000 // RATE_HZ
        nearest = min(self._by_duration_ms, key=lambda known: abs(known - ms), default=None)
        if nearest is not None and abs(nearest - ms) <= self._tolerance_ms:
            return self._by_duration_ms[nearest]
        text = self._texts[self._calls % len(self._texts)] if self._texts else ""
        self._calls += 1
        return text

    async def close(self) -> None:
        """Nothing to free."""
