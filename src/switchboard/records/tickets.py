"""The rows of the tickets. What a ticket means is decided in `access`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Insert, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.schema import TicketRow
from switchboard.records.store import Store


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """What a ticket's row says of it."""

    call_id: str
    principal_id: str
    kind: str


class Issued(Protocol):
    """What is kept of a ticket handed out."""

    @property
    def digest(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def expires_at(self) -> float: ...


class TicketTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self, digest: str, call_id: str, principal_id: str, kind: str, expires_at: float
    ) -> None:
        async with self._store.writing() as connection:
            await connection.execute(_row(digest, call_id, principal_id, kind, expires_at))

    async def trade(
        self, digest: str, call_id: str, principal_id: str | None, now: float, *, new: Issued
    ) -> StoredTicket | None:
        """Consume the ticket, whoever comes first, and put `new` in its place, for the same holder.

        `None` when it is unknown, used, expired, or not `principal_id`'s, where somebody says who
        they are: then there is no new one.
        """
        wanted = (TicketRow.digest == digest) & (TicketRow.expires_at > now)
        async with self._store.writing() as connection:
            taken = await _delete(connection, wanted)
            if not taken or taken[0].call_id != call_id:
                return None
            holder = taken[0].principal_id
            if principal_id not in (None, holder):
                return None
            await connection.execute(_row(new.digest, call_id, holder, new.kind, new.expires_at))
        return taken[0]

    async def sweep(self, now: float) -> Sequence[StoredTicket]:
        """Delete what expired unused, and say what it was for."""
        # What another server is just sweeping is passed over: nobody waits for whom who waits.
        expired = select(TicketRow.digest).where(TicketRow.expires_at <= now)
        mine = expired.with_for_update(skip_locked=True)
        async with self._store.writing() as connection:
            return await _delete(connection, TicketRow.digest.in_(mine))

    async def revoke(self, call_id: str) -> None:
        """Delete every ticket of a call."""
        async with self._store.writing() as connection:
            await _delete(connection, TicketRow.call_id == call_id)


def _row(digest: str, call_id: str, principal_id: str, kind: str, expires_at: float) -> Insert:
    return insert(TicketRow).values(
        digest=digest,
        call_id=call_id,
        principal_id=principal_id,
        kind=kind,
        expires_at=expires_at,
    )


async def _delete(
    connection: AsyncConnection, where: ColumnElement[bool]
) -> Sequence[StoredTicket]:
    taken = delete(TicketRow).where(where)
    returning = taken.returning(TicketRow.call_id, TicketRow.principal_id, TicketRow.kind)
    rows = (await connection.execute(returning)).all()
    return [StoredTicket(call_id, principal_id, kind) for call_id, principal_id, kind in rows]
