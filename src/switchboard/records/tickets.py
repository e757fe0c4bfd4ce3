"""The rows of the tickets. What a ticket means is decided in `access`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete

from switchboard.records.schema import TicketRow
from switchboard.records.store import Store

TRADED: Final = ("open", "resume")
"""A caller's; those of other kinds are consumed by whoever they are for."""


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """What a ticket's row says of it."""

    call_id: str
    principal_id: str
    kind: str
    token_until: float | None = None
    facts: str = ""


class Issued(Protocol):
    """What is kept of a ticket handed out."""

    @property
    def digest(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def expires_at(self) -> float: ...


type _Taking = ReturningDelete[str, str, str, float | None, str]


def _taking(*where: ColumnElement[bool]) -> _Taking:
    """Deletes these, and tells what they said."""
    return (
        delete(TicketRow)
        .where(*where)
        .returning(
            TicketRow.call_id,
            TicketRow.principal_id,
            TicketRow.kind,
            TicketRow.token_until,
            TicketRow.facts,
        )
    )


# Made once: to make one costs more than to run it, and every call waits for two of them.
_PUT: Final = insert(TicketRow)
_CONSUME: Final = _taking(
    TicketRow.digest == bindparam("digest"),
    TicketRow.kind == bindparam("kind"),
    TicketRow.expires_at > bindparam("now"),
)
_TRADE: Final = _taking(
    TicketRow.digest == bindparam("digest"),
    TicketRow.expires_at > bindparam("now"),
    TicketRow.kind.in_(TRADED),
)
_EXTEND: Final = (
    update(TicketRow)
    .where(TicketRow.call_id == bindparam("of_call"))
    .values(token_until=bindparam("until"))
)
_REVOKE: Final = _taking(TicketRow.call_id == bindparam("call_id"))
# What another server is just sweeping is passed over: nobody waits for whom who waits.
_SWEEP: Final = _taking(
    TicketRow.digest.in_(
        select(TicketRow.digest)
        .where(TicketRow.expires_at <= bindparam("now"))
        .with_for_update(skip_locked=True)
    )
)


class TicketTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self,
        digest: str,
        call_id: str,
        principal_id: str,
        kind: str,
        expires_at: float,
        facts: str = "",
        *,
        token_until: float | None = None,
    ) -> None:
        row = _row(digest, call_id, principal_id, kind, expires_at, token_until, facts)
        async with self._store.writing_now() as connection:
            await connection.execute(_PUT, row)

    async def consume(self, digest: str, kind: str, now: float) -> StoredTicket | None:
        """Use a ticket of this kind up, whoever comes first; `None` to all others."""
        async with self._store.writing_now() as connection:
            taken = await _take(connection, _CONSUME, digest=digest, kind=kind, now=now)
        return taken[0] if taken else None

    async def trade(
        self, digest: str, call_id: str, principal_id: str | None, now: float, *, new: Issued
    ) -> StoredTicket | None:
        """Consume the ticket, whoever comes first, and put `new` in its place, for the same holder.

        `None` when it is unknown, used, expired, or not `principal_id`'s, where somebody says who
        they are: then there is no new one.
        """
        async with self._store.writing_now() as connection:
            taken = await _take(connection, _TRADE, digest=digest, now=now)
            if not taken or taken[0].call_id != call_id:
                return None
            holder = taken[0].principal_id
            if principal_id not in (None, holder):
                return None
            until = taken[0].token_until
            row = _row(new.digest, call_id, holder, new.kind, new.expires_at, until)
            await connection.execute(_PUT, row)
        return taken[0]

    async def extend(self, call_id: str, token_until: float) -> None:
        """The holder of a call's tickets has shown a token that holds until then."""
        async with self._store.writing() as connection:
            await connection.execute(_EXTEND, {"of_call": call_id, "until": token_until})

    async def sweep(self, now: float) -> Sequence[StoredTicket]:
        """Delete what expired unused, and say what it was for."""
        async with self._store.writing() as connection:
            return await _take(connection, _SWEEP, now=now)

    async def revoke(self, call_id: str) -> None:
        """Delete every ticket of a call."""
        async with self._store.writing() as connection:
            await _take(connection, _REVOKE, call_id=call_id)


def _row(
    digest: str,
    call_id: str,
    principal_id: str,
    kind: str,
    expires_at: float,
    token_until: float | None,
    facts: str = "",
) -> dict[str, object]:
    return {
        "digest": digest,
        "call_id": call_id,
        "principal_id": principal_id,
        "kind": kind,
        "facts": facts,
        "expires_at": expires_at,
        "token_until": token_until,
    }


async def _take(
    connection: AsyncConnection, taking: _Taking, **of_which: object
) -> Sequence[StoredTicket]:
    return [StoredTicket(*row) for row in (await connection.execute(taking, of_which)).all()]
