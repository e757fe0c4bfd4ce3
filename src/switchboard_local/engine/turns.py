"""When the caller's turn starts, may be over, and is over: times in, times out, nothing awaited.

    silence ──onset──▶ speech ──pause──▶ perhaps over ──silence_duration──▶ silence
                          ▲                    │
                          └───── speech ───────┘

Every time is in milliseconds on the audio clock: zero is the first sample ever fed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from switchboard_local.engine.endings import finished

__all__ = [
    "Ended",
    "MaybeEnded",
    "Resumed",
    "Started",
    "TurnConfig",
    "TurnDetector",
    "TurnEvent",
    "finished",
]


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """What the realtime dialect lets a session choose, and two times of our own."""

    threshold: float = 0.5
    """A window at least this likely to be speech is speech."""
    prefix_padding_ms: float = 300
    silence_duration_ms: float = 500
    onset_ms: float = 90
    """Speech this long starts a turn: three of Silero's windows, so that a click does not."""
    maybe_ms: float = 96
    """A pause this long is worth transcribing on speculation: three of Silero's windows."""
    hysteresis: float = 0.15
    """Speech goes on until the probability falls this far below the threshold."""


@dataclass(frozen=True, slots=True)
class Started:
    """The caller speaks. `at_ms` is where their audio begins, padding included."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class MaybeEnded:
    """A pause that may be the end: time to transcribe what was said up to `at_ms`."""

    at_ms: float
    spoken_until_ms: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller went on after a `MaybeEnded`: what was made of it is out of date."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over. Its audio reaches to `at_ms`, the silence that ended it included."""

    at_ms: float
    spoken_until_ms: float


type TurnEvent = Started | MaybeEnded | Resumed | Ended


class TurnDetector:
    """Turns one conversation's speech probabilities into turns."""

    def __init__(self, window_ms: float, config: TurnConfig | None = None) -> None:
        self._window_ms = window_ms
        self._config = config or TurnConfig()
        self._silence_ms = self._config.silence_duration_ms
        self._windows = 0
        self._turn_floor_ms = 0.0
        self._onset: list[float] = []
        self._speaking = False
        self._quiet_since_ms: float | None = None
        self._guessed = False

    @property
    def now_ms(self) -> float:
        """How much audio has been fed."""
        return self._windows * self._window_ms

    @property
    def speaking(self) -> bool:
        """Whether a turn is open, pauses in it included."""
        return self._speaking

    def configure(self, config: TurnConfig) -> None:
        """Go by `config` from the next window on; an open turn stays open."""
        self._config = config
        self._silence_ms = config.silence_duration_ms

    def wait(self, silence_ms: float) -> None:
        """End the present turn after this much silence instead, counted from where it began.

        For an end of turn by meaning: short where the words are complete, long where they are not.
        Holds until the caller speaks again.
        """
        self._silence_ms = silence_ms

    def clear(self) -> None:
        """Forget an open turn, as when its audio is cleared or committed by hand. Time goes on."""
        self._speaking = False
        self._turn_floor_ms = self.now_ms
        self._onset.clear()
        self._settle()

    def feed(self, probabilities: Iterable[float]) -> list[TurnEvent]:
        """What the next windows mean, one probability each."""
        return [event for each in probabilities for event in self._window(each)]

    def _window(self, probability: float) -> Sequence[TurnEvent]:
        began_ms = self.now_ms
        self._windows += 1
        speech = probability >= self._config.threshold
        silence = not speech and probability < self._config.threshold - self._config.hysteresis
        if not self._speaking:
            return self._listen(began_ms, speech=speech, silence=silence)
        if speech:
            return self._go_on(began_ms)
        if silence and self._quiet_since_ms is None:
            self._quiet_since_ms = began_ms
        return self._pause()

    def _listen(self, began_ms: float, *, speech: bool, silence: bool) -> Sequence[TurnEvent]:
        if silence:
            self._onset.clear()
        if not speech:
            return ()
        self._onset.append(began_ms)
        if len(self._onset) < math.ceil(self._config.onset_ms / self._window_ms):
            return ()
        first_ms = self._onset[0]
        self._onset.clear()
        self._speaking = True
        self._settle()
        return (Started(max(self._turn_floor_ms, first_ms - self._config.prefix_padding_ms)),)

    def _go_on(self, began_ms: float) -> Sequence[TurnEvent]:
        resumed = self._guessed
        self._settle()
        return (Resumed(began_ms),) if resumed else ()

    def _pause(self) -> Sequence[TurnEvent]:
        if self._quiet_since_ms is None:
            return ()
        quiet_ms = self.now_ms - self._quiet_since_ms
        if quiet_ms >= self._silence_ms:
            ended = Ended(self.now_ms, self._quiet_since_ms)
            self.clear()
            return (ended,)
        if quiet_ms >= self._config.maybe_ms and not self._guessed:
            self._guessed = True
            return (MaybeEnded(self.now_ms, self._quiet_since_ms),)
        return ()

    def _settle(self) -> None:
        self._quiet_since_ms = None
        self._guessed = False
        self._silence_ms = self._config.silence_duration_ms
