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
    """The turn that a new session is given to hear, until it begins to hear it."""
    _lost_ms: float = 0.0
    _resend_ms: float | None = None
    """From where the next session must hear the caller; set while there is none."""
    _known_as: dict[str, str] = field(default_factory=dict[str, str])
    _ended_ms: float = 0.0

    # -- turns ----------------------------------------------------------------------------------

    def name(self, item_id: str) -> str:
        """The id by which the call knows this turn: one that is heard again keeps its first."""
        return self._known_as.get(item_id, item_id)

    def began(self, item_id: str, at_ms: float) -> str | None:
        """A turn began, at `at_ms` on the service's clock.

        Returns the turn that was to be heard again, if this is another: it will not be heard.
        """
        at = self.gate.session_from_ms + at_ms
        again, self.again = self.again, None
        if again is not None and at <= self._lost_ms:
            self._known_as[item_id] = again
            again = None
        self.spans[self.name(item_id)] = Span(max(at - PADDING_MS, self._ended_ms, 0.0))
        self.unanswered = self.name(item_id)
        self._measure()
        return again

    def ended(self, at_ms: float) -> None:
        """The turn being spoken ended, at `at_ms` on the service's clock."""
        self._ended_ms = self.gate.session_from_ms + at_ms
        for span in self.spans.values():
            if span.to_ms is None:
                span.to_ms = self._ended_ms

    def understood(self, item_id: str) -> None:
        """The words of a turn are known, so its sound is needed no more."""
        self.spans.pop(item_id, None)
        if self.again == item_id:
            self.again = None
        self._measure()

    def answered(self) -> None:
        """Something of an answer came, or none will."""
        self.unanswered = self.again = None
        self._measure()

    # -- sessions -------------------------------------------------------------------------------

    @property
    def oldest_ms(self) -> float:
        """The position of the oldest audio that may still be kept."""
        return max(self.gate.caller_ms - KEPT_MS, 0.0)

    def lost(self) -> None:
        """The session is gone. Until there is another, what it must hear is kept.

        That is from the beginning of a turn that nobody has answered and whose words are not
        known; else only what may not have been noticed yet.
        """
        gate = self.gate
        if gate.caller_ms <= 0:
            return  # the caller's voice does not pass here
        for span in self.spans.values():
            span.to_ms = span.to_ms or gate.caller_ms
        turn = self.spans.get(self.unanswered or "")
        kept = turn is not None and (turn.to_ms or 0.0) > self.oldest_ms
        self.again = self.unanswered if kept else None
        lately_ms = max(self._ended_ms, gate.caller_ms - LATELY_MS)
        self._resend_ms = turn.from_ms if turn is not None and kept else lately_ms
        self._lost_ms = gate.caller_ms
        self._known_as.clear()
        self._measure()

    def begin_session(self) -> float:
        """A session begins; the position from which it must hear the caller."""
        wanted_ms = 0.0 if self._resend_ms is None else self._resend_ms
        self.gate.session_from_ms = from_ms = max(wanted_ms, self.oldest_ms)
        self._resend_ms = None
        self._measure()
        return from_ms

    def unheard(self) -> bool:
        """A turn without words or answer cannot be heard again: its sound never came here. Says
        whether there was one."""
        turn = self.unanswered
        if turn is None or turn not in self.spans:
            return False
        del self.spans[turn]
        self.answered()
        return True

    def _measure(self) -> None:
        oldest_ms = self.oldest_ms
        self.spans = {
            item_id: span
            for item_id, span in self.spans.items()
            if span.to_ms is None or span.to_ms > oldest_ms
        }
        starts = [span.from_ms for span in self.spans.values()]
        if self._resend_ms is not None:
            starts.append(self._resend_ms)
        self.gate.needed_from_ms = min(starts, default=float("inf"))
