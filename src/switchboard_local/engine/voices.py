"""From text to audio in pieces: made sayable, cut into clauses, spoken, remembered."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol

import anyio
import anyio.to_thread
import numpy as np

from switchboard_local.engine.clauses import clauses
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import (
    RATE_HZ,
    Samples,
    frame_levels,
    silence,
    to_pcm,
)
from switchboard_local.engine.speakable import speakable
from switchboard_local.engine.stretch import stretched

PIECE_BYTES: Final = RATE_HZ * 2 // 5
"""200 ms: what is yielded at once."""
_CACHE_BYTES: Final = 16 * 1024 * 1024
_FRAME: Final = RATE_HZ // 100
_SILENT: Final = 0.004
"""-48 dB below full scale: a frame quieter than this is the silence around a clause."""
_MARGIN_FRAMES: Final = 3
_PAUSE_MS: Final = {".": 280, "!": 280, "?": 320, ",": 120, ";": 180, ":": 180}
_OTHER_PAUSE_MS: Final = 40


class Speaker(Protocol):
    """Something that can say one line."""

    info: PartInfo

    async def say(self, line: str, *, urgency: int = 0) -> Samples: ...

    async def close(self) -> None: ...


class Phrases:
    """The phrases said lately, bounded in bytes; the one unused longest is forgotten first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._phrases: OrderedDict[str, Samples] = OrderedDict()

    def get(self, line: str) -> Samples | None:
        found = self._phrases.get(line)
        if found is not None:
            self._phrases.move_to_end(line)
        return found

    def put(self, line: str, samples: Samples) -> None:
        if samples.nbytes > self._limit_bytes // 4:
            return
        self._size_bytes += samples.nbytes - self._forget(line)
        self._phrases[line] = samples
        while self._size_bytes > self._limit_bytes:
            self._size_bytes -= self._forget(next(iter(self._phrases)))

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def _forget(self, line: str) -> int:
        gone = self._phrases.pop(line, None)
        return 0 if gone is None else gone.nbytes


class SpokenVoice:
    """A voice made of a speaker: the first clause is heard while the next is still being made."""

    def __init__(self, speaker: Speaker, *, cache_bytes: int = _CACHE_BYTES) -> None:
        self.info = speaker.info
        self._speaker = speaker
        self._phrases = Phrases(cache_bytes)
        self._making: dict[str, anyio.Event] = {}
        """The clauses being made; set once they are remembered."""

    async def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]:
        """24 kHz audio of `text` in pieces of 200 ms or less. Raises `VoiceFailed`."""
        for index, clause in enumerate(clauses(speakable(text))):
            # The first clause of a reply is what somebody waits for; the rest has audio to hide in.
            samples = await self._said(clause, urgency=min(index + 1, 4) if index else 0)
            if abs(speed - 1) >= 0.01:
                samples = await anyio.to_thread.run_sync(stretched, samples, speed)
            for piece in _pieces(to_pcm(samples)):
                yield piece

    async def prepare(self, text: str) -> None:
        """Makes the first clause of `text`, which is then remembered. Raises `VoiceFailed`."""
        clause = next(clauses(speakable(text)), None)
        if clause is not None:
            await self._said(clause, urgency=1)

    async def close(self) -> None:
        await self._speaker.close()

    async def _said(self, clause: str, urgency: int) -> Samples:
        while (making := self._making.get(clause)) is not None:
            await making.wait()
        known = self._phrases.get(clause)
        if known is not None:
            return known
        made = self._making[clause] = anyio.Event()
        try:
            samples = _framed(await self._speaker.say(clause, urgency=urgency), clause)
            self._phrases.put(clause, samples)
        finally:  # whoever waits for it makes it, where this one failed or was cancelled
            del self._making[clause]
            made.set()
        return samples


class Mute:
    """No voice: what is said is read."""

    def __init__(self, reason: str = "") -> None:
        self.info = PartInfo("voice", "text only", fallback=True, reason=reason)

    async def speak(
        self,
        text: str,  # noqa: ARG002 - says nothing
        *,
        speed: float = 1.0,  # noqa: ARG002 - says nothing
    ) -> AsyncIterator[bytes]:
        """Nothing."""
        for never in ():
            yield never

    async def prepare(self, text: str) -> None:
        """Always ready."""

    async def close(self) -> None:
        """Nothing to end."""


def _pieces(pcm: bytes) -> Iterator[bytes]:
    for at in range(0, len(pcm), PIECE_BYTES):
        yield pcm[at : at + PIECE_BYTES]


def _framed(samples: Samples, clause: str) -> Samples:
    """The speaker's own silence replaced by the pause that the clause's last sign asks for."""
    loud = np.flatnonzero(frame_levels(samples, _FRAME) > _SILENT)
    if not len(loud):
        return samples
    start = max(0, int(loud[0]) - _MARGIN_FRAMES) * _FRAME
    end = (int(loud[-1]) + 1 + _MARGIN_FRAMES) * _FRAME
    pause_ms = _PAUSE_MS.get(clause[-1:], _OTHER_PAUSE_MS)
    return np.concatenate((samples[start:end], silence(pause_ms)))
