"""What whoever accepts a call's media must know of it: they may come to another replica.

It stands in the address that we give the carrier, and the ticket beside it is good for nothing
else: so it comes back as it was written.
"""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from switchboard.access.refusals import NotIdentified
from switchboard.phone.occasion import Occasion
from switchboard.phone.webhooks import number_of

MAX_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Handover:
    agent: str
    caller_id: str
    """The principal's, from which no number can be told."""
    raw_id: str
    """The carrier's for whoever is at the other end: what it is asked to hold, or to let go."""

    outgoing: bool = False
    """We rang them."""

    @property
    def query(self) -> str:
        """Of the address; the ticket is bound to it."""
        told = {"agent": self.agent, "caller": self.caller_id, "who": self.raw_id}
        return urlencode({**told, "way": "out" if self.outgoing else "in"})

    @property
    def occasion(self) -> Occasion:
        """What the agent must know of it. The facts of a call that we placed do not travel."""
        return Occasion(number_of(self.raw_id), self.caller_id, outgoing=self.outgoing)

    @classmethod
    def read(cls, query: QueryParams) -> Self:
        """Raises `NotIdentified`."""
        agent, caller_id, raw_id = (_one(query, name) for name in ("agent", "caller", "who"))
        return cls(agent, caller_id, raw_id, outgoing=_one(query, "way") == "out")


def _one(query: QueryParams, name: str) -> str:
    values = query.getlist(name)
    if len(values) != 1 or len(values[0]) > MAX_CHARS:
        raise NotIdentified("This media socket belongs to no call.")
    return values[0]
