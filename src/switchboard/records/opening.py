"""What is known of a call when it begins."""

from dataclasses import dataclass

from switchboard.conversation.past import Past
from switchboard.records.redaction.kinds import FULL, Redaction


@dataclass(frozen=True, slots=True)
class Opening:
    """What the ledgers are told of a call before anything else is noted of it."""

    call_id: str
    principal_id: str
    agent: str
    model: str
    voice: str
    channel: str
    """`browser`, `webrtc`, `phone`."""
    began_at: float
    """Epoch seconds."""
    direction: str = "in"
    """`in`, or `out`: we rang."""
    redaction: Redaction = FULL
    """What is taken out of its texts before they are written."""
    past: Past | None = None
    """Of one that is in the records already, for another server carried it."""
