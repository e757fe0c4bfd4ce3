"""What a carrier can do for us. Nothing else of the house knows which carrier it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from switchboard.phone.permits import Permit

type Refusal = Literal["busy", "forbidden", "none"]


@dataclass(frozen=True, slots=True)
class AcsUser:
    """Somebody reached through ACS rather than by a telephone number: `8:acs:…`."""

    id: str


type Callee = Permit | AcsUser
"""Whoever is to be rung: a telephone only by a permit, which only the dialling rules give."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a call, as the carrier itself names them."""

    raw_id: str = field(repr=False)
    """`4:+44…` for a telephone, `8:acs:…` for a user."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the carrier finds us for one call."""

    callback_url: str
    media_url: str = field(repr=False)
    """It holds the media ticket."""
    operation: str
    """The same for the same call, asked how often: it is then done once."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A call, as the carrier knows it."""

    id: str
    server_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a call stands with the carrier."""

    connected: bool
    streaming: bool
    """Its media socket is open, for all that the carrier knows."""


class Carrier(Protocol):
    """Each raises `CarrierUnavailable`; each is safe to ask for again."""

    @property
    def is_open(self) -> bool:
        """Whether it can be asked anything yet, and still."""
        ...

    async def answer(self, incoming: str, route: Route) -> Connection:
        """Take an incoming call: `incoming` is the context that came with it."""
        ...

    async def place(self, permit: Permit, route: Route) -> Connection:
        """Ring a telephone. Without a permit nobody is rung."""
        ...

    async def reject(self, incoming: str, reason: Refusal) -> None: ...

    async def redirect(self, incoming: str, to: Callee) -> None:
        """Send an incoming call elsewhere, unanswered."""
        ...

    async def transfer(self, connection_id: str, to: Callee, *, operation: str) -> None:
        """Send an answered call elsewhere; once that is accepted, we are out of it. The callbacks
        that say what became of it carry `operation`."""
        ...

    async def add(self, connection_id: str, who: Callee, *, ring_s: int, operation: str) -> str:
        """Ring somebody to come in; the invitation's id. Callbacks as with `transfer`."""
        ...

    async def cancel_add(self, connection_id: str, invitation_id: str) -> None:
        """Ring no more. An invitation, or a call, that is over already is as good."""
        ...

    async def remove(self, connection_id: str, who: Person) -> None: ...

    async def people(self, connection_id: str) -> frozenset[str]:
        """The raw ids of those who are on it."""
        ...

    async def hold(self, connection_id: str, who: Person) -> None:
        """Somebody neither hears nor is heard from now on."""
        ...

    async def unhold(self, connection_id: str, who: Person) -> None: ...

    async def leave(self, connection_id: str) -> None:
        """Leave the call to those who are on it."""
        ...

    async def play(self, connection_id: str, url: str, *, loop: bool = False) -> None:
        """Play a file to everybody on the call."""
        ...

    async def stop_playing(self, connection_id: str) -> None: ...

    async def send_keys(self, connection_id: str, keys: Sequence[str], to: Person) -> None:
        """Press 0-9, `*` and `#` for somebody."""
        ...

    async def look(self, connection_id: str) -> Standing:
        """How it stands now."""
        ...

    async def start_media(self, connection_id: str) -> None:
        """Open the media socket, at the address that was given when it was answered or placed."""
        ...

    async def stop_media(self, connection_id: str) -> None:
        """Close it."""
        ...

    async def hang_up(self, connection_id: str) -> None:
        """End the call for everybody. One that is over already is as good."""
        ...

    async def record(self, connection_id: str, callback_url: str, storage_url: str | None) -> str:
        """Begin to record, into our own storage if it is named; returns the recording's id."""
        ...

    async def pause_recording(self, recording_id: str) -> None: ...

    async def resume_recording(self, recording_id: str) -> None: ...

    async def stop_recording(self, recording_id: str) -> None: ...
