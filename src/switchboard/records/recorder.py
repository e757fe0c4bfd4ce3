"""Writes what happens on calls into the store, behind them and never in their way.

The exchange's half is synchronous and only notes; one task (`run`) writes batches. A line that
changes ten times between two batches is written once.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import anyio
from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.conversation.commands import Note
from switchboard.records.orphans import close_calls, orphaned
from switchboard.records.redacting import Redacting
from switchboard.records.redaction.kinds import FULL, Redaction
from switchboard.records.rows import Batch, Key, Row, row_of
from switchboard.records.schema import Base, Call, Interruption, Item, Reply, ToolCall
from switchboard.records.store import Store
from switchboard.records.trouble import is_passing

logger = logging.getLogger(__name__)

BATCH_S = 0.25
"""What a crash may lose."""
AWAY_S = 1.0
"""How long is waited before a database that was away is tried again."""
LAST_WRITE_S = 5.0
PENDING_ROWS = 20_000
ORDER: Sequence[type[Base]] = (Call, Item, ToolCall, Interruption, Reply)
"""A call's own row comes before the rows that belong to it."""


class Recorder:
    """Notes now, writes soon. Beyond `limit` waiting rows, new ones are dropped and counted."""

    def __init__(
        self, store: Store, *, batch_s: float = BATCH_S, limit: int = PENDING_ROWS
    ) -> None:
        self._store = store
        self._batch_s = batch_s
        self._limit = limit
        self._pending: dict[Key, dict[str, Any]] = {}
        self._work = anyio.Event()
        self._flushing = anyio.Lock()
        self._redacting = Redacting()
        self._dropped_unsaid = 0
        self._away = False
        self.dropped = 0
        """Rows lost since the start: the queue was full, or the database refused them."""

    # -- the exchange's half: never waits ---------------------------------------------------

    def open_call(
        self,
        call_id: str,
        *,
        principal_id: str,
        agent: str,
        model: str,
        voice: str,
        channel: str,
        began_at: float,
        direction: str = "in",
        redaction: Redaction = FULL,
    ) -> None:
        """A call began, at `began_at` epoch seconds. `direction` is `in`, or `out`: we rang.
        `redaction` is what is taken out of its texts before they are written."""
        self._redacting.begin(call_id, redaction)
        values = {
            "id": call_id,
            "principal_id": principal_id,
            "agent": agent,
            "model": model,
            "voice": voice,
            "channel": channel,
            "direction": direction,
            "began_at": began_at,
            "replica_id": self._store.replica,
        }
        self._add(Row(Call, (call_id,), values))

    def note(self, call_id: str, note: Note, at: float) -> None:
        """Keep a note of `at`, epoch seconds; a later one of the same key replaces it."""
        row = row_of(call_id, note, at)
        if row is not None:
            self._add(row)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        """A call ended, at `ended_at` epoch seconds."""
        values = {"id": call_id, "end_reason": reason, "ended_at": ended_at}
        self._add(Row(Call, (call_id,), values))

    def _add(self, row: Row) -> None:
        key = (row.table, row.key)
        known = self._pending.get(key)
        if known is not None:
            known.update(row.values)
        # Calls are few, and without its call no other row can be written: never dropped.
        elif len(self._pending) >= self._limit and row.table is not Call:
            self.dropped += 1
            self._dropped_unsaid += 1
        else:
            self._pending[key] = row.values
        self._work.set()

    # -- the writer -------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until cancelled; what is noted by then is still written."""
        try:
            while True:
                await self._work.wait()
                await self.flush()
                await anyio.sleep(max(self._batch_s, AWAY_S) if self._away else self._batch_s)
        finally:
            with anyio.move_on_after(LAST_WRITE_S, shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write everything noted so far: also what another flush is just writing."""
        async with self._flushing:
            await self._flush()

    async def _flush(self) -> None:
        batch, self._pending = self._pending, {}
        self._work = anyio.Event()
        self._report_dropped()
        if not batch:
            return
        left = batch
        try:
            clean = await self._redacting.clean(batch)
            left = {key: batch[key] for key in await self._write_batch(clean)}
        finally:
            if left:  # the database is away or busy, or we are cancelled: so try again
                self._put_back(left)

    async def _write_batch(self, batch: Batch) -> Batch:
        """What is still to be written: nothing of what was written, or refused for good."""
        try:
            async with self._store.writing() as connection:
                await self._write(connection, batch)
        except Exception as reason:  # noqa: BLE001  (drivers raise what they like at a bad value)
            if is_passing(reason):
                self._say_away(batch, reason)
                return batch
            return await self._write_apart(batch, reason)
        if self._away:
            self._away = False
            logger.info("database back", extra={"rows": len(batch)})
        return {}

    def _say_away(self, batch: Batch, reason: Exception) -> None:
        if not self._away:
            extra = {"rows": len(batch), "error": type(reason).__name__}
            logger.warning("database away or busy", extra=extra)
        self._away = True

    def _put_back(self, batch: Batch) -> None:
        newer, self._pending = self._pending, {}
        for (table, key), values in [*batch.items(), *newer.items()]:
            self._add(Row(table, key, values))

    async def close_left_open(self, now: float | None = None) -> int:
        """End the calls that a crash left open. For the start, before any call is placed.

        Where servers share the database, those that live keep theirs.
        """
        now = time.time() if now is None else now
        async with self._store.writing() as connection:
            which = orphaned(self._store, Call.replica_id)
            return await close_calls(connection, self._store, which, now, "interrupted")

    async def _write(self, connection: AsyncConnection, batch: Batch) -> None:
        for table in ORDER:
            alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
            for (kind, _), values in batch.items():
                if kind is table:
                    alike[frozenset(values)].append(values)
            for rows in alike.values():
                await self._upsert(connection, table, rows)

    async def _write_apart(self, batch: Batch, reason: Exception) -> Batch:
        """One bad row must not cost the others: each in a transaction of its own. What is still to
        be written, should the database go away meanwhile."""
        logger.warning("batch refused", extra={"rows": len(batch), "error": type(reason).__name__})
        left: dict[Key, dict[str, Any]] = {}
        for table in ORDER:
            for key, values in batch.items():
                if key[0] is table and not await self._write_alone(key, values):
                    left[key] = values  # noqa: PERF403  (each is awaited)
        return left

    async def _write_alone(self, key: Key, values: dict[str, Any]) -> bool:
        """Whether it is dealt with."""
        try:
            async with self._store.writing() as connection:
                await self._write(connection, {key: values})
        except Exception as reason:  # noqa: BLE001  (as above: this row only)
            if is_passing(reason):
                return False
            self.dropped += 1
            extra = {"table": key[0].__tablename__, "error": type(reason).__name__}
            logger.warning("row refused", extra=extra)
        return True

    async def _upsert(
        self, connection: AsyncConnection, table: type[Base], rows: list[dict[str, Any]]
    ) -> None:
        keys = [column.name for column in table.__table__.primary_key]
        if table is Call and "began_at" not in rows[0]:
            # Only the end is new. An insert would lack the rest, so this one is an update.
            for row in rows:
                await connection.execute(update(Call).where(Call.id == row["id"]).values(row))
            return
        insert = postgresql.insert if self._store.dialect == "postgresql" else sqlite.insert
        statement = insert(table)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=changed), rows
        )

    def _report_dropped(self) -> None:
        if self._dropped_unsaid:
            logger.error("records dropped", extra={"rows": self._dropped_unsaid})
            self._dropped_unsaid = 0
