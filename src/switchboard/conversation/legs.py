"""The two sides of a call, as the exchange sees them. Types only: rooms implement them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from switchboard.conversation.commands import CallerCommand, ModelCommand, Note
from switchboard.conversation.events import (
    CallerEvent,
    Heard,
    LineOutcome,
    ModelEvent,
    ToolOutcome,
)
from switchboard.conversation.rules import Human
from switchboard.conversation.session import SessionSpec


class CallerAudio(NamedTuple):
    """Base64 of PCM 24 kHz mono from the caller. Passed on undecoded, past the conversation."""

    audio: str


class ReplyAudio(NamedTuple):
    """Base64 of PCM 24 kHz mono from the model. Passed on undecoded, if its gate is open."""

    reply_id: str
    item_id: str
    audio: str


@dataclass(frozen=True, slots=True)
class LegCapabilities:
    """What a caller's leg can offer, so that nobody asks which leg it is."""

    paced: bool
    """The leg itself plays in real time and knows what was heard (telephone)."""
    owns_buffer: bool = False
    """The service plays to the ear itself (WebRTC): no truncate from us."""
    recordable: bool = True
    audible: bool = True
    """An operator can listen: the audio crosses this server."""


class CallerLeg(Protocol):
    """One caller's side: a page's socket, a telephone's media socket.

    Iterating yields events and audio until the leg is gone; the last event is `CallerLeft` for a
    goodbye or `CallerAway` for a loss.
    """

    @property
    def capabilities(self) -> LegCapabilities: ...

    def __aiter__(self) -> AsyncIterator[CallerEvent | CallerAudio]: ...

    def play(self, reply: ReplyAudio) -> None:
        """Queue audio for the ear. Never blocks; a reader too slow for its queue is closed."""
        ...

    def command(self, command: CallerCommand) -> None: ...

    def show(self, note: Note) -> None:
        """Tell the caller's screen, where there is one."""
        ...

    async def close(self, reason: str) -> None:
        """Say why, and hang up this leg."""
        ...


type Hear = Callable[[str, float], bool]
"""Takes base64 PCM 24 kHz of a caller, and how many milliseconds it is; or declines to."""


type Report = Callable[[Heard], bool]
"""Takes what an ear reports, or declines to. Never called from within `play` or `command`."""


@runtime_checkable
class StraightCaller(Protocol):
    """A caller's leg that can hand over audio as it comes: no queue and no task in between."""

    def straight(self, hear: Hear, report: Report) -> None:
        """From now on these are given what nothing waits before; what they decline, and all else,
        is iterated. The order stays that in which it came."""
        ...


@dataclass(frozen=True, slots=True)
class Rung:
    """What became of ringing a human."""

    outcome: LineOutcome
    apart: bool = False
    """Somebody answered, and hears us while the caller does not."""


class Line(Protocol):
    """The telephone's line, beside its media: what the carrier can do with a call.

    Calls are named by the exchange's ids. Each takes a bounded time and raises nothing; one that is
    cancelled undoes what it began.
    """

    async def transfer(self, call_id: str, human: Human) -> LineOutcome:
        """Send the caller elsewhere. Once done, the carrier's call is none of ours any more."""
        ...

    async def ring(self, call_id: str, human: Human) -> Rung:
        """Ring somebody while the caller waits and hears that it goes on."""
        ...

    async def hand_over(self, call_id: str) -> LineOutcome:
        """Let the caller and whoever answered talk with each other, and leave them."""
        ...

    async def use(self, call_id: str, tool: str, arguments: str) -> tuple[str, ToolOutcome]:
        """Run one of the telephone's own tools: JSON text for the model, and how it ended."""
        ...


class ModelLeg(Protocol):
    """The realtime service's side.

    Iterating yields events and audio; the last event is `ModelLost`.
    """

    def __aiter__(self) -> AsyncIterator[ModelEvent | ReplyAudio]: ...

    def hear(self, audio: str) -> None:
        """Pass on base64 PCM 24 kHz. Never blocks: a stalled link drops the oldest."""
        ...

    def command(self, command: ModelCommand) -> None:
        """Queue a command. A full queue means a stalled link, and ends it with `ModelLost`."""
        ...


@runtime_checkable
class StraightModel(Protocol):
    """A model's leg that can hand over audio as it comes, as `StraightCaller` does."""

    def straight(self, play: Callable[[ReplyAudio], bool]) -> None: ...


class Dial(Protocol):
    """Opens a model leg, configured by `spec`; closed whatever happens when the block ends.

    Raises `ModelUnavailable`.
    """

    def __call__(self, spec: SessionSpec, /) -> AbstractAsyncContextManager[ModelLeg]: ...


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Media between a caller and the service (WebRTC). They do not cross this server."""

    answer: str = field(repr=False)
    """The service's SDP answer, for the caller."""
    dial: Dial
    """Takes control beside the media, the first time or again: then it is the same session, and
    `ModelReady.resumed`. Raises `ModelUnavailable` with status 404 once they are gone."""
    hang_up: Callable[[], Awaitable[None]]
    """Ends the media, in bounded time. Never raises."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A right to begin one kind of session, for a front end that offers by itself."""

    secret: str = field(repr=False)
    expires_at: float
    """Epoch seconds."""
    url: str
    """Where the front end posts its offer, with the secret as bearer."""
    media: Callable[[str], Negotiated] = field(repr=False)
    """The media of the call that it began, by the service's id. Raises `NotAllowed`."""


type Mint = Callable[[SessionSpec], Awaitable[Minted]]
"""Raises `ModelUnavailable`, or `NotAllowed` for a model that has no WebRTC."""


class Negotiate(Protocol):
    """Has the service answer a caller's SDP offer, for a session configured by `spec`.

    Raises `ModelUnavailable`, `OfferRefused`, or `NotAllowed` for a model that has no WebRTC.
    """

    async def __call__(self, spec: SessionSpec, offer: str, /) -> Negotiated: ...
