"""Who is on one telephone call of ours, as far as the carrier has told."""

from dataclasses import dataclass, field
from typing import Final

import anyio

from switchboard.access.principal import Principal
from switchboard.phone.carrier import Person
from switchboard.phone.fetching import Fetching
from switchboard.phone.leg import PhoneLeg

MAX_RUNG: Final = 8
"""Humans of one call of whom late news are understood."""


@dataclass(slots=True)
class Party:
    """The caller, and the humans who are fetched to them."""

    principal: Principal
    person: Person
    """Whoever is at the other end."""
    connection_id: str | None = None
    leg: PhoneLeg | None = None
    waits: bool = False
    """The tune plays."""
    fetching: Fetching | None = None
    news: anyio.Event = field(default_factory=anyio.Event)
    people: frozenset[str] = frozenset()
    """Who is on it, as the carrier told last."""
    seen: bool = False
    """The carrier has named the caller among them."""
    guest: Person | None = None
    """The human who is rung, or has answered."""
    guest_in: bool = False
    idle: anyio.Event = field(default_factory=anyio.Event)
    """Set when nothing more will come of what the line was asked last."""
    left: str | None = None
    """Why the carrier's call is none of ours any more."""
    fetched: int = 0
    rung: dict[str, Person] = field(default_factory=dict[str, Person])
    """The last humans that were rung, by the operation that rang them."""

    def rings(self, guest: Person, operation: str) -> None:
        self.guest = self.rung[operation] = guest
        while len(self.rung) > MAX_RUNG:
            del self.rung[next(iter(self.rung))]

    def unwanted(self, operation: str) -> Person | None:
        """Whoever has come by this operation, if nobody waits for them any more."""
        guest = self.rung.get(operation)
        awaited = guest == self.guest and (self.guest_in or self.fetching is not None)
        return None if awaited else guest

    def are_there(self, people: frozenset[str]) -> bool:
        """Who is on it now. Whether the caller has left the guest alone."""
        self.people = people
        here = self.person.raw_id in people
        left = self.guest_in and self.seen and not here
        self.seen = self.seen or here
        return left
