"""Who somebody is. One `Principal` enters every route, whatever vouched for it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    CALLER = "caller"
    """May talk to an agent."""
    OPERATOR = "operator"
    """May watch calls and take them over."""


class Kind(StrEnum):
    LOCAL = "local"
    """Somebody on this machine: the server listens on loopback only."""
    ANONYMOUS = "anonymous"
    """Anybody, because the owner of this server said so."""
    PERSON = "person"
    """Somebody an identity provider vouches for."""
    TELEPHONE = "telephone"
    """Whoever holds a telephone: the carrier says which number, nobody says who."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may do something."""

    id: str
    name: str
    roles: frozenset[Role]
    kind: Kind
    until: float | None = field(default=None, compare=False)
    """Until when what they have shown holds, epoch seconds; `None` where nothing runs out."""
    address: str | None = field(default=None, compare=False, repr=False)
    """Where they come from. Not who they are."""


LOCAL: Final = Principal("local", "You", frozenset(Role), Kind.LOCAL)
ANONYMOUS: Final = Principal("anonymous", "Caller", frozenset({Role.CALLER}), Kind.ANONYMOUS)
