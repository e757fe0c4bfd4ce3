"""A telephone line on which one can tell by ear what is said, without a recogniser.

The agent's voice has a tone of its own for each thing that matters here, and the model's ears know
what the caller says by how long it takes. Who listens hears whether it was the answer, the apology,
or something else: a silence prompt is no answer.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from typing import Final, override

import numpy as np

from switchboard_local.acs.sound import hum, loud
from switchboard_local.engine.fixed import FixedEars, FixedVoice
from switchboard_local.engine.load import Engine, EngineChoice, load_engine


class Said(Enum):
    """What a line of the agent's is: its tone in hertz. They are far enough apart for 20 ms of
    them to be told apart, after a telephone's sampling rate."""

    ELSE = 200
    SORRY = 400
    BILL = 600
    DATA = 800


QUESTIONS: Final[Mapping[str, Said]] = {
    "How much is my bill?": Said.BILL,
    "How much data do I have left?": Said.DATA,
}
"""Of the telecom agent, with what their answers are; each takes a tool."""
_MARKS: Final = {"sorry": Said.SORRY, "bill": Said.BILL, "gigabytes": Said.DATA}
_SAYING_MS: Final = dict(zip(QUESTIONS, (1_000, 3_000), strict=True))
_AROUND_MS: Final = 600
"""What the ears get with it: the padding before it, and some of the pause after."""
_FRAME_S: Final = 0.02


def said(text: str) -> Said:
    """What a line or a clause of the agent's is."""
    return next((what for mark, what in _MARKS.items() if mark in text.lower()), Said.ELSE)


def spoken(question: str) -> bytes:
    """How a caller asks it: 24 kHz PCM16."""
    return hum(_SAYING_MS[question])


def heard(frame: bytes) -> Said | None:
    """What 20 ms at the caller's ear are of; `None` for silence."""
    if not loud(frame):
        return None
    crossings = np.count_nonzero(np.diff(np.signbit(np.frombuffer(frame, np.int16))))
    hertz = float(crossings) / 2 / _FRAME_S
    return min(Said, key=lambda each: abs(each.value - hertz))


class Tones(FixedVoice):
    """Says each clause in its tone."""

    def __init__(self) -> None:
        super().__init__()
        self._voices = {each: FixedVoice(each.value) for each in Said}

    @override
    async def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]:
        async for piece in self._voices[said(text)].speak(text, speed=speed):
            yield piece


@asynccontextmanager
async def tones() -> AsyncGenerator[Engine]:
    """Loudness is speech: a neural detector takes no tone for it."""
    parts = await load_engine(EngineChoice(detectors="energy", ears="none", voice="none"))
    durations = {ms + _AROUND_MS: question for question, ms in _SAYING_MS.items()}
    ears = FixedEars((), by_duration_ms=durations, tolerance_ms=900)
    try:
        yield Engine(parts.detectors, ears, Tones())
    finally:
        await parts.aclose()
