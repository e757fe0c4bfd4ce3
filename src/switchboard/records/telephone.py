"""The rows of the telephone's doors. What they mean is decided in `access` and `phone`."""

from collections import OrderedDict
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Delete, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from switchboard.records.schema import MediaTicketRow, SeenEvent
from switchboard.records.store import Store

MOST_REMEMBERED: Final = 10_000
"""Events of which this process knows, without asking, that they were seen."""


class MediaTicketTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, digest: str, call_id: str, facts: str, expires_at: float) -> None:
        row = insert(MediaTicketRow).values(
            digest=digest, call_id=call_id, facts=facts, expires_at=expires_at
        )
        async with self._store.writing_now() as connection:
            await connection.execute(row)

    async def bind(self, digest: str, call_id: str, connection_id: str, now: float) -> str | None:
        """What was put with the ticket, if it is this call's; it is this connection's from now on
        if it was nobody's yet. `None` if it is another's."""
        free = MediaTicketRow.connection_id
        bound = (
            update(MediaTicketRow)
            .where(MediaTicketRow.digest == digest, MediaTicketRow.call_id == call_id)
            .where(MediaTicketRow.expires_at > now)
            .where(or_(free.is_(None), free == connection_id))
            .values(connection_id=connection_id)
            .returning(MediaTicketRow.facts)
        )
        async with self._store.writing_now() as connection:
            return (await connection.execute(bound)).scalar()

    async def connection_of(self, call_id: str) -> str | None:
        """The carrier's name for a call whose media have come."""
        return await self._store.read(
            lambda connection: connection.execute(
                select(MediaTicketRow.connection_id).where(MediaTicketRow.call_id == call_id)
            ).scalar()
        )

    async def facts_of(self, call_id: str) -> tuple[str | None, str] | None:
        """The carrier's name for a call, as far as it is known, and what was put with its ticket;
        `None` for one that is over."""
        wanted = select(MediaTicketRow.connection_id, MediaTicketRow.facts)
        known = wanted.where(MediaTicketRow.call_id == call_id).limit(1)
        async with self._store.reading() as connection:
            row = (await connection.execute(known)).first()
        return None if row is None else (row[0], row[1])

    async def carries(self, connection_id: str) -> bool:
        """Whether the media of some call came by this connection."""
        return await self._has_one(MediaTicketRow.connection_id == connection_id)

    async def knows(self, call_id: str) -> bool:
        """Whether the call is the telephone's, and not over: it has a ticket."""
        return await self._has_one(MediaTicketRow.call_id == call_id)

    async def _has_one(self, which: ColumnElement[bool]) -> bool:
        return await self._store.read(
            lambda connection: (
                connection.execute(select(MediaTicketRow.call_id).where(which).limit(1)).first()
                is not None
            )
        )

    async def revoke(self, call_id: str) -> None:
        async with self._store.writing() as connection:
            await connection.execute(
                delete(MediaTicketRow).where(MediaTicketRow.call_id == call_id)
            )

    async def sweep(self, now: float) -> None:
        """Forget what expired."""
        async with self._store.writing() as connection:
            await connection.execute(delete(MediaTicketRow).where(MediaTicketRow.expires_at <= now))


class SeenEvents:
    """Events acted upon, on whatever replica. Each method is one transaction, or none: what was
    seen stays seen, so that is asked once. Marks that may be forgotten are not asked for by `has`:
    another replica would not hear of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, float] = OrderedDict()
        """Events that were seen, and until when; those learned of last come last."""

    async def first(self, digest: str, now: float, *, for_s: float) -> bool:
        """Whether nobody has seen this event before; from now on, somebody has."""
        seen = _first_of(self._store.dialect)
        values = {"event": digest, "for_now": now + for_s, "now": now}
        async with self._store.writing_now() as connection:
            is_first = (await connection.execute(seen, values)).first() is not None
            await self._forget(connection, now)
        if is_first:  # else it is somebody else's mark, and holds until who knows when
            self._remember(digest, now + for_s)
        return is_first

    async def has(self, digest: str, now: float) -> bool:
        """Whether somebody has seen it, not too long ago."""
        if self._known.get(digest, now) > now:
            return True
        until = await self._store.read(
            lambda connection: connection.execute(
                select(SeenEvent.until).where(SeenEvent.digest == digest, SeenEvent.until > now)
            ).scalar()
        )
        if until is None:
            return False
        self._remember(digest, until)
        return True

    async def forget(self, digest: str) -> None:
        """As if nobody had seen it."""
        try:
            async with self._store.writing() as connection:
                await connection.execute(delete(SeenEvent).where(SeenEvent.digest == digest))
        finally:
            self._known.pop(digest, None)

    def _remember(self, digest: str, until: float) -> None:
        self._known[digest] = until
        self._known.move_to_end(digest)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

    async def _forget(self, connection: AsyncConnection, now: float) -> None:
        await connection.execute(_past(), {"now": now})


# Made once each: to make one takes the loop, on which calls speak, a millisecond.


@cache
def _first_of(dialect: str) -> ReturningInsert[str]:
    """Of two servers that ask, one waits for the other's row, and is then late."""
    row = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(SeenEvent)
    new = row.values(digest=bindparam("event"), until=bindparam("for_now"))
    return new.on_conflict_do_update(
        index_elements=["digest"],
        set_={"until": new.excluded.until},
        where=SeenEvent.until <= bindparam("now"),
    ).returning(SeenEvent.digest)


@cache
def _past() -> Delete:
    # What another server is just deleting is passed over: nobody waits for whom who waits.
    old = select(SeenEvent.digest).where(SeenEvent.until <= bindparam("now"))
    gone = old.with_for_update(skip_locked=True)
    return delete(SeenEvent).where(SeenEvent.digest.in_(gone))
