"""The register of servers that share the database.

On PostgreSQL each says every few seconds that it lives; what one left open that has not for too
long, the others close. On SQLite there is one server and no register.
"""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from switchboard.records.orphans import (
    CLOCK,
    STALE_S,
    close_calls,
    close_placed,
    left_by_dead,
    lost_calls,
    reopen_lost,
)
from switchboard.records.schema import Dialled, ReplicaRow
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

BEAT_S: Final = 2.0
"""A dead server's calls are closed within `STALE_S` and this of its last sign of life; those by
telephone, which another may claim until then, within `UNCLAIMED_S` and this."""
FORGET_S: Final = 3_600.0
LOST: Final = "lost"
"""Why a call has ended whose server died while others lived."""


class Replicas:
    """This server's place in the register. `run` must run beside it."""

    def __init__(self, store: Store, *, url: str | None = None, beat_s: float = BEAT_S) -> None:
        """`url` is where the others reach this one."""
        self._store = store
        self._url = url
        self._beat_s = beat_s
        self._silent = False

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[None]:
        """In the register for as long as the block lasts."""
        if not self._store.is_shared:
            yield
            return
        await self.beat()
        try:
            yield
        finally:
            await self._leave()

    async def run(self) -> None:
        """Say that this server lives, and close what dead ones left, until cancelled."""
        while self._store.is_shared:
            await anyio.sleep(self._beat_s)
            try:
                await self.beat()
                await self.sweep()
            except Exception as reason:  # noqa: BLE001  (a database that is away; the next beat will do)
                if not self._silent:
                    logger.warning("no sign of life", extra={"error": type(reason).__name__})
                self._silent = True
            else:
                self._silent = False

    async def beat(self) -> None:
        """This server lives, at this moment; so do its calls that others took for lost."""
        me = self._store.replica
        row = insert(ReplicaRow).values(id=me, began_at=CLOCK, beat_at=CLOCK, url=self._url)
        again = row.on_conflict_do_update(index_elements=["id"], set_={"beat_at": CLOCK})
        fresh = exists().where(ReplicaRow.id == me, ReplicaRow.beat_at > CLOCK - STALE_S)
        async with self._store.writing() as connection:
            was_alive = (await connection.execute(select(fresh))).scalar_one()
            await connection.execute(again)
            found = 0 if was_alive else await reopen_lost(connection, self._store, me, LOST)
        if found:
            logger.warning("calls were taken for lost and are not", extra={"calls": found})

    async def sweep(self) -> int:
        """Close the calls that dead servers left open. How many: each is closed once, by whoever
        comes first."""
        now = time.time()
        async with self._store.writing() as connection:
            calls = await close_calls(connection, self._store, lost_calls(), now, LOST)
            which = left_by_dead(Dialled.replica_id)
            placed = await close_placed(connection, self._store, which, now)
            forgotten = delete(ReplicaRow).where(ReplicaRow.beat_at < CLOCK - FORGET_S)
            await connection.execute(forgotten)
        if calls or placed:
            extra = {"calls": calls, "placed": placed}
            logger.warning("another server died and left calls open", extra=extra)
        return calls + placed

    async def _leave(self) -> None:
        if self._store.away:  # it will be missed in time; whoever stops us does not wait for that
            return
        gone = delete(ReplicaRow).where(ReplicaRow.id == self._store.replica)
        try:
            async with self._store.writing() as connection:
                await connection.execute(gone)
        except Exception as reason:  # noqa: BLE001  (it will be missed in time)
            logger.warning("register not left", extra={"error": type(reason).__name__})
