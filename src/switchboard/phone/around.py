"""What stands around the telephone's room: whom it answers to, and what it is told of itself."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from switchboard.access.acs import AcsTokens
from switchboard.access.eventgrid import EventGridDoor
from switchboard.access.media import MediaTickets
from switchboard.access.principal import Principal
from switchboard.conversation.legs import CallerLeg, Line
from switchboard.conversation.past import Past
from switchboard.exchange.brief import Fit
from switchboard.phone.admission import CallerLimits
from switchboard.phone.carrier import Route
from switchboard.phone.handover import Handover
from switchboard.phone.limits import MediaLimits
from switchboard.phone.webhooks import Told
from switchboard.records.recordings import RecordingTable
from switchboard.records.telephone import MediaTicketTable, SeenEvents


class Places(Protocol):
    """What placing calls needs of the exchange."""

    async def book(self, principal: Principal) -> str | None: ...
    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        line: Line,
        fit: Fit | None,
        wait_s: float | None,
        outgoing: bool,
        call_id: str | None,
    ) -> str: ...
    async def end(self, call_id: str, reason: str) -> None: ...


class Exchange(Places, Protocol):
    """What the telephone's room needs of it."""

    def begin(self, call_id: str, *, wait_s: float | None = None) -> None: ...
    def adopt(
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        line: Line,
        fit: Fit | None,
        outgoing: bool,
        past: Past | None = None,
    ) -> bool: ...
    def holds(self, call_id: str) -> bool: ...
    def free(self) -> int: ...
    def let_go(self, call_id: str) -> None: ...
    async def carry(self, call_id: str, leg: CallerLeg) -> None: ...
    def cancel(self, call_id: str) -> None: ...


class Follower(Protocol):
    """Hears what becomes of calls, its own and others."""

    async def told(self, call_id: str, event: Told) -> None: ...
    async def taken(self, call_id: str) -> None:
        """Somebody has taken a call that we placed: its media are there, whatever was told."""
        ...

    async def over(self, call_id: str, reason: str) -> None: ...
    async def sweep(self) -> None: ...


class Elsewhere(Protocol):
    """The replicas beside this one."""

    async def told(self, call_id: str, event: Told) -> bool:
        """Have the replica that carries this call act upon a callback. Whether there is one, and it
        did. Raises `CarrierUnavailable` where it does not answer: the carrier posts it again."""
        ...


type Choose = Callable[[str | None, str | None], str]
"""The agent for the number that was called, E.164, and for the one that the caller asks for. The
latter is the caller's to write: only agents that say so may be chosen by it."""


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """What the room is told about itself."""

    public_url: str
    """Where the carrier reaches us: `https://talk.example.com`."""
    choose: Choose
    """Who answers; asked anew for each call, as agents change while we run."""
    caller_key: bytes = field(default_factory=secrets.token_bytes, repr=False)
    """What callers' ids are made with; without one, they hold as long as this process."""
    reattach_s: float = 10.0
    latency_ms: float = 0.0
    max_sockets: int = 100
    callers: CallerLimits = field(default_factory=CallerLimits)
    media: MediaLimits = field(default_factory=MediaLimits)

    def callback_url(self, call_id: str) -> str:
        return f"{self.public_url.rstrip('/')}/api/phone/events/{call_id}"

    def media_url(self, call_id: str, ticket: str) -> str:
        """Where the carrier opens a call's media socket."""
        base = self.public_url.rstrip("/")
        sockets = base.replace("https://", "wss://", 1).replace("http://", "ws://", 1)
        return f"{sockets}/api/phone/media/{call_id}?ticket={ticket}"


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in by which door."""

    grid: EventGridDoor
    acs: AcsTokens
    media: MediaTickets
    bindings: MediaTicketTable
    seen: SeenEvents
    recordings: RecordingTable
    elsewhere: Elsewhere | None = None
    """Where there may be other replicas."""


async def route_of(call_id: str, handover: Handover, config: PhoneConfig, doors: Doors) -> Route:
    """Where the carrier finds us for this call, with a ticket to its media."""
    ticket = await doors.media.issue(call_id, handover.facts)
    return Route(
        callback_url=config.callback_url(call_id),
        media_url=config.media_url(call_id, ticket),
        operation=call_id,
    )
