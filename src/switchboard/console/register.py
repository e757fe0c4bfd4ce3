"""The live calls of this process, as they were told to the records on the way there."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from switchboard.console import protocol as wire
from switchboard.console.feed import Feed
from switchboard.console.veil import Veil, speaks
from switchboard.console.watched import Watched
from switchboard.conversation.commands import Note
from switchboard.exchange.ledger import Ledger
from switchboard.records.opening import Opening
from switchboard.records.outcomes import outcome_of
from switchboard.records.redacting import Redacting

MOST_EARLY: Final = 200
"""Notes of calls that are not opened yet."""


class Register:
    """Between the exchange and the recorder: passes everything on, and remembers what lives.

    Replaces neither: what is here is gone with the process. Never waits. What was said is shown as
    it will be stored, a moment later; `run` must run.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        title_of: Callable[[str], str],
        clock: Callable[[], float] = time.time,
        server: str | None = None,
    ) -> None:
        """`server` is our name, where there are several."""
        self._server = server
        self._ledger = ledger
        self._clock = clock
        self._title_of = title_of
        self._calls: dict[str, Watched] = {}
        self._redacting = Redacting()
        self._veil = Veil(self._redacting.note, self._show, self._is_looked_at)
        self._early: OrderedDict[tuple[str, int], tuple[Note, float]] = OrderedDict()
        self._count = 0
        self.feed = Feed()
        """Who watches all of them."""

    # -- the exchange's half ----------------------------------------------------------------

    def open_call(self, opening: Opening) -> None:
        self._ledger.open_call(opening)
        call_id = opening.call_id
        facts = wire.CallFacts(
            id=call_id,
            agent=opening.agent,
            channel=cast("Any", opening.channel),
            direction=cast("Any", opening.direction),
            caller=opening.principal_id,
            model=opening.model,
            voice=opening.voice,
            began_at=opening.began_at,
            server=self._server,
        )
        self._redacting.begin(call_id, opening.redaction)
        watched = self._calls[call_id] = Watched(facts, self._title_of, self._clock)
        for note in opening.past.notes if opening.past else ():
            watched.note(note, opening.began_at + note.began_ms / 1_000)
        for key in [key for key in self._early if key[0] == call_id]:
            self._take(watched, *self._early.pop(key))
        self._tell(watched)

    def note(self, call_id: str, note: Note, at: float) -> None:
        self._ledger.note(call_id, note, at)
        watched = self._calls.get(call_id)
        if watched is None:
            self._count += 1
            self._early[call_id, self._count] = (note, at)
            if len(self._early) > MOST_EARLY:
                self._early.popitem(last=False)
        else:
            self._take(watched, note, at)

    def _take(self, watched: Watched, note: Note, at: float) -> None:
        if speaks(note):
            self._veil.put(watched.facts.id, note, at)
        elif watched.note(note, at):
            self._tell(watched)

    def _show(self, call_id: str, note: Note, at: float) -> None:
        watched = self._calls.get(call_id)
        if watched is not None and watched.note(note, at):
            self._tell(watched)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        self._ledger.close_call(call_id, reason, ended_at)
        if (watched := self._calls.get(call_id)) is None:
            return
        facts = msgspec.structs.replace(
            watched.facts,
            ended_at=ended_at,
            end_reason=self._redacting.text(call_id, reason)[:200],
            outcome=outcome_of(reason),
        )
        self._veil.end(call_id, lambda: self._ended(facts))

    def _ended(self, facts: wire.CallFacts) -> None:
        watched = self._calls.pop(facts.id, None)
        if watched is not None:
            watched.ended(facts)
            self.feed.tell(facts.id, wire.Gone(facts.id))

    def let_go(self, call_id: str) -> None:
        self._ledger.let_go(call_id)

    # -- the console's half -----------------------------------------------------------------

    async def run(self) -> None:
        """Read what was said, until cancelled."""
        await self._veil.run()

    async def settle(self) -> None:
        """What was said until now is shown when this returns."""
        await self._veil.settle()

    def find(self, call_id: str) -> Watched | None:
        return self._calls.get(call_id)

    def now(self) -> wire.LiveNow:
        """Every live call, the longest first."""
        return wire.LiveNow([watched.row() for watched in self._calls.values()], self.now_s())

    def is_watched(self) -> bool:
        """Whether a console is open that would show a wish for a human."""
        return bool(self.feed)

    def _is_looked_at(self) -> bool:
        """Whether anybody sees what is said, of all calls or of one."""
        return bool(self.feed) or any(watched.feed for watched in self._calls.values())

    def now_s(self) -> float:
        """Epoch seconds."""
        return self._clock()

    def is_asking(self, call_id: str, tool_id: str) -> bool:
        """Whether this tool waits for somebody's consent."""
        watched = self._calls.get(call_id)
        tool = None if watched is None else watched.tools.get(tool_id)
        return tool is not None and tool.state == "asking"

    def tell(self, watched: Watched) -> None:
        """Its row looks different now. One that is over has none."""
        if self._calls.get(watched.facts.id) is watched:
            self._tell(watched)

    def _tell(self, watched: Watched) -> None:
        if self.feed:
            self.feed.tell(watched.facts.id, wire.Row(watched.row()))
