"""What calls came to: which calls are to be read, who reads them, and what was read.

The work is found here, in the database, so it survives whoever was at it.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import CursorResult, Select, bindparam, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from switchboard.conversation.events import Usage
from switchboard.records.schema import AfterCall, Call, Item, WebhookDelivery
from switchboard.records.store import Store

WORKING: Final = "working"
WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
OUTCOMES: Final = ("achieved", "partly", "not_achieved", "unknown")
"""Of one goal, and of all of them together."""

WITHIN_S: Final = 86_400.0
"""A call that has been over for longer is left alone."""
SETTLE_S: Final = 2.0
"""A call's last words may be written a moment after its end."""
LEASE_S: Final = 200.0
"""Whoever took a call is done by then, or is no more."""
MOST_ATTEMPTS: Final = 4
LOOK_AT: Final = 20


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is over, taken to be read."""

    call_id: str
    agent: str
    model: str
    """What its service calls it."""
    until: float
    """The claim: epoch seconds. It is nobody else's until then."""
    attempts: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What a call came to."""

    summary: str | None = None
    outcome: str | None = None
    goals: Sequence[Mapping[str, str]] = ()
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What it took to find out. Tokens of text."""

    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    """`None` where the model has no price."""


class AfterTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, agents: Collection[str], now: float) -> Ended | None:
        """A call that nobody has read yet, of these agents: nobody else's from now on.

        One in which the caller said nothing is none.
        """
        again = await self._take_again(agents, now)
        if again is not None:
            return again
        found = await self._store.read(
            lambda connection: connection.execute(
                _unread(tuple(agents)), _readable_at(now, SETTLE_S)
            ).all()
        )
        for call_id, agent, model in found:
            if await self._claim(call_id, now + LEASE_S):
                return Ended(call_id, agent, model, now + LEASE_S, 1)
        return None

    async def _claim(self, call_id: str, until: float) -> bool:
        new = postgresql.insert if self._store.dialect == "postgresql" else sqlite.insert
        row = new(AfterCall).values(call_id=call_id, state=WORKING, due_at=until, attempts=1)
        mine = row.on_conflict_do_nothing().returning(AfterCall.call_id)
        try:
            async with self._store.writing() as connection:
                return (await connection.execute(mine)).first() is not None
        except IntegrityError:  # it was erased between the look and the claim
            return False

    async def _take_again(self, agents: Collection[str], now: float) -> Ended | None:
        """One that was put off, or left behind by a server that is no more."""
        left = await self._store.read(
            lambda connection: connection.execute(_put_off(tuple(agents)), {"now": now}).all()
        )
        for call_id, due_at, attempts, agent, model in left:
            mine = _held(call_id, due_at).values(
                state=WORKING, due_at=now + LEASE_S, attempts=attempts + 1
            )
            async with self._store.writing() as connection:
                if await _count(connection, mine):
                    return Ended(call_id, agent, model, now + LEASE_S, attempts + 1)
        return None

    async def put_off(self, ended: Ended, due_at: float, why: str, spent: Spent) -> None:
        """It is to be tried again at `due_at`, by whoever is there."""
        later = {"state": WAITING, "due_at": due_at, "error": why[:300], **_spent(spent)}
        async with self._store.writing() as connection:
            await connection.execute(_held(ended.call_id, ended.until).values(later))

    async def spent(self, call_id: str) -> Spent:
        """What earlier attempts took."""
        async with self._store.reading() as connection, AsyncSession(connection) as session:
            row = await session.get(AfterCall, call_id)
        if row is None or row.input_text is None:
            return Spent()
        usage = Usage(
            input_text=row.input_text,
            cached_text=row.cached_text or 0,
            output_text=row.output_text or 0,
        )
        return Spent(row.model, usage, row.cost_usd)

    async def finish(
        self,
        ended: Ended,
        findings: Findings | None,
        spent: Spent,
        now: float,
        *,
        why: str | None = None,
        event: str | None = None,
    ) -> bool:
        """Keep what was found, or why nothing was; `event`: and tell the webhook so. False where
        the claim was lost, or the call is gone: then nothing is kept."""
        found = findings or Findings()
        values = {
            "state": FAILED if findings is None else DONE,
            "summary": found.summary,
            "outcome": found.outcome,
            "goals": json.dumps(list(found.goals), ensure_ascii=False) if found.goals else None,
            "fields": None
            if found.fields is None
            else json.dumps(found.fields, ensure_ascii=False),
            "error": None if why is None else why[:300],
            "finished_at": now,
            **_spent(spent),
        }
        async with self._store.writing() as connection:
            if not await _count(connection, _held(ended.call_id, ended.until).values(values)):
                return False
            if event is not None:
                await connection.execute(
                    insert(WebhookDelivery).values(
                        id=f"msg_{secrets.token_urlsafe(18)}",
                        call_id=ended.call_id,
                        event=event,
                        state=WAITING,
                        due_at=now,
                        created_at=now,
                        attempts=0,
                    )
                )
        return True

    async def of(self, call_id: str) -> AfterCall | None:
        """What is known of a call."""
        async with self._store.reading() as connection, AsyncSession(connection) as session:
            return await session.get(AfterCall, call_id)

    async def awaited(self, call_id: str, now: float) -> bool:
        """Whether there is something in it to be read."""
        async with self._store.reading() as connection:
            wanted = select(Call.id).where(Call.id == call_id, *_readable())
            found = await connection.execute(wanted, _readable_at(now, 0.0))
            return found.first() is not None


