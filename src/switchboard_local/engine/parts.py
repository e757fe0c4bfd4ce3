"""The parts of the embedded engine, each behind a small interface.

Audio is signed 16-bit little-endian mono at 24 kHz unless a name says otherwise. Every part is
shared by all conversations of the process, but for `Detector`, which is one conversation's own.
No method blocks the event loop.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PartInfo:
    """What start-up says of a part, in one line."""

    kind: str
    """ "voice activity", "ears", "voice", "mind" """
    name: str
    """ "Silero", "Moonshine tiny", "Piper joe", "espeak-ng", "text only" """
    fallback: bool = False
    reason: str = ""
    """Why the better part is not in use, when `fallback`."""


class Detector(Protocol):
    """Voice activity of one conversation's audio."""

    window_ms: float
    """Every how many milliseconds of audio there is a probability."""

    def push(self, pcm: bytes) -> list[float]:
        """Speech probabilities (0 to 1) of the windows that `pcm` completes. Takes microseconds."""
        ...

    def reset(self) -> None: ...


class Detectors(Protocol):
    """Makes detectors."""

    info: PartInfo

    def open(self) -> Detector: ...


class Ears(Protocol):
    """Speech to text."""

    info: PartInfo

    async def transcribe(self, pcm: bytes) -> str:
        """The words in one stretch of speech; empty for noise or silence."""
        ...


class Voice(Protocol):
    """Text to speech."""

    info: PartInfo

    def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]:
        """24 kHz audio of `text`, in pieces as they are made. Closing the iterator stops it."""
        ...

    async def prepare(self, text: str) -> None:
        """Make ready to begin `text` at once, should it be spoken. Cancelling is safe."""
        ...
