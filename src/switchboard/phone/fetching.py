"""One human being fetched into one telephone call: what the carrier has told of it so far. Pure."""

from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.events import LineOutcome
from switchboard.phone.webhooks import Told, What

_BUSY: Final = frozenset({486, 600})
_NO_ANSWER: Final = frozenset({408, 480, 487})
_DECLINED: Final = frozenset({403, 603})
_DONE: Final = frozenset({What.TRANSFER_ACCEPTED, What.ADDED})
_FAILED: Final = frozenset({What.TRANSFER_FAILED, What.NOT_ADDED})


@dataclass(slots=True)
class Fetching:
    """`operation` is the context by which callbacks are known to be about it."""

    operation: str
    outcome: LineOutcome | None = None
    """Once the carrier has said it."""
    connected: bool = field(default=False)
    """Somebody answered."""

    def told(self, event: Told) -> bool:
        """Whether this callback decides it. The first that does counts."""
        if event.operation != self.operation or self.outcome is not None:
            return False
        if event.what in _DONE:
            self.outcome, self.connected = LineOutcome.DONE, True
        elif event.what in _FAILED:
            self.outcome = outcome_of(event.code)
        return self.outcome is not None


def outcome_of(code: int) -> LineOutcome:
    """Why nobody came, by the carrier's code, which is SIP's."""
    if code in _BUSY:
        return LineOutcome.BUSY
    if code in _NO_ANSWER:
        return LineOutcome.NO_ANSWER
    return LineOutcome.DECLINED if code in _DECLINED else LineOutcome.FAILED
