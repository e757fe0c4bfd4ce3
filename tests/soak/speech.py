"""Something that voice activity detection takes for a person: a throat, and vowels that glide."""

import base64

import numpy as np
import numpy.typing as npt

from switchboard_local.engine.samples import RATE_HZ, Samples, to_pcm

FRAME_MS = 20
FRAME_BYTES = RATE_HZ * FRAME_MS // 1000 * 2

_VOWELS_HZ = np.array(
    [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]
)
_VOWELS_PER_S = 5
_SYLLABLES_PER_S = 4
_HARMONICS = 40
_HIGHEST_HZ = 5_000


type _Series = npt.NDArray[np.float64]


def speech(seconds: float, seed: int) -> list[str]:
    """Frames of speech-like sound, base64 of PCM 24 kHz, 20 ms each; `seed` chooses the vowels."""
    random = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 130 + 25 * np.sin(2 * np.pi * 2.3 * times) + 8 * np.sin(2 * np.pi * 5.1 * times)
    throat = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    vowels = random.integers(0, len(_VOWELS_HZ), int(seconds * _VOWELS_PER_S) + 2)
    mouth: list[_Series] = [
        np.interp(times, np.arange(len(vowels)) / _VOWELS_PER_S, _VOWELS_HZ[vowels, formant])
        for formant in range(3)
    ]
    sound = np.zeros(len(times))
    for harmonic in range(1, _HARMONICS):
        sound += _loudness(harmonic * pitch, mouth) / harmonic**0.3 * np.sin(harmonic * throat)
    sound *= 0.25 + 0.75 * np.abs(np.sin(np.pi * _SYLLABLES_PER_S * times))
    return _frames(0.5 * sound / np.abs(sound).max() + 0.002 * random.standard_normal(len(times)))


def _loudness(hz: _Series, mouth: list[_Series]) -> _Series:
    """How much of a tone of `hz` the mouth lets out, moment by moment."""
    level = np.full(len(hz), 0.01)
    for centre, gain, width in zip(mouth, (1.0, 0.6, 0.3), (60, 80, 100), strict=True):
        level += gain / (1 + ((hz - centre) / width) ** 2)
    return np.where(hz < _HIGHEST_HZ, level, 0.0)


def quiet(seconds: float, seed: int) -> list[str]:
    """Frames of a room in which nobody speaks."""
    random = np.random.default_rng(seed)
    return _frames(0.001 * random.standard_normal(int(seconds * RATE_HZ)))


def _frames(samples: _Series) -> list[str]:
    narrow: Samples = samples.astype(np.float32)
    pcm = to_pcm(narrow)
    whole = len(pcm) - len(pcm) % FRAME_BYTES
    return [
        base64.b64encode(pcm[at : at + FRAME_BYTES]).decode() for at in range(0, whole, FRAME_BYTES)
    ]
