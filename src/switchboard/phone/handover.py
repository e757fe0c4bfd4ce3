"""What whoever accepts a call's media must know of it: they may come to another replica.

It is kept with the ticket that stands in the media's address, as long as the call lasts. The
address itself names nobody: whatever stands before this server may log it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import msgspec

from switchboard.access.refusals import NotIdentified
from switchboard.phone.occasion import Occasion
from switchboard.phone.webhooks import number_of


@dataclass(frozen=True, slots=True)
class Handover:
    agent: str
    caller_id: str
    """The principal's, from which no number can be told."""
    raw_id: str = field(repr=False)
    """The carrier's for whoever is at the other end: what it is asked to hold, or to let go."""
    outgoing: bool = False
    """We rang them."""
    context: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Facts for this call's agent."""

    @property
    def facts(self) -> str:
        """JSON, for `read`."""
        return msgspec.json.encode(self).decode()

    @property
    def occasion(self) -> Occasion:
        """What the agent must know of it."""
        number = number_of(self.raw_id)
        return Occasion(number, self.caller_id, outgoing=self.outgoing, context=self.context)

    @classmethod
    def read(cls, facts: str) -> Self:
        """Raises `NotIdentified` for a ticket of an older server, which kept none."""
        try:
            return msgspec.json.decode(facts, type=cls)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            raise NotIdentified("This media socket belongs to no call.") from None
