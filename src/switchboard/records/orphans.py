"""Calls whose server is no more: which they are, and their end.

On SQLite there is one server (`claim`): what is open when it starts is nobody's. On PostgreSQL the
register of servers says who lives (`replicas`).
"""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Float,
    Update,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from switchboard.records.schema import Call, Dialled, ReplicaRow
from switchboard.records.states import OPEN, State
from switchboard.records.store import Store

STALE_S: Final = 8.0
"""A server that has said nothing for so long is dead."""
UNCLAIMED_S: Final = 11.0
"""Nor has anybody claimed its telephone calls, who could have, within this."""
CLOCK: Final[ColumnElement[float]] = literal_column(
    "CAST(extract(epoch FROM clock_timestamp()) AS double precision)", Float
)
"""PostgreSQL's own, epoch seconds: the servers' may differ."""

_CLOSING: Final = "orphans"
"""One server closes at a time: two that lock the same rows in two orders would wait for ever."""

type _ReplicaOf = InstrumentedAttribute[str | None]


def orphaned(store: Store, replica: _ReplicaOf) -> ColumnElement[bool]:
    """Rows of no server that lives. For the start, before this one has any."""
    if not store.is_shared:
        return true()
    return or_(replica.is_(None), left_by_dead(replica))


def orphaned_calls(store: Store) -> ColumnElement[bool]:
    """The same of calls: those that could still be claimed are left alone."""
    if not store.is_shared:
        return true()
    return or_(Call.replica_id.is_(None), lost_calls())


def lost_calls() -> ColumnElement[bool]:
    """Calls whose server is dead, and that nobody will claim any more."""
    page = left_by_dead(Call.replica_id) & (Call.channel != "phone")
    return or_(page, left_by_dead(Call.replica_id, UNCLAIMED_S))


def left_by_dead(replica: _ReplicaOf, silent_s: float = STALE_S) -> ColumnElement[bool]:
    """Rows of a server that lives no more. What came before there was a register is not known."""
    alive = select(ReplicaRow.id).where(ReplicaRow.beat_at > CLOCK - silent_s)
    return replica.not_in(alive)


async def close_calls(
    connection: AsyncConnection,
    store: Store,
    which: ColumnElement[bool],
    now: float,
    reason: str,
) -> int:
    """End those of `which` that are open: at their server's last sign of life, or `now`."""
    await store.alone(connection, _CLOSING)
    over = update(Call).where(Call.ended_at.is_(None), which)
    ended_at = _last_seen(store, Call.replica_id, now)
    return await _count(connection, over.values(ended_at=ended_at, end_reason=reason))


async def reopen_lost(connection: AsyncConnection, store: Store, replica: str, reason: str) -> int:
    """Open again what was closed for `reason` while `replica` was away, and is still its own.

    A call that has ended meanwhile is closed by the recorder, which has its end yet to write.
    """
    await store.alone(connection, _CLOSING)
    lost = update(Call).where(Call.replica_id == replica, Call.end_reason == reason)
    return await _count(connection, lost.values(ended_at=None, end_reason=None))


async def close_placed(
    connection: AsyncConnection, store: Store, which: ColumnElement[bool], now: float
) -> int:
    """Likewise for calls that were placed, but for those that another server carries."""
    await store.alone(connection, _CLOSING)
    over = update(Dialled).where(Dialled.ended_at.is_(None), Dialled.state.in_(OPEN), which)
    if store.is_shared:
        carried = exists().where(Call.id == Dialled.call_id, Call.ended_at.is_(None))
        over = over.where(~carried)
    ended_at = _last_seen(store, Dialled.replica_id, now)
    values = {"state": State.FAILED, "reason": "interrupted", "ended_at": ended_at}
    return await _count(connection, over.values(values))


def _last_seen(store: Store, replica: _ReplicaOf, now: float) -> Any:  # noqa: ANN401  (a column or a number)
    if not store.is_shared:
        return now
    beat = select(ReplicaRow.beat_at).where(ReplicaRow.id == replica).scalar_subquery()
    return func.coalesce(beat, now)


async def _count(connection: AsyncConnection, statement: Update) -> int:
    result: CursorResult[Any] = await connection.execute(statement)
    return result.rowcount
