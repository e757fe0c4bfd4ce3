"""The caller's side of a session: the input buffer, and the turns found in it."""

from dataclasses import dataclass
from typing import Final

from switchboard_local.engine.parts import Detector
from switchboard_local.engine.turns import (
    Ended,
    MaybeEnded,
    Resumed,
    Started,
    TurnConfig,
    TurnDetector,
    TurnEvent,
    finished,
)
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import AudioIn, SemanticVad, ServerVad
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS, hearing

MAX_BUFFER_BYTES: Final = 16 * 1024 * 1024
"""Nearly six minutes."""
MIN_COMMIT_MS: Final = 100
_ONSET_MARGIN_MS: Final = 1000

_LONGEST_WAIT_MS: Final = {"low": 8000, "medium": 4000, "high": 2000, "auto": 4000}
_SHORTEST_WAIT_MS: Final = {"low": 600, "medium": 350, "high": 250, "auto": 350}
_SURE: Final = 0.9
"""So likely finished that the shortest wait will do."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    at_ms: int


@dataclass(frozen=True, slots=True)
class PauseHeard:
    """Perhaps the end: `pcm` is worth transcribing already."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeechWentOn:
    """It was not the end: what was made of the pause is out of date."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    at_ms: int
    pcm: bytes


type Cue = SpeechBegan | PauseHeard | SpeechWentOn | SpeechEnded


class Listening:
    """One session's ear. Deterministic: the same audio gives the same cues."""

    def __init__(self, detector: Detector, audio: AudioIn) -> None:
        self._detector: Detector | None = detector
        self._turns = TurnDetector(detector.window_ms)
        self._audio = audio
        self._convert = hearing(audio.format)
        self._buffer = bytearray()
        self._begins_at = 0
        self.configure(audio)

    @property
    def speaking(self) -> bool:
        """Whether the caller's turn is open."""
        return self._audio.turn_detection is not None and self._turns.speaking

    @property
    def heard_ms(self) -> int:
        """All audio ever heard."""
        return (self._begins_at + len(self._buffer)) // PCM_BYTES_PER_MS

    @property
    def buffered_ms(self) -> float:
        return len(self._buffer) / PCM_BYTES_PER_MS

    def configure(self, audio: AudioIn) -> None:
        """Go by `audio` from now on."""
        if audio.format != self._audio.format:
            self._convert = hearing(audio.format)
        if (audio.turn_detection is None) != (self._audio.turn_detection is None):
            self._turns.clear()
        self._audio = audio
        match audio.turn_detection:
            case ServerVad() as vad:
                config = TurnConfig(
                    threshold=vad.threshold,
                    prefix_padding_ms=vad.prefix_padding_ms,
                    silence_duration_ms=vad.silence_duration_ms,
                )
            case SemanticVad(eagerness=eagerness):
                config = TurnConfig(silence_duration_ms=_LONGEST_WAIT_MS[eagerness])
            case None:
                config = TurnConfig()
        self._turns.configure(config)

    def hear(self, data: bytes) -> list[Cue]:
        """Take in audio in the session's format. Raises `Refused` when the buffer is full."""
        pcm = self._convert.feed(data)
        full = len(self._buffer) + len(pcm) > MAX_BUFFER_BYTES
        if full and not self.speaking:
            raise Refused("input_audio_buffer_full", "The input audio buffer is full.", "audio")
        self._buffer += pcm
        events = self._turns.feed(self._detector.push(pcm) if self._detector else ())
        if self._audio.turn_detection is None:
            self._turns.clear()
            return []
        cues = [cue for event in events for cue in self._cues(event)]
        if full and self._turns.speaking:
            cues.append(self._end(len(self._buffer)))
            self._turns.clear()
        if not self._turns.speaking:
            self._forget_silence()
        return cues

    def guessed(self, text: str) -> None:
        """The ears' reading of the last pause: with semantic turns it says how long to wait."""
        if isinstance(self._audio.turn_detection, SemanticVad) and self._turns.speaking:
            self._turns.wait(wait_ms(text, self._audio.turn_detection.eagerness))

    def take(self) -> bytes:
        """Everything in the buffer, which is then empty; an open turn is closed with it."""
        pcm = bytes(self._buffer)
        self.clear()
        return pcm

    def clear(self) -> None:
        self._begins_at += len(self._buffer)
        self._buffer.clear()
        self._turns.clear()

    def close(self) -> None:
        """Let the detector go: it holds a model, which another session can use at once."""
        self._detector = None

    def _cues(self, event: TurnEvent) -> list[Cue]:
        match event:
            case Started(at_ms):
                self._drop_until(_offset(at_ms) - self._begins_at)
                return [SpeechBegan(self._begins_at // PCM_BYTES_PER_MS)]
            case MaybeEnded(at_ms):
                return [PauseHeard(bytes(self._buffer[: _offset(at_ms) - self._begins_at]))]
            case Resumed():
                return [SpeechWentOn()]
            case Ended(at_ms):
                return [self._end(_offset(at_ms) - self._begins_at)]

    def _end(self, size: int) -> SpeechEnded:
        pcm = bytes(self._buffer[:size])
        self._drop_until(size)
        return SpeechEnded(self._begins_at // PCM_BYTES_PER_MS, pcm)

    def _forget_silence(self) -> None:
        """Before speech only the padding, and a margin for the detector's delay, is of use."""
        vad = self._audio.turn_detection
        padding_ms = vad.prefix_padding_ms if isinstance(vad, ServerVad) else 300
        keep = (padding_ms + _ONSET_MARGIN_MS) * PCM_BYTES_PER_MS
        self._drop_until(len(self._buffer) - keep)

    def _drop_until(self, size: int) -> None:
        size = max(0, min(size, len(self._buffer)))
        del self._buffer[:size]
        self._begins_at += size


def wait_ms(text: str, eagerness: str) -> float:
    """How long a silence ends the turn of a caller who so far said `text`."""
    shortest, longest = _SHORTEST_WAIT_MS[eagerness], _LONGEST_WAIT_MS[eagerness]
    doubt = min(1.0, max(0.0, (_SURE - finished(text)) / (_SURE - 0.1)))
    return shortest + (longest - shortest) * doubt**1.5


def _offset(at_ms: float) -> int:
    """Bytes from the start of all audio."""
    return int(at_ms) * PCM_BYTES_PER_MS
