"""Which of the caller's audio a new model session would have to be given.

Positions are milliseconds of all the caller's audio since the call began. The audio itself is
kept by the exchange, and only as far back as `KEPT_MS` and as `Gate.needed_from_ms` say.
"""

from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.gate import Gate

KEPT_MS: Final = 15_000.0
"""The longest stretch of a caller's audio that is kept."""
LATELY_MS: Final = 600.0
"""Speech that began no longer ago may not have been noticed yet."""
PADDING_MS: Final = 200.0
"""Speech begins a little before a service says so."""


@dataclass(slots=True)
class Span:
    """Where a spoken turn lies in the caller's audio."""

    from_ms: float
    to_ms: float | None = None
    """`None` while it is being spoken."""


@dataclass(slots=True)
class Earshot:
    """The spoken turns whose words are not known, and so may have to be heard again."""

    gate: Gate
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    """By item id, oldest first."""
    unanswered: str | None = None
    """The newest turn, while nothing of an answer to it has come."""
    again: str | None = None
    """The turn that a new session was given to hear, until it begins to hear it."""
    _again_by_ms: float = 0.0
    _known_as: dict[str, str] = field(default_factory=dict[str, str])
    _ended_ms: float = 0.0

    def name(self, item_id: str, at_ms: float | None = None) -> str:
        """The id by which the call knows this turn: one that is heard again keeps its first.

        `at_ms` is given where a turn begins, on the service's clock.
        """
        if at_ms is not None and self.again is not None:
            if at_ms <= self._again_by_ms:
                self._known_as[item_id] = self.again
            self.again = None
        return self._known_as.get(item_id, item_id)

    def began(self, item_id: str, at_ms: float) -> None:
        """A turn began, at `at_ms` on the service's clock."""
        start = self.gate.session_from_ms + at_ms - PADDING_MS
        self.spans[item_id] = Span(max(start, self._ended_ms, 0.0))
        self.unanswered = item_id
        self._measure()

    def ended(self, at_ms: float) -> None:
        """The turn being spoken ended, at `at_ms` on the service's clock."""
        self._ended_ms = self.gate.session_from_ms + at_ms
        for span in self.spans.values():
            if span.to_ms is None:
                span.to_ms = self._ended_ms

    def understood(self, item_id: str) -> None:
        """The words of a turn are known, so its sound is needed no more."""
        self.spans.pop(item_id, None)
        self._measure()

    def answered(self) -> None:
        """Something of an answer came."""
        self.unanswered = None

    @property
    def oldest_ms(self) -> float:
        """The position of the oldest audio that may still be kept."""
        return max(self.gate.caller_ms - KEPT_MS, 0.0)

    def to_resend(self) -> float:
        """The position from which a new session must hear the caller.

        From the beginning of a turn that nobody has answered and whose words are not known; else
        only what may not have been noticed yet.
        """
        span = self.spans.get(self.unanswered or "")
        lately_ms = max(self._ended_ms, self.gate.caller_ms - LATELY_MS)
        wanted_ms = lately_ms if span is None else span.from_ms
        return max(wanted_ms, self.oldest_ms)

    def unheard(self) -> bool:
        """The turn that was to be heard again cannot be: its sound never came here. Says whether
        there was one."""
        if self.again is None:
            return False
        self.spans.pop(self.again, None)
        self.again = self.unanswered = None
        return True

    def lost(self) -> None:
        """The session is gone. Until there is another, what it must hear is to be kept."""
        start_ms = self.to_resend()
        self.gate.needed_from_ms = start_ms
        self.again = self.unanswered if self.unanswered in self.spans else None
        self._known_as.clear()
        for span in self.spans.values():
            span.to_ms = span.to_ms or self.gate.caller_ms
        self._again_by_ms = self.gate.caller_ms - start_ms

    def begin_session(self, *, from_ms: float) -> None:
        """A session began that hears the caller's audio from this position on."""
        self.gate.session_from_ms = from_ms
        if self.again is not None:
            self.spans.pop(self.again, None)  # it begins anew when the new session hears it
        self._measure()

    def _measure(self) -> None:
        oldest_ms = self.gate.caller_ms - KEPT_MS
        self.spans = {
            item_id: span
            for item_id, span in self.spans.items()
            if span.to_ms is None or span.to_ms > oldest_ms
        }
        starts = [span.from_ms for span in self.spans.values()]
        self.gate.needed_from_ms = min(starts, default=float("inf"))
