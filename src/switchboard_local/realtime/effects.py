"""What a session wants done: the vocabulary between the state machine and its socket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


type Effect = Send | Generate | Stop | Transcribe | Forget
