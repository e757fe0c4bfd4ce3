"""Speech to text: Moonshine's smallest English model, in one worker thread."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import anyio.to_thread
import numpy as np

from switchboard_local.engine.detectors import SileroDetector, load_silero
from switchboard_local.engine.failures import EarsFailed, PartMissing
from switchboard_local.engine.models import MOONSHINE, SILERO, package_folder, verified
from switchboard_local.engine.moonshine import SAMPLE_RATE_HZ, Recogniser, library_name
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import (
    RATE_HZ,
    Samples,
    frame_levels,
    from_pcm,
    resampled,
)

_MOST_WAITING: Final = 32
_TIMEOUT_S: Final = 30.0
_SHORTEST_MS: Final = 120
_HEAD_MS: Final = 250
_TAIL_MS: Final = 450
"""Silence before and after: the model repeats itself when speech touches either end."""
_LONGEST_S: Final = 20
"""The model was trained on short stretches; a longer one is cut where it is quietest."""
_CUT_WINDOW_S: Final = 5
_FRAME: Final = SAMPLE_RATE_HZ // 50
_INAUDIBLE: Final = 0.0015
"""-56 dB below full scale in the loudest 20 ms: nobody spoke."""
_SPEECH: Final = 0.3
"""No window of a cough, of music or of hiss is this likely to be speech."""
_FLUSH: Final = bytes(RATE_HZ // 20 * 2)
_IMAGINED: Final = frozenset({"you", "you can", "you you", "you can you can", "the", "oh you"})
"""What this model hears in silence, noise and music."""
_REPEATED_SENTENCE: Final = re.compile(r"(\b\w[^.?!]{12,}[.?!])(?:\s*\1)+", re.IGNORECASE)


class MoonshineEars:
    """One model for everybody. Transcribing takes a fortieth of the speech's length."""

    info = PartInfo("ears", "Moonshine tiny")

    def __init__(self, recogniser: Recogniser, gate: SileroDetector | None = None) -> None:
        """`gate` says whether there is speech at all: the model finds words in any noise."""
        self._recogniser = recogniser
        self._gate = gate
        # One thread, for the model keeps its last answer inside itself. It uses every core as it
        # is, and goes on to the end when its caller has left: then the next may have it.
        self._thread = ThreadPoolExecutor(1, "ears")
        self._waiting = 0

    @classmethod
    async def load(cls) -> "MoonshineEars":
        """Raises `PartMissing` where Moonshine cannot be had."""
        return cls(*await anyio.to_thread.run_sync(_load))

    async def transcribe(self, pcm: bytes) -> str:
        """The words in 24 kHz speech; empty for noise or silence.

        Cancelling returns at once. Raises `EarsFailed` when too many wait, or it takes too long.
        """
        if self._waiting >= _MOST_WAITING:
            raise EarsFailed("too many wait to be heard")
        self._waiting += 1
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._understand, pcm
                )
        except TimeoutError as error:
            raise EarsFailed("transcription takes too long") from error
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Free the model once the thread is done with it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._recogniser.close)
        self._thread.shutdown(wait=False)

    def _understand(self, pcm: bytes) -> str:
        samples = resampled(from_pcm(pcm), RATE_HZ, SAMPLE_RATE_HZ)
        if len(samples) * 1000 < _SHORTEST_MS * SAMPLE_RATE_HZ:
            return ""
        if float(frame_levels(samples, _FRAME).max()) < _INAUDIBLE or not self._speech(pcm):
            return ""
        texts = [self._recogniser.transcribe(_padded(each)) for each in _stretches(samples)]
        return cleaned(" ".join(texts))

    def _speech(self, pcm: bytes) -> bool:
        if self._gate is None:
            return True
        self._gate.reset()
        # What the detector still holds back at the end is pushed out by silence.
        return max(self._gate.push(pcm + _FLUSH), default=0.0) >= _SPEECH


class Deaf:
    """No ears: callers write."""

    def __init__(self, reason: str = "") -> None:
        self.info = PartInfo("ears", "text only", fallback=True, reason=reason)

    async def transcribe(self, pcm: bytes) -> str:  # noqa: ARG002 - hears nothing
        """Nothing."""
        return ""

    async def close(self) -> None:
        """Nothing to free."""


def cleaned(text: str) -> str:
    """Without what the model imagines: words for noise, and sentences over and over."""
    text = _REPEATED_SENTENCE.sub(r"\1", " ".join(text.split()))
    bare = " ".join(re.findall(r"[a-z']+|\d+", text.lower()))
    return "" if bare in _IMAGINED else text


def _load() -> tuple[Recogniser, SileroDetector | None]:
    recogniser = Recogniser(package_folder(MOONSHINE.package) / library_name(), verified(MOONSHINE))
    try:  # the first time takes longer: memory is laid out then
        recogniser.transcribe(np.zeros(SAMPLE_RATE_HZ, dtype=np.float32))
    except EarsFailed as error:
        raise PartMissing(f"Moonshine does not transcribe: {error}") from error
    return recogniser, _gate()


def _gate() -> SileroDetector | None:
    try:
        verified(SILERO)
        return SileroDetector(load_silero())
    except PartMissing:
        return None


def _padded(samples: Samples) -> Samples:
    ends = (_HEAD_MS * SAMPLE_RATE_HZ // 1000, _TAIL_MS * SAMPLE_RATE_HZ // 1000)
    return np.pad(samples, ends)


def _stretches(samples: Samples) -> list[Samples]:
    """Long speech cut at its quietest moments."""
    found: list[Samples] = []
    longest = _LONGEST_S * SAMPLE_RATE_HZ
    while len(samples) > longest:
        earliest = longest - _CUT_WINDOW_S * SAMPLE_RATE_HZ
        levels = frame_levels(samples[earliest:longest], _FRAME)
        # Over 200 ms, so that a pause between sentences wins over one inside a word.
        calm = np.convolve(levels, np.ones(10, dtype=np.float32), "same")
        cut = earliest + int(np.argmin(calm)) * _FRAME
        found.append(samples[:cut])
        samples = samples[cut:]
    return [*found, samples]
