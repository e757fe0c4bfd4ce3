"""The rows of the tickets. What a ticket means is decided in `access`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert

from switchboard.records.schema import TicketRow
from switchboard.records.store import Store


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """What a ticket's row says of it."""

    call_id: str
    principal_id: str
    kind: str


class TicketTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self, digest: str, call_id: str, principal_id: str, kind: str, expires_at: float
    ) -> None:
        async with self._store.writing() as connection:
            await connection.execute(
                insert(TicketRow).values(
                    digest=digest,
                    call_id=call_id,
                    principal_id=principal_id,
                    kind=kind,
                    expires_at=expires_at,
                )
            )

    async def take(self, digest: str, now: float) -> StoredTicket | None:
        """Consume the ticket, whoever comes first; `None` when it is unknown, used or expired."""
        wanted = (TicketRow.digest == digest) & (TicketRow.expires_at > now)
        taken = await self._delete(wanted)
        return taken[0] if taken else None

    async def sweep(self, now: float) -> Sequence[StoredTicket]:
        """Delete what expired unused, and say what it was for."""
        return await self._delete(TicketRow.expires_at <= now)

    async def revoke(self, call_id: str) -> None:
        """Delete every ticket of a call."""
        await self._delete(TicketRow.call_id == call_id)

    async def _delete(self, where: ColumnElement[bool]) -> Sequence[StoredTicket]:
        taken = delete(TicketRow).where(where)
        returning = taken.returning(TicketRow.call_id, TicketRow.principal_id, TicketRow.kind)
        async with self._store.writing() as connection:
            rows = (await connection.execute(returning)).all()
        return [StoredTicket(call_id, principal_id, kind) for call_id, principal_id, kind in rows]
