"""Speech to text: Moonshine's smallest English model, in one worker thread."""

import re
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
import numpy as np

from switchboard_local.engine.failures import EarsFailed, PartMissing
from switchboard_local.engine.models import MOONSHINE, package_folder, verified
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
_IMAGINED: Final = frozenset({"you", "you can", "you you", "you can you can", "the", "oh you"})
"""What this model hears in silence, noise and music."""
_REPEATED_SENTENCE: Final = re.compile(r"(\b\w[^.?!]{12,}[.?!])(?:\s*\1)+", re.IGNORECASE)


class MoonshineEars:
    """One model for everybody. Transcribing takes a fortieth of the speech's length."""

    info = PartInfo("ears", "Moonshine tiny")

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        # The model keeps its last answer inside, so one at a time; it uses every core as it is.
        self._one_at_a_time = anyio.CapacityLimiter(1)

    @classmethod
    async def load(cls) -> "MoonshineEars":
        """Raises `PartMissing` where Moonshine cannot be had."""
        return cls(await anyio.to_thread.run_sync(_load))

    async def transcribe(self, pcm: bytes) -> str:
        """The words in 24 kHz speech; empty for noise or silence.

        Cancelling returns at once. Raises `EarsFailed` when too many wait, or it takes too long.
        """
        if self._one_at_a_time.statistics().tasks_waiting >= _MOST_WAITING:
            raise EarsFailed("too many wait to be heard")
        try:
            with anyio.fail_after(_TIMEOUT_S):
                return await anyio.to_thread.run_sync(
                    partial(_understand, self._recogniser, pcm),
                    abandon_on_cancel=True,
                    limiter=self._one_at_a_time,
                )
        except TimeoutError as error:
            raise EarsFailed("transcription takes too long") from error

    async def close(self) -> None:
        """Free the model once nobody uses it."""
        async with self._one_at_a_time:
            self._recogniser.close()


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


def _load() -> Recogniser:
    recogniser = Recogniser(package_folder(MOONSHINE.package) / library_name(), verified(MOONSHINE))
    try:  # the first time takes longer: memory is laid out then
        recogniser.transcribe(np.zeros(SAMPLE_RATE_HZ, dtype=np.float32))
    except EarsFailed as error:
        raise PartMissing(f"Moonshine does not transcribe: {error}") from error
    return recogniser


def _understand(recogniser: Recogniser, pcm: bytes) -> str:
    samples = resampled(from_pcm(pcm), RATE_HZ, SAMPLE_RATE_HZ)
    if len(samples) * 1000 < _SHORTEST_MS * SAMPLE_RATE_HZ:
        return ""
    if float(frame_levels(samples, _FRAME).max()) < _INAUDIBLE:
        return ""
    texts = [recogniser.transcribe(_padded(stretch)) for stretch in _stretches(samples)]
    return cleaned(" ".join(texts))


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
