"""The live calls of this process, as they were told to the records on the way there."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from switchboard.console import protocol as wire
from switchboard.console.feed import Feed
from switchboard.console.watched import Watched
from switchboard.conversation.commands import Note
from switchboard.exchange.ledger import Ledger
from switchboard.records.outcomes import outcome_of
from switchboard.records.redaction.kinds import FULL, Redaction

MOST_EARLY: Final = 200
"""Notes of calls that are not opened yet."""


class Register:
    """Between the exchange and the recorder: passes everything on, and remembers what lives.

    Replaces neither: what is here is gone with the process. Never waits.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        title_of: Callable[[str], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._title_of = title_of
        self._calls: dict[str, Watched] = {}
        self._early: OrderedDict[tuple[str, int], tuple[Note, float]] = OrderedDict()
        self._count = 0
        self.feed = Feed()
        """Who watches all of them."""

    # -- the exchange's half ----------------------------------------------------------------

    def open_call(
        self,
        call_id: str,
        *,
        principal_id: str,
        agent: str,
        model: str,
        voice: str,
        channel: str,
        began_at: float,
        direction: str = "in",
        redaction: Redaction = FULL,
    ) -> None:
        self._ledger.open_call(
            call_id,
            principal_id=principal_id,
            agent=agent,
            model=model,
            voice=voice,
            channel=channel,
            began_at=began_at,
            direction=direction,
            redaction=redaction,
        )
        facts = wire.CallFacts(
            id=call_id,
            agent=agent,
            channel=cast("Any", channel),
            direction=cast("Any", direction),
            caller=principal_id,
            model=model,
            voice=voice,
            began_at=began_at,
        )
        watched = self._calls[call_id] = Watched(facts, self._title_of, self._clock)
        for key in [key for key in self._early if key[0] == call_id]:
            watched.note(*self._early.pop(key))
        self._tell(watched)

    def note(self, call_id: str, note: Note, at: float) -> None:
        self._ledger.note(call_id, note, at)
        watched = self._calls.get(call_id)
        if watched is None:
            self._count += 1
            self._early[call_id, self._count] = (note, at)
            if len(self._early) > MOST_EARLY:
                self._early.popitem(last=False)
        elif watched.note(note, at):
            self._tell(watched)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        self._ledger.close_call(call_id, reason, ended_at)
        watched = self._calls.pop(call_id, None)
        if watched is None:
            return
        watched.ended(
            msgspec.structs.replace(
                watched.facts,
                ended_at=ended_at,
                end_reason=reason[:200],
                outcome=outcome_of(reason),
            )
        )
        self.feed.tell(call_id, wire.Gone(call_id))

    # -- the console's half -----------------------------------------------------------------

    def find(self, call_id: str) -> Watched | None:
        return self._calls.get(call_id)

    def now(self) -> wire.LiveNow:
        """Every live call, the longest first."""
        return wire.LiveNow([watched.row() for watched in self._calls.values()], self.now_s())

    def now_s(self) -> float:
        """Epoch seconds."""
        return self._clock()

    def is_asking(self, call_id: str, tool_id: str) -> bool:
        """Whether this tool waits for somebody's consent."""
        watched = self._calls.get(call_id)
        tool = None if watched is None else watched.tools.get(tool_id)
        return tool is not None and tool.state == "asking"

    def _tell(self, watched: Watched) -> None:
        if self.feed:
            self.feed.tell(watched.facts.id, wire.Row(watched.row()))
