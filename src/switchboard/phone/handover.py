"""What whoever accepts a call's media must know of it: they may come to another replica.

It stands in the address that we give the carrier, and the ticket beside it is good for nothing
else: so it comes back as it was written.
"""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from switchboard.access.refusals import NotIdentified

MAX_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Handover:
    agent: str
    caller_id: str
    """The principal's, from which no number can be told."""
    raw_id: str
    """The carrier's for whoever is at the other end: what it is asked to hold, or to let go."""

    @property
    def query(self) -> str:
        """Of the address; the ticket is bound to it."""
        return urlencode({"agent": self.agent, "caller": self.caller_id, "from": self.raw_id})

    @classmethod
    def read(cls, query: QueryParams) -> Self:
        """Raises `NotIdentified`."""
        return cls(_one(query, "agent"), _one(query, "caller"), _one(query, "from"))


def _one(query: QueryParams, name: str) -> str:
    values = query.getlist(name)
    if len(values) != 1 or len(values[0]) > MAX_CHARS:
        raise NotIdentified("This media socket belongs to no call.")
    return values[0]