# Made once, for they are asked once a second, beside the calls.


@lru_cache(maxsize=4)
def _unread(agents: tuple[str, ...]) -> Select[str, str, str]:
    known = exists().where(AfterCall.call_id == Call.id)
    wanted = select(Call.id, Call.agent, Call.model).where(
        Call.agent.in_(agents), *_readable(), ~known
    )
    return wanted.order_by(Call.ended_at).limit(LOOK_AT)


@lru_cache(maxsize=4)
def _put_off(agents: tuple[str, ...]) -> Select[str, float, int, str, str]:
    wanted = select(
        AfterCall.call_id, AfterCall.due_at, AfterCall.attempts, Call.agent, Call.model
    ).join(Call, Call.id == AfterCall.call_id)
    due = AfterCall.state.in_((WORKING, WAITING)), AfterCall.due_at <= bindparam("now")
    mine = wanted.where(*due, Call.agent.in_(agents))
    return mine.order_by(AfterCall.due_at).limit(LOOK_AT)


def _readable() -> tuple[Any, ...]:
    """At a time; see `_readable_at`."""
    said = exists().where(Item.call_id == Call.id, Item.speaker == "caller", Item.text != "")
    return Call.ended_at > bindparam("since"), Call.ended_at <= bindparam("until"), said


def _readable_at(now: float, settle_s: float) -> Mapping[str, float]:
    return {"since": now - WITHIN_S, "until": now - settle_s}


def _held(call_id: str, until: float) -> Any:  # noqa: ANN401  (an `Update`, of whatever columns)
    """The row, if it is still as whoever asks believes."""
    mine = (AfterCall.call_id == call_id, AfterCall.due_at == until)
    open_ = or_(AfterCall.state == WORKING, AfterCall.state == WAITING)
    return update(AfterCall).where(*mine, open_)


def _spent(spent: Spent) -> dict[str, Any]:
    if spent.model is None:
        return {}
    return {
        "model": spent.model,
        "input_text": spent.usage.input_text,
        "cached_text": spent.usage.cached_text,
        "output_text": spent.usage.output_text,
        "cost_usd": spent.cost_usd,
    }


async def _count(connection: AsyncConnection, statement: Any) -> int:  # noqa: ANN401
    result: CursorResult[Any] = await connection.execute(statement)
    return result.rowcount
