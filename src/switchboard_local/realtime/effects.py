"""What a session wants done: the vocabulary between the state machine and its legs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from switchboard_local.mind.parts import Request
from switchboard_local.realtime.refusals import Refused


@dataclass(frozen=True, slots=True)
class Send:
    """One server event to the client, in order."""

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Generate:
    """Begin making the reply."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop making the reply; answer with `Session.over`."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Ask the ears for the words in `pcm`; answer with `Session.transcribed`."""

    ear: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Forget:
    """The transcription is of no more use."""

    ear: str


@dataclass(frozen=True, slots=True)
class Foresee:
    """The turn may be over: begin on the answer it would get."""

    request: Request
    aloud: bool


@dataclass(frozen=True, slots=True)
class Dismiss:
    """It was not over: what was begun is of no use."""


type Effect = Send | Generate | Stop | Transcribe | Forget | Foresee | Dismiss


class Tape:
    """Gathers what is to be done, in order, until it is taken."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id
        self._effects: list[Effect] = []

    def emit(self, kind: str, **fields: object) -> None:
        """Send one server event."""
        self._effects.append(Send({"type": kind, "event_id": self.new_id("event"), **fields}))

    def error(self, refused: Refused, event_id: str | None) -> None:
        """Send the error event that answers the client event `event_id`."""
        self.emit("error", error=refused.wire(event_id))

    def do(self, effect: Effect) -> None:
        self._effects.append(effect)

    def take(self) -> Sequence[Effect]:
        """All since the last time."""
        effects, self._effects = self._effects, []
        return effects
