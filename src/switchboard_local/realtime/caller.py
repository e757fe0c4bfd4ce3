"""The caller's side of a session: audio in, turns and their items out, and the words in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from switchboard_local.engine.parts import Detector
from switchboard_local.realtime.effects import Dismiss, Forget, Tape, Transcribe
from switchboard_local.realtime.history import History, Item
from switchboard_local.realtime.items import spoken
from switchboard_local.realtime.listening import (
    MIN_COMMIT_MS,
    Cue,
    Listening,
    PauseHeard,
    SpeechBegan,
    SpeechEnded,
    SpeechWentOn,
)
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import AudioIn
from switchboard_local.realtime.usage import caller_tokens, text_tokens


class News(Enum):
    """What the rest of the session wants to know of the caller."""

    BEGAN = auto()
    """They speak."""
    ENDED = auto()
    """Their turn is over, and in the conversation."""


@dataclass(slots=True)
class _Turn:
    """The caller's open turn."""

    item_id: str
    ear: str | None = None
    """The transcription under way of what was said so far."""


class Caller:
    """Who speaks to us, as far as we hear them."""

    def __init__(self, detector: Detector, audio: AudioIn, history: History, tape: Tape) -> None:
        self._listening = Listening(detector, audio)
        self._audio = audio
        self._history = history
        self._tape = tape
        self._turn: _Turn | None = None
        self._guesses: dict[str, str | None] = {}

    @property
    def speaking(self) -> bool:
        return self._listening.speaking

    @property
    def heard_ms(self) -> int:
        """All audio ever heard."""
        return self._listening.heard_ms

    def configure(self, audio: AudioIn) -> None:
        self._audio = audio
        self._listening.configure(audio)
        if audio.turn_detection is None:
            self._drop_turn()

    def hear(self, audio: bytes) -> Iterator[News]:
        """Take in audio in the session's format. Raises `Refused` when the buffer is full."""
        for cue in self._listening.hear(audio):
            news = self._cue(cue)
            if news is not None:
                yield news

    def commit(self) -> None:
        """The client says that this is a turn. Raises `Refused` when there is next to nothing."""
        if self._listening.buffered_ms < MIN_COMMIT_MS:
            raise Refused(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least"
                f" {MIN_COMMIT_MS}ms of audio, but buffer only has"
                f" {self._listening.buffered_ms:.2f}ms of audio.",
            )
        item_id = self._turn.item_id if self._turn else self._tape.new_id("item")
        self._drop_turn()
        self._commit(item_id, self._listening.take(), None)

    def clear(self) -> None:
        self._drop_turn()
        self._listening.clear()
        self._tape.emit("input_audio_buffer.cleared")

    def wait_in_vain(self, waited_ms: int) -> None:
        """The caller has not spoken for `waited_ms`: their silence becomes an item."""
        item = spoken(self._tape.new_id("item"), self._listening.take())
        item.words = ""
        end_ms = self._listening.heard_ms
        self._tape.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=max(0, end_ms - waited_ms),
            audio_end_ms=end_ms,
            item_id=item.id,
        )
        self._place(item)

    def ask_ears(self, item: Item) -> None:
        """Have the audio of `item` understood, if nobody has yet."""
        if item.audio and item.words is None and item.ear is None:
            item.ear = self._tape.new_id("ear")
            self._tape.do(Transcribe(item.ear, b"".join(item.audio.values())))

    def transcribed(self, ear: str, text: str | None) -> None:
        """What the ears made of it; `None` when they failed."""
        if self._turn is not None and self._turn.ear == ear:
            self._guesses[ear] = text
            self._listening.guessed(text or "")
        for item in self._history:
            if item.ear == ear and item.words is None:
                self._understand(item, text)

    def foreseen(self, ear: str) -> Item | None:
        """The item that the open turn would become if the pause that `ear` read were its end."""
        text = self._guesses.get(ear)
        if self._turn is None or self._turn.ear != ear or not text:
            return None
        item = spoken(self._turn.item_id, b"")
        item.words = text
        return item

    def close(self) -> None:
        """Nobody listens any more."""
        self._listening.close()

    def _cue(self, cue: Cue) -> News | None:
        match cue:
            case SpeechBegan(at_ms):
                self._began(at_ms)
                return News.BEGAN
            case PauseHeard(pcm):
                self._guess(pcm)
            case SpeechWentOn():
                self._drop_guess()
            case SpeechEnded():
                self._ended(cue)
                return News.ENDED
        return None

    def _began(self, at_ms: int) -> None:
        self._turn = _Turn(self._tape.new_id("item"))
        self._tape.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=at_ms,
            item_id=self._turn.item_id,
        )

    def _ended(self, cue: SpeechEnded) -> None:
        turn = self._turn or _Turn(self._tape.new_id("item"))
        self._turn = None
        self._tape.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=cue.at_ms, item_id=turn.item_id
        )
        self._commit(turn.item_id, cue.pcm, turn.ear)

    def _commit(self, item_id: str, pcm: bytes, ear: str | None) -> None:
        item = spoken(item_id, pcm)
        item.announced = self._audio.transcription is not None
        self._place(item)
        item.ear = ear
        if ear is None:
            self.ask_ears(item)
        elif ear in self._guesses:
            self._understand(item, self._guesses.pop(ear))

    def _place(self, item: Item) -> None:
        before = self._history.last_id()
        self._history.add(item)
        self._tape.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        for kind in ("conversation.item.added", "conversation.item.done"):
            self._tape.emit(kind, previous_item_id=before, item=item.wire())

    def _guess(self, pcm: bytes) -> None:
        if self._turn is not None:
            self._turn.ear = self._tape.new_id("ear")
            self._tape.do(Transcribe(self._turn.ear, pcm))

    def _drop_guess(self) -> None:
        if self._turn is not None and self._turn.ear is not None:
            self._guesses.pop(self._turn.ear, None)
            self._tape.do(Forget(self._turn.ear))
            self._tape.do(Dismiss())
            self._turn.ear = None

    def _drop_turn(self) -> None:
        self._drop_guess()
        self._turn = None

    def _understand(self, item: Item, text: str | None) -> None:
        item.words = text or ""
        if not item.announced:
            return
        place: dict[str, Any] = {"item_id": item.id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        if text is None:
            self._tape.emit(f"{kind}.failed", **place, error=_DEAF)
            return
        item.body["content"][0]["transcript"] = text
        if text:
            self._tape.emit(f"{kind}.delta", **place, delta=text)
        usage = _usage(item.audio_ms, text)
        self._tape.emit(f"{kind}.completed", **place, transcript=text, usage=usage)


_DEAF: Final[Mapping[str, Any]] = {
    "type": "server_error",
    "code": "transcription_failed",
    "message": "Input transcription failed for this item.",
}


def _usage(audio_ms: float, text: str) -> Mapping[str, Any]:
    heard, written = caller_tokens(audio_ms), text_tokens(text)
    return {
        "type": "tokens",
        "total_tokens": heard + written,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": written,
    }
