"""The gate beside the conversation: audio runs past `apply`, but only through here.

Counting is all that happens to a frame. The conversation opens a reply's gate when the reply
begins and closes it for good at a barge-in; what arrives late is refused by its reply's id.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

HEARD_OUT_MS: Final = 40.0
"""An item of which less than this is missing was heard to the end: reports come in steps."""


class Passage(Enum):
    REFUSED = "refused"
    FIRST = "first"
    """Passed, as the first audio of its item."""
    PASSED = "passed"


@dataclass(slots=True)
class Sounding:
    """An item with audio: what came from the model, and what the caller heard of it."""

    item_id: str
    reply_id: str
    first_at: float
    """When its first audio passed (monotonic seconds)."""
    received_ms: float = 0.0
    heard_ms: float = 0.0
    cut: bool = False

    @property
    def heard_out(self) -> bool:
        """Whether it was heard to its end, as far as one can tell."""
        return self.heard_ms >= self.received_ms - HEARD_OUT_MS


@dataclass(slots=True)
class Gate:
    """Totals of audio in both directions, and the replies that may still pass."""

    open_replies: set[str] = field(default_factory=set[str])
    sounding: dict[str, Sounding] = field(default_factory=dict[str, Sounding])
    """Items not yet heard to the end, in the order in which they play."""
    caller_ms: float = 0.0
    """All the caller's audio since the call began, whether or not a model has heard it."""
    session_from_ms: float = 0.0
    """The position in it at which the model's session, and so the service's own clock, began."""
    needed_from_ms: float = 0.0
    """The oldest position in it that a new session might have to hear again."""
    deaf: bool = False
    """Nothing of the caller is passed on, counted or kept: it is not said to the agent."""
    plays_until: float = 0.0
    """When the ear would have heard everything that passed, were it played without a gap."""

    def caller(self, ms: float) -> None:
        """Count audio of the caller."""
        self.caller_ms += ms

    def admit(self, reply_id: str, item_id: str, ms: float, now: float) -> Passage:
        """Whether this audio may go to the ear; counts it if so."""
        if reply_id not in self.open_replies:
            return Passage.REFUSED
        self.plays_until = max(self.plays_until, now) + ms / 1000
        item = self.sounding.get(item_id)
        if item is None:
            self.sounding[item_id] = Sounding(item_id, reply_id, now, ms)
            return Passage.FIRST
        item.received_ms += ms
        return Passage.PASSED

    def heard(self, item_id: str, ms: float, now: float) -> Sounding | None:
        """Take a report of what was played: a claim, so never more than was sent or could have
        been played since. `None` if it says nothing new."""
        item = self.sounding.get(item_id)
        if item is None or item.cut:
            return None
        heard_ms = min(ms, item.received_ms, (now - item.first_at) * 1000)
        if heard_ms <= item.heard_ms:
            return None
        item.heard_ms = heard_ms
        return item

    @property
    def unheard_ms(self) -> float:
        """What the ear has still to play, by its own reports."""
        return sum(item.received_ms - item.heard_ms for item in self.sounding.values())

    def close(self) -> None:
        """Refuse everything of every reply that is under way: nothing more will play."""
        self.open_replies.clear()
        self.plays_until = 0.0
