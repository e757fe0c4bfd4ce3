"""Which server carries a call, and who else shares the database. On SQLite, nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from switchboard.records.orphans import CLOCK, STALE_S
from switchboard.records.schema import Call, Item, ReplicaRow
from switchboard.records.store import Store


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server that lives."""

    id: str
    url: str | None
    """Where it is reached, if it said so."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call of another server, as far as it is written down."""

    call: Call
    last: Item | None
    """The line that began last."""


class Whereabouts:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def holder(self, call_id: str) -> Peer | None:
        """The other server that carries this call; `None` where none does, or this one."""
        wanted = select(ReplicaRow.id, ReplicaRow.url).join(Call, Call.replica_id == ReplicaRow.id)
        wanted = wanted.where(Call.id == call_id, Call.ended_at.is_(None), *self._others())
        if not self._store.is_shared:
            return None
        async with self._store.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else Peer(*row)

    async def peers(self) -> Sequence[Peer]:
        """All others that live."""
        if not self._store.is_shared:
            return ()
        wanted = select(ReplicaRow.id, ReplicaRow.url).where(*self._others())
        async with self._store.reading() as connection:
            return [Peer(*row) for row in (await connection.execute(wanted)).all()]

    async def open_calls(self, replica_ids: Sequence[str], most: int = 500) -> Sequence[OpenCall]:
        """Of these servers, the longest first."""
        if not replica_ids:
            return ()
        calls = (
            select(Call)
            .where(Call.ended_at.is_(None), Call.replica_id.in_(replica_ids))
            .order_by(Call.began_at)
            .limit(most)
        )
        async with self._store.reading() as connection, AsyncSession(connection) as session:
            found = (await session.scalars(calls)).all()
            last = (
                select(Item)
                .where(Item.call_id.in_([call.id for call in found]), Item.text != "")
                .ext(distinct_on(Item.call_id))
                .order_by(Item.call_id, Item.began_ms.desc())
            )
            lines = {item.call_id: item for item in await session.scalars(last)}
        return [OpenCall(call, lines.get(call.id)) for call in found]

    def _others(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (ReplicaRow.id != self._store.replica, ReplicaRow.beat_at > CLOCK - STALE_S)
