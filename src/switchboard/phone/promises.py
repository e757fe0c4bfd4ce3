"""Calls that an agent promised on the telephone: kept in time, within the rules of that time."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import anyio

from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.refusals import TooOften
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.phone.dialling import NotDialled, Why
from switchboard.phone.outgoing import Outgoing, Wish
from switchboard.phone.permits import Permits
from switchboard.records.placed import PlacedCall, State
from switchboard.records.promised import Promise, PromisedTable

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""How often is looked for what is due."""
SOONEST_S: Final = 60.0
LATEST_S: Final = 14 * 86_400.0
LATE_S: Final = 12 * 3_600.0
"""A call that could not be placed by then comes too late."""
ATTEMPTS: Final = 3
KEEPING_S: Final = 120.0
"""Longer than it takes to have a telephone ring: whoever has not done so by then has failed."""
AGAIN_S: Final = 900.0
"""After nobody answered."""
BUSY_S: Final = 120.0
"""After all our lines were taken, or too many were rung."""
_LATER: Final = frozenset({Why.QUIET, Why.AT_ONCE, Why.DAY_QUOTA})
"""Refusals that time mends."""
_TRY_AGAIN: Final = frozenset({State.BUSY, State.NO_ANSWER})


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be called, by which agent, and for whose quota it counts."""

    number: str
    """E.164, from the carrier."""
    agent: str
    principal_id: str


class Promises:
    """Keeps them. `run` must run beside it."""

    def __init__(
        self,
        table: PromisedTable,
        permits: Permits,
        outgoing: Outgoing,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._permits = permits
        self._outgoing = outgoing
        self._clock = clock
        outgoing.on_over = self.over

    async def make(self, asked: Asked, at: float, reason: str) -> None:
        """Promise a call at `at`, epoch seconds. Raises `NotAllowed` in words for a time or a
        telephone that the rules refuse."""
        now = self._clock()
        if not now + SOONEST_S <= at <= now + LATEST_S:
            raise NotAllowed("A call can be promised for between a minute and two weeks from now.")
        await self._permits.check(self._permits.understand(asked.number), at)
        promise = Promise(
            secrets.token_urlsafe(12),
            asked.number,
            asked.agent,
            asked.principal_id,
            reason,
            at,
            at + LATE_S,
        )
        await self._table.put(promise)
        logger.info("call promised", extra={"promise": promise.id})

    async def never(self, number: str) -> None:
        """Whoever has this number is never called again, whatever was promised."""
        await self._permits.never_again(number, "asked on the telephone")
        await self._table.forget(number)

    async def run(self, look_s: float = LOOK_S) -> None:
        """Keep what is due, until cancelled."""
        await self._table.sweep(self._clock())
        while True:
            try:
                await self.keep_due()
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("promises not kept", extra={"error": type(reason).__name__})
            await anyio.sleep(look_s)

    async def keep_due(self) -> None:
        """Place every call that is due, those that a fault or a crash left half kept as well."""
        await self._table.release(self._clock() - KEEPING_S)
        for call_id in await self._table.unheard():
            await self.over(await self._outgoing.need(call_id))
        while (promise := await self._table.take_due(self._clock())) is not None:
            await self._keep(promise)

    async def _keep(self, promise: Promise) -> None:
        now = self._clock()
        if now > promise.until or promise.attempts > ATTEMPTS:
            await self._give_up(promise, "too_late" if now > promise.until else "too_often")
            return
        by = Principal(promise.principal_id, "Caller", frozenset({Role.CALLER}), Kind.TELEPHONE)
        wish = Wish(
            promise.number,
            promise.agent,
            f"promise {promise.id} {promise.attempts}",
            {"why we call": f"They asked us to call them now, about: {promise.reason}"},
        )
        try:
            call = await self._outgoing.place(wish, by)
        except NotDialled as refusal:
            if refusal.why in _LATER:
                await self._postpone(promise, AGAIN_S, tried=False)
            else:
                await self._give_up(promise, refusal.why.value)
            return
        except (LinesBusy, TooOften):
            await self._postpone(promise, BUSY_S, tried=False)
            return
        except NotAllowed:
            await self._give_up(promise, "agent_gone")
            return
        await self._table.dialled(promise.id, call.call_id)
        # It may be over already, and nobody knew then which promise it was to keep.
        await self.over(await self._outgoing.need(call.call_id))

    async def over(self, call: PlacedCall) -> None:
        """A placed call is over: whether that kept a promise. Others are no matter of ours."""
        if call.ended_at is None:
            return
        promise = await self._table.of_call(call.call_id)
        if promise is None:
            return
        failed_early = call.state is State.FAILED and call.reason in ("carrier", "interrupted")
        if call.state not in _TRY_AGAIN and not failed_early:
            await self._table.settle(promise.id, kept=call.state is not State.FAILED)
            logger.info("promise settled", extra={"promise": promise.id, "state": call.state.value})
        elif promise.attempts >= ATTEMPTS:
            await self._give_up(promise, "nobody_answered")
        else:
            await self._postpone(promise, AGAIN_S, tried=True)

    async def _postpone(self, promise: Promise, by_s: float, *, tried: bool) -> None:
        attempts = promise.attempts if tried else promise.attempts - 1
        await self._table.postpone(promise.id, self._clock() + by_s, attempts=attempts)
        logger.info("promised call postponed", extra={"promise": promise.id, "by_s": by_s})

    async def _give_up(self, promise: Promise, why: str) -> None:
        await self._table.settle(promise.id, kept=False)
        logger.warning("promised call given up", extra={"promise": promise.id, "why": why})


def moment(when: datetime, zone: ZoneInfo | None) -> datetime:
    """A time as somebody said it: where it has no zone, by the clock of their telephone, or of this
    server where nobody knows that."""
    if when.tzinfo is None and zone is not None:
        return when.replace(tzinfo=zone)
    return when.astimezone(zone)
