"""What a new call's ticket says of it: its caller may come to another replica than the one that
gave it. It goes with the ticket, when it is used or has expired."""

from dataclasses import dataclass, field
from typing import Self

import msgspec

from switchboard.access.principal import Principal


@dataclass(frozen=True, slots=True)
class PlacedCall:
    principal: Principal = field(repr=False)
    agent: str
    voice: str | None
    model: str | None

    @property
    def facts(self) -> str:
        """JSON, for `read`."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, facts: str) -> Self | None:
        """`None` for a ticket of an older replica, which says nothing."""
        try:
            return msgspec.json.decode(facts, type=cls)
        except (msgspec.MsgspecError, RecursionError):
            return None
