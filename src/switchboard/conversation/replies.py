"""One reply at a time: the single gate for `response.create`.

           want ──▶ queue ──ask──▶ asked ──ReplyStarted(tag)──▶ running ──ReplyDone──▶ (free)
                                    │  ╲ already_active: back to the front of the queue, once more
the service's own: ReplyStarted(no tag) ─────────────────────▶ running
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_QUEUED: Final = 8
MAX_REFUSALS: Final = 5
ACTIVE: Final = "conversation_already_has_active_response"


class Why(StrEnum):
    """What a reply is for."""

    GREETING = "greeting"
    TYPED = "typed"
    TOOLS = "tools"
    SLOW = "slow"
    SILENCE = "silence"
    WARNING = "warning"
    WHISPER = "whisper"
    DICTATED = "dictated"
    """Says what an operator wants said."""
    RETURN = "return"
    RETRY = "retry"
    RENEWED = "renewed"
    KEYS = "keys"
    NOTICE = "notice"
    GOODBYE = "goodbye"
    HANDING = "handing"
    """Says that the caller will be connected with a human."""
    TAKEN = "taken"
    """Says that an operator has taken the call over."""
    BACK = "back"
    """The operator has given it back."""
    NOBODY = "nobody"
    """Says that no operator came."""
    BRIEFING = "briefing"
    """Tells that human what it is about; the caller does not hear it."""


FLEETING: Final = frozenset(
    {
        Why.GREETING,
        Why.SLOW,
        Why.SILENCE,
        Why.RETURN,
        Why.RETRY,
        Why.RENEWED,
        Why.TAKEN,
        Why.BACK,
    }
)
"""Said only if nothing else is going on: dropped when the caller speaks."""


APOLOGIES: Final = frozenset({Why.RETURN, Why.RENEWED})


@dataclass(slots=True)
class Wanted:
    """A reply of ours that waits for its turn."""

    why: Why
    instructions: str | None = None
    allow_tools: bool = True
    refusals: int = 0

    @property
    def is_free(self) -> bool:
        """Whether the model says what it wants to say, not what the house dictates."""
        return self.instructions is None


@dataclass(slots=True)
class Running:
    """A reply that the default conversation is making now."""

    reply_id: str
    wanted: Wanted | None
    """Ours, or `None` for one that the service began by itself."""
    sounded: bool = False
    """Something of it was sent to the ear."""


@dataclass(slots=True)
class Replies:
    queue: deque[Wanted] = field(default_factory=deque[Wanted])
    asked: tuple[str, Wanted] | None = None
    running: dict[str, Running] = field(default_factory=dict[str, Running])
    """By reply id. One at a time is the rule, but not every service keeps it."""
    doubtful: bool = False
    """Nobody knows whether what was asked for has arrived."""
    _asked_so_far: int = 0

    def want(self, wanted: Wanted) -> None:
        """Queue a reply; one of each kind is enough, and so is one apology; the newest wins. Of
        what operators dictate, each sentence counts."""
        if wanted.why is not Why.DICTATED:
            self.drop(APOLOGIES if wanted.why in APOLOGIES else frozenset({wanted.why}))
        if len(self.queue) < MAX_QUEUED:
            self.queue.append(wanted)

    def want_first(self, wanted: Wanted) -> None:
        """Queue a reply before all others."""
        self.drop(frozenset({wanted.why}))
        self.queue.appendleft(wanted)

    def drop(self, kinds: frozenset[Why]) -> None:
        self.queue = deque(w for w in self.queue if w.why not in kinds)

    def next_is(self, why: Why) -> bool:
        return bool(self.queue) and self.queue[0].why is why

    @property
    def free(self) -> bool:
        return self.asked is None and not self.running

    def ask(self) -> tuple[str, Wanted] | None:
        """Take the next reply from the queue, if none is asked for or running."""
        if not self.queue or not self.free:
            return None
        self._asked_so_far += 1
        wanted = self.queue.popleft()
        if wanted.is_free:
            # It will know all that was said and found so far, and answer it in one.
            self.queue = deque(other for other in self.queue if not other.is_free)
        self.asked = (f"sb_{self._asked_so_far}", wanted)
        return self.asked

    def unask(self) -> None:
        """The request went to a session that is no more: it comes first again."""
        if self.asked is not None:
            self.queue.appendleft(self.asked[1])
            self.asked = None
        self.doubtful = False

    def started(self, reply_id: str, tag: str | None) -> Running:
        wanted = None
        if self.asked and tag == self.asked[0]:
            wanted = self.asked[1]
            self.asked, self.doubtful = None, False
        running = self.running[reply_id] = Running(reply_id, wanted)
        return running

    def speaks_freely(self, reply_id: str) -> bool:
        """Whether a reply says what the model wants to say."""
        running = self.running.get(reply_id)
        return running is not None and (running.wanted is None or running.wanted.is_free)

    def done(self, reply_id: str) -> Running | None:
        """The reply that ended, if it was running."""
        return self.running.pop(reply_id, None)

    def refused(self, tag: str, code: str) -> Wanted | None:
        """Our request was refused. Queued once more behind an active reply; else given back."""
        if self.asked is None or self.asked[0] != tag:
            return None
        wanted, self.asked = self.asked[1], None
        wanted.refusals += 1
        if code == ACTIVE and wanted.refusals <= MAX_REFUSALS:
            self.queue.appendleft(wanted)
            return None
        return wanted
