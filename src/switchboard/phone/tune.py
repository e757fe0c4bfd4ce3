"""What a caller hears while a human is fetched: eight seconds of soft bells, made by a formula.

No recording and nobody's composition: a broken chord over a slow bass, in a pentatonic scale.
"""

import base64
import math
from array import array
from functools import cache
from typing import Final

from switchboard.conversation.audio import PCM_24K

NOTE_S: Final = 0.5
LOUDNESS: Final = 2_600
"""About 20 dB below full scale: under a voice, not over it."""
_A3_HZ: Final = 220.0
_STEPS: Final = (0, 7, 12, 16, 19, 16, 12, 7, -3, 4, 9, 12, 16, 12, 9, 4)
"""Semitones above A3: A major, then F sharp minor, up and down again."""
_DECAY_S: Final = 0.45
_ATTACK_S: Final = 0.02


@cache
def tune() -> str:
    """One round of it, base64 PCM 24 kHz. The end fades into the beginning."""
    rate = PCM_24K.rate_hz
    note, total = int(NOTE_S * rate), int(NOTE_S * rate) * len(_STEPS)
    sound = [0.0] * total
    for at, step in enumerate(_STEPS):
        for index, value in enumerate(_bell(_A3_HZ * 2 ** (step / 12), 3 * note)):
            sound[(at * note + index) % total] += value  # what still rings, rings on over the end
    loudest = max(map(abs, sound))
    pcm = array("h", (int(value / loudest * LOUDNESS) for value in sound))
    return base64.b64encode(pcm.tobytes()).decode()


def _bell(hz: float, samples: int) -> list[float]:
    """A soft stroke that dies away."""
    rate = PCM_24K.rate_hz
    turn = 2 * math.pi * hz / rate
    return [
        min(i / rate / _ATTACK_S, 1.0)
        * math.exp(-i / rate / _DECAY_S)
        * min((samples - i) / (0.1 * samples), 1.0)
        * (math.sin(turn * i) + 0.25 * math.sin(2 * turn * i))
        for i in range(samples)
    ]
