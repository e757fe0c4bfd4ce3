"""A session on the bench: driven by hand, without a socket, a clock or an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, get_args

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

from switchboard_local.mind.parts import Request
from switchboard_local.realtime.dialects import Ga
from switchboard_local.realtime.effects import (
    Dismiss,
    Effect,
    Foresee,
    Forget,
    Generate,
    Send,
    Stop,
    Transcribe,
)
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import (
    Piece,
    SentenceBegun,
    SentenceOver,
    Sound,
    Words,
)
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.session_object import Session
from switchboard_local.realtime.wire import Append, decode
from tests.local.realtime.doubles import LoudnessDetector, silence, tone

type Event = Mapping[str, Any]


@cache
def event_models() -> Mapping[str, type[BaseModel]]:
    """The SDK's type of every server event, by its name on the wire."""
    members: Sequence[type[BaseModel]] = get_args(get_args(RealtimeServerEvent)[0])
    return {get_args(each.model_fields["type"].annotation)[0]: each for each in members}


def assert_documented(event: Event) -> None:
    """`event` is one the official SDK knows, with all its fields and no other."""
    parsed = event_models()[event["type"]].model_validate(event)
    assert not parsed.model_extra, parsed.model_extra


@dataclass
class Bench:
    """A session, all it has sent, and all it wants done."""

    played_here: bool = False
    """Whether it is a session over WebRTC."""
    now_s: float = 100.0
    events: list[Event] = field(default_factory=list[Event])
    wanted: list[Effect] = field(default_factory=list[Effect])
    ears: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Transcriptions under way."""
    making: list[str] = field(default_factory=list[str])
    """Replies under way."""
    stopping: list[str] = field(default_factory=list[str])

    heard: bytearray = field(default_factory=bytearray)
    """What the caller's ear has had."""

    foreseen: Request | None = None
    """What an answer is being prepared for."""

    def __post_init__(self) -> None:
        numbers = count(1)
        self.session = RealtimeSession(
            Session(type="realtime", model="gpt-realtime"),
            LoudnessDetector(),
            new_id=lambda prefix: f"{prefix}_{next(numbers)}",
            expires_at=4_000_000_000,
            played_here=self.played_here,
        )
        self.take(self.session.open())

    def take(self, effects: Sequence[Effect]) -> Sequence[Event]:
        """Note the effects; the events among them."""
        sent: list[Event] = []
        for effect in effects:
            match effect:
                case Send(event):
                    for told in Ga().outward(event):
                        assert_documented(told)
                        sent.append(told)
                case Generate(reply_id):
                    self.making.append(reply_id)
                case Stop(reply_id):
                    self.stopping.append(reply_id)
                case Transcribe(ear, pcm):
                    self.ears[ear] = pcm
                case Forget(ear):
                    self.ears.pop(ear, None)
                case Foresee(request):
                    self.foreseen = request
                case Dismiss():
                    self.foreseen = None
        self.events.extend(sent)
        return sent

    def client(self, kind: str, **fields: object) -> Sequence[Event]:
        """One event from the client; what it is answered at once."""
        try:
            event = decode({"type": kind, **fields}, 100)
            assert not isinstance(event, Append)
        except Refused as refused:
            return self.take(self.session.refuse(refused, None))
        return self.take(self.session.apply(event))

    def update(self, **session: object) -> Sequence[Event]:
        return self.client("session.update", session={"type": "realtime", **session})

    def hear(self, *audio: bytes) -> Sequence[Event]:
        """The caller's audio, in frames of 20 ms."""
        sent: list[Event] = []
        for pcm in audio:
            for at in range(0, len(pcm), 960):
                sent.extend(self.take(self.session.hear(pcm[at : at + 960])))
        return sent

    def understand(self, text: str | None = "hello") -> Sequence[Event]:
        """The ears answer all they were asked."""
        sent: list[Event] = []
        for ear in list(self.ears):
            del self.ears[ear]
            sent.extend(self.take(self.session.transcribed(ear, text)))
        return sent

    def piece(self, piece: Piece, reply_id: str | None = None) -> Sequence[Event]:
        """The engine makes a piece of a reply."""
        return self.take(self.session.add(reply_id or self.making[-1], piece))

    def say(self, text: str, audio_ms: int = 1000, reply_id: str | None = None) -> Sequence[Event]:
        """The engine says a whole sentence."""
        pieces: list[Piece] = [SentenceBegun(text), Words(text)]
        pieces += [Sound(tone(audio_ms)), SentenceOver()]
        return [event for each in pieces for event in self.piece(each, reply_id)]

    def finish(self, reply_id: str | None = None, error: str | None = None) -> Sequence[Event]:
        """The engine is done with a reply."""
        done = reply_id or self.making[-1]
        self.making.remove(done)
        return self.take(self.session.over(done, self.now_s, error))

    def tick(self, seconds: float) -> Sequence[Event]:
        """Time passes."""
        self.now_s += seconds
        return self.take(self.session.tick(self.now_s))

    def listen(self, duration_ms: int) -> Sequence[Event]:
        """The caller's ear takes that much; what was sent meanwhile."""
        sent: list[Event] = []
        for _ in range(0, duration_ms, 20):
            frame, effects = self.session.play()
            self.heard += frame
            sent += self.take(effects)
        return sent

    def turn(self, speech_ms: int = 600, text: str = "hello") -> Sequence[Event]:
        """The caller says something, and stops."""
        sent = [*self.hear(silence(200), tone(speech_ms), silence(300))]
        sent += self.understand(text)
        return [*sent, *self.hear(silence(500))]


def kinds(events: Sequence[Event]) -> list[str]:
    """Their types, repeated deltas shown once."""
    seen: list[str] = []
    for event in events:
        if not seen or seen[-1] != event["type"]:
            seen.append(event["type"])
    return seen


def only(events: Sequence[Event], kind: str) -> Event:
    """The one event of its kind."""
    found = [event for event in events if event["type"] == kind]
    assert len(found) == 1, kinds(events)
    return found[0]
