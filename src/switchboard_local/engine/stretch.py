"""Speech made faster or slower at the same pitch, by overlap-add of similar waves. Pure."""

from typing import Final

import numpy as np

from switchboard_local.engine.samples import RATE_HZ, Samples

SLOWEST: Final = 0.25
FASTEST: Final = 4.0

_FRAME: Final = RATE_HZ // 1000 * 30
_HOP: Final = _FRAME // 2
_REACH: Final = RATE_HZ // 1000 * 8
"""How far to look for the place where the waveform joins best: one period of a low voice."""


def stretched(samples: Samples, speed: float) -> Samples:
    """`samples` said `speed` times as fast; the ends stay, so does the pitch."""
    speed = min(FASTEST, max(SLOWEST, speed))
    if abs(speed - 1) < 0.01 or len(samples) < 2 * (_FRAME + _REACH):
        return samples
    window = np.hanning(_FRAME).astype(np.float32)
    frames = max(1, int((len(samples) - _FRAME - _REACH) / (_HOP * speed)))
    out = np.zeros(frames * _HOP + _FRAME, dtype=np.float32)
    weight = np.full(len(out), 1e-3, dtype=np.float32)
    at = 0
    for index in range(frames):
        wanted = int(index * _HOP * speed)
        at = wanted if index == 0 else _best_join(samples, natural=at + _HOP, wanted=wanted)
        piece = samples[at : at + _FRAME]
        place = slice(index * _HOP, index * _HOP + len(piece))
        out[place] += piece * window[: len(piece)]
        weight[place] += window[: len(piece)]
    return out / weight


def _best_join(samples: Samples, *, natural: int, wanted: int) -> int:
    """Near `wanted`, where the sound is most like what would naturally follow at `natural`."""
    follows = samples[natural : natural + _HOP]
    start = max(0, wanted - _REACH)
    nearby = samples[start : wanted + _REACH + len(follows)]
    if len(follows) < _HOP or len(nearby) < len(follows):
        return min(wanted, max(0, len(samples) - _FRAME))
    return start + int(np.argmax(np.correlate(nearby, follows, "valid")))
