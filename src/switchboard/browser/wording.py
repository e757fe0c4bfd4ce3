"""What a caller reads when a call ends."""

from collections.abc import Mapping
from typing import Final

_ENDED: Final[Mapping[str, str]] = {
    "goodbye": "You ended the call.",
    "page_closed": "You ended the call.",
    "caller_lost": "The connection was lost for too long, so the call ended.",
    "silence": "Nobody spoke for a while, so the agent said goodbye.",
    "max_duration": "The call reached its longest allowed time.",
    "budget": "The call reached its limit.",
    "day_budget": "What may be talked today is used up. It begins anew at midnight UTC.",
    "operator": "The call was ended by somebody who looks after this service.",
    "replaced": "This call goes on in another window.",
    "server_stopping": "The server is being stopped. Please call again in a moment.",
    "cancelled": "The server is being stopped. Please call again in a moment.",
    "model_lost": "The voice service could not be reached. Please call again in a moment.",
    "internal_error": "Something went wrong on our side. Please call again.",
}


def ended_text(reason: str) -> str:
    """A sentence for why a call ended; `model_lost:1006` reads as `model_lost`."""
    return _ENDED.get(reason.partition(":")[0], "The call has ended.")
