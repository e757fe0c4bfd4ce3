"""The day's budget: booked before a call begins, counted while it lasts, and kept to.

book ──▶ held ──(the call is opened)──▶ counted every `TICK_S` ──▶ settled at its end
  └─▶ refused          └──(nobody came, a crash)──▶ given back when the lease ends
counted, and the budget is nearly used up ──▶ the caller is told goodbye
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from switchboard.access.principal import Kind, Principal
from switchboard.access.refusals import BudgetSpent
from switchboard.conversation.commands import Note, NoteUsage
from switchboard.conversation.endings import DAY_BUDGET
from switchboard.exchange.ledger import Ledger
from switchboard.naming import NewId, new_call_id
from switchboard.records.budgets import DAY_S, Budgets, BudgetTable, Short, Used, day_of, known_as
from switchboard.records.opening import Opening

logger = logging.getLogger(__name__)

TICK_S: Final = 10.0
"""Well within what each call holds."""
SWEEP_S: Final = 3_600.0
LAST_S: Final = 5.0
"""For the last report, when the server stops."""
COME_S: Final = 600.0
"""Longer than any line waits for its caller."""
MOST_WAITING: Final = 10_000
"""Calls that are booked and not opened: each server has fewer lines."""
_WORDS: Final = {
    Short.USER: "You have used up what you may talk today. It begins anew at midnight UTC.",
    Short.ALL: "This service has used up what it may spend today. It begins anew at midnight UTC.",
}


@dataclass(slots=True)
class Meter:
    """What one call uses of one day."""

    row: str
    """Under what it is written: each server's part of a call that went over has its own, so that
    one does not replace the other."""
    payer: str
    day: str
    since: float | None = None
    """When it began, or the day did; `None` before it has."""
    until: float | None = None
    """When it ended."""
    usd: float = 0.0

    def used(self, now: float) -> Used:
        end = now if self.until is None else self.until
        seconds = 0.0 if self.since is None else max(0.0, end - self.since)
        over = self.until is not None
        return Used(self.row, self.day, known_as(self.payer, self.day), self.usd, seconds, over)


class Purse:
    """Between the exchange and its ledger: passes everything on, and counts. `run` must run.

    `end` ends a call of this server politely, for this reason. Times are epoch seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        table: BudgetTable,
        budgets: Budgets,
        *,
        clock: Callable[[], float] = time.time,
        new_id: NewId = new_call_id,
    ) -> None:
        self._new_id = new_id
        self._ledger = ledger
        self._table = table
        self._budgets = budgets
        self.clock = clock
        """Epoch seconds."""
        self._booked: dict[str, tuple[str, float]] = {}
        """Calls that may begin: who pays, and since when."""
        self._meters: dict[str, Meter] = {}
        self._settled: list[Used] = []
        """Of days and calls that are over, what is still to be written."""
        self.end: Callable[[str, str], None] = lambda _, __: None

    async def book(self, principal: Principal) -> str:
        """The id of a call that may begin. Raises `BudgetSpent` in words."""
        call_id, now, payer = self._new_id(), self.clock(), payer_of(principal)
        short = await self._table.book(call_id, payer, self._budgets, now)
        if short is not None:
            logger.warning("call refused: the day's budget", extra={"budget": short.value})
            raise BudgetSpent(_WORDS[short], retry_after_s=DAY_S - now % DAY_S)
        if len(self._booked) < MOST_WAITING:
            self._booked[call_id] = (payer, now)
        return call_id

    def forget(self, call_id: str) -> None:
        """It does not begin after all."""
        if (booked := self._booked.pop(call_id, None)) is not None:
            day = day_of(booked[1])
            self._settled.append(Used(call_id, day, known_as(booked[0], day), 0.0, 0.0, over=True))

    # -- the exchange's half: never waits ---------------------------------------------------

    def open_call(self, opening: Opening) -> None:
        self._ledger.open_call(opening)
        now = self.clock()
        # One that came from another server was booked there.
        payer, _ = self._booked.pop(opening.call_id, (opening.principal_id, now))
        row = opening.call_id
        if opening.past is not None:
            row = f"{row} {secrets.token_hex(4)}"
        self._meters[opening.call_id] = Meter(row, payer, day_of(now), now)

    def note(self, call_id: str, note: Note, at: float) -> None:
        self._ledger.note(call_id, note, at)
        if isinstance(note, NoteUsage) and (meter := self._meters.get(call_id)) is not None:
            meter.usd += note.cost_usd or 0.0

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        self._ledger.close_call(call_id, reason, ended_at)
        if (meter := self._meters.pop(call_id, None)) is not None:
            meter.until = self.clock()
            self._settled.append(meter.used(meter.until))

    def let_go(self, call_id: str) -> None:
        """Another server carries it on, and counts from now in a row of its own."""
        self._ledger.let_go(call_id)
        if (meter := self._meters.pop(call_id, None)) is not None:
            meter.until = self.clock()
            self._settled.append(meter.used(meter.until))

    # -- the counting -----------------------------------------------------------------------

    async def run(self, tick_s: float = TICK_S) -> None:
        """Count until cancelled; what was used by then is still written."""
        swept_at = float("-inf")
        try:
            while True:
                try:
                    await self.tick()
                    if self.clock() - swept_at > SWEEP_S:
                        await self._table.sweep(self.clock())
                        swept_at = self.clock()
                except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                    logger.warning("budget not counted", extra={"error": type(reason).__name__})
                await anyio.sleep(tick_s)
        finally:
            with anyio.move_on_after(LAST_S, shield=True):
                await self.tick()

    async def tick(self) -> None:
        """Write down what was used so far; tell calls goodbye whose budget is used up."""
        now = self.clock()
        self._forget_no_shows(now)
        for meter in self._meters.values():
            self._turn_the_page(meter, now)
        settled, self._settled = self._settled, []
        live = {call_id: meter.used(now) for call_id, meter in self._meters.items()}
        if not settled and not live:
            return
        try:
            short = await self._table.report([*settled, *live.values()], self._budgets, now)
        except BaseException:
            self._settled = [*settled, *self._settled]
            raise
        for call_id, used in live.items():
            if used.who in short and call_id in self._meters:
                logger.info("the day's budget ends a call", extra={"call": call_id})
                self.end(call_id, DAY_BUDGET)

    def _turn_the_page(self, meter: Meter, now: float) -> None:
        """What is used from now on is used of the new day."""
        today = day_of(now)
        if meter.day != today:
            used = meter.used(now)
            self._settled.append(
                Used(used.call_id, used.day, used.who, used.usd, used.seconds, over=True)
            )
            meter.day, meter.since, meter.usd = today, now, 0.0

    def _forget_no_shows(self, now: float) -> None:
        """Their lease gives back what they hold."""
        self._booked = {
            call_id: booked for call_id, booked in self._booked.items() if booked[1] > now - COME_S
        }


def payer_of(principal: Principal) -> str:
    """Whose budget it is: of strangers, those of one address have one together."""
    if principal.kind is Kind.ANONYMOUS:
        return f"{principal.id} {principal.address}"
    return principal.id
