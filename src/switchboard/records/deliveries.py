"""What webhooks are to be told: kept until they have it, or it is given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Select, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from switchboard.records.schema import AfterCall, Call
from switchboard.records.schema import WebhookDelivery as Row
from switchboard.records.store import Store

WAITING: Final = "waiting"
SENDING: Final = "sending"
DELIVERED: Final = "delivered"
STOPPED: Final = "stopped"
GIVEN_UP: Final = "given_up"
LEASE_S: Final = 120.0
"""Whoever is sending is done by then, or is no more: then it is sent again."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be sent now."""

    id: str
    call_id: str
    event: str
    attempts: int
    """This one among them."""
    until: float
    """The claim: epoch seconds."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of sending it."""

    state: str
    host: str | None = None
    status: int | None = None
    error: str | None = None
    due_at: float | None = None
    """When it is tried again."""


class DeliveryTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take_due(self, now: float) -> Due | None:
        """A message that is due: nobody else's for now."""
        # Mostly there is none: no lock for that.
        if not await self._store.read(partial(_is_due, now)):
            return None
        async with self._store.writing() as connection:
            due = _due().order_by(Row.due_at).with_for_update(skip_locked=True)
            if (found := (await connection.execute(due, {"now": now})).scalar()) is None:
                return None
            taken = (
                update(Row)
                .where(Row.id == found)
                .values(state=SENDING, due_at=now + LEASE_S, attempts=Row.attempts + 1, last_at=now)
                .returning(Row.id, Row.call_id, Row.event, Row.attempts)
            )
            row = (await connection.execute(taken)).one()
        return Due(row.id, row.call_id, row.event, row.attempts, now + LEASE_S)

    async def settle(self, due: Due, attempt: Attempt) -> None:
        """What became of it, unless somebody else has it by now."""
        values: dict[str, Any] = {
            "state": attempt.state,
            "host": attempt.host,
            "status": attempt.status,
            "error": attempt.error,
        }
        if attempt.due_at is not None:
            values["due_at"] = attempt.due_at
        mine = update(Row).where(Row.id == due.id, Row.state == SENDING, Row.due_at == due.until)
        async with self._store.writing() as connection:
            await connection.execute(mine.values(values))

    async def again(self, call_id: str, now: float) -> int:
        """Whatever of this call was not delivered is due now, and begins anew. How many."""
        undone = update(Row).where(
            Row.call_id == call_id, or_(Row.state.in_((WAITING, STOPPED, GIVEN_UP)))
        )
        async with self._store.writing() as connection:
            result: CursorResult[Any] = await connection.execute(
                undone.values(state=WAITING, due_at=now, attempts=0)
            )
        return result.rowcount

    async def of(self, call_id: str) -> Sequence[Row]:
        """Those of a call, in order."""
        wanted = select(Row).where(Row.call_id == call_id).order_by(Row.created_at)
        async with self._store.reading() as connection, AsyncSession(connection) as session:
            return (await session.scalars(wanted)).all()

    async def contents(self, call_id: str) -> tuple[Call, AfterCall] | None:
        """What a message tells of."""
        async with self._store.reading() as connection, AsyncSession(connection) as session:
            call, after = await session.get(Call, call_id), await session.get(AfterCall, call_id)
        return None if call is None or after is None else (call, after)


@cache
def _due() -> Select[str]:
    """Made once, for it is asked all day, beside the calls."""
    due = Row.state.in_((WAITING, SENDING)), Row.due_at <= bindparam("now")
    return select(Row.id).where(*due).limit(1)


def _is_due(now: float, connection: Connection) -> bool:
    return connection.execute(_due(), {"now": now}).first() is not None
