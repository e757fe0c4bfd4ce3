"""A call that may begin."""

from dataclasses import dataclass

from switchboard.access.principal import Kind, Principal
from switchboard.conversation.legs import Line
from switchboard.conversation.past import Past
from switchboard.exchange.brief import Brief
from switchboard.exchange.media import CallMedia


@dataclass(frozen=True, slots=True)
class Placed:
    """Who calls whom."""

    call_id: str
    principal: Principal
    brief: Brief
    media: CallMedia | None = None
    """Over WebRTC: what its model is dialled beside."""
    line: Line | None = None
    """By telephone: what the carrier can do beside the media."""
    rings_s: float | None = None
    """Of a call that began before its caller is there: how long it may be without."""
    outgoing: bool = False
    """We ring, on a telephone."""
    past: Past | None = None
    """Of one that another server carried, and lost."""
    origin: object = None
    """What an observer said that it comes from."""

    @property
    def channel(self) -> str:
        """How its caller came, for the records."""
        if self.media:
            return "webrtc"
        return "phone" if self.principal.kind is Kind.TELEPHONE else "browser"

    @property
    def direction(self) -> str:
        """`in`, or `out`: we rang."""
        return "out" if self.outgoing else "in"
