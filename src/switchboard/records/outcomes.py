"""How a call came out, told from why it ended."""

from collections.abc import Mapping
from typing import Final

OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "finished": ("goodbye", "page_closed", "agent_ended", "hung_up", "ended"),
    "handed_over": ("transferred", "handed_over"),
    "lost": ("caller_lost", "page_gone", "silence", "nobody_came", "not_answered", "elsewhere"),
    "stopped": (
        "operator",
        "max_duration",
        "budget",
        "server_stopping",
        "cancelled",
        "not_recorded",
    ),
    "machine": ("answering_machine", "message_left"),
    "failed": ("internal_error", "model_lost", "interrupted", "lost", "dial_failed"),
}
"""Each with the reasons that come to it. A reason may go on after a colon: `model_lost:1006`."""
OTHER: Final = "other"
LIVE: Final = "live"
_OF: Final = {reason: name for name, reasons in OUTCOMES.items() for reason in reasons}


def outcome_of(end_reason: str | None) -> str:
    """A name of `OUTCOMES`; `live` for a call without an end, `other` for a reason of no kind."""
    return LIVE if end_reason is None else _OF.get(end_reason.partition(":")[0], OTHER)
