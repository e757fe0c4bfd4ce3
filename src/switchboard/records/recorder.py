"""Writes what happens on calls into the store, behind them and never in their way.

The exchange's half is synchronous and only notes; one task (`run`) writes batches. A line that
changes ten times between two batches is written once.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from sqlalchemy import CursorResult, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.conversation.commands import Note
from switchboard.records.rows import Row, row_of
from switchboard.records.schema import Base, Call, Interruption, Item, Reply, ToolCall
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

BATCH_S = 0.25
"""What a crash may lose."""
LAST_WRITE_S = 5.0
PENDING_ROWS = 20_000
ORDER: Sequence[type[Base]] = (Call, Item, ToolCall, Interruption, Reply)
"""A call's own row comes before the rows that belong to it."""

type _Key = tuple[type[Base], tuple[str, ...]]
type _Batch = Mapping[_Key, dict[str, Any]]


class Recorder:
    """Notes now, writes soon. Beyond `limit` waiting rows, new ones are dropped and counted."""

    def __init__(
        self, store: Store, *, batch_s: float = BATCH_S, limit: int = PENDING_ROWS
    ) -> None:
        self._store = store
        self._batch_s = batch_s
        self._limit = limit
        self._pending: dict[_Key, dict[str, Any]] = {}
        self._work = anyio.Event()
        self._dropped_unsaid = 0
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
    ) -> None:
        """A call began, at `began_at` epoch seconds. `direction` is `in`, or `out`: we rang."""
        values = {
            "id": call_id,
            "principal_id": principal_id,
            "agent": agent,
            "model": model,
            "voice": voice,
            "channel": channel,
            "direction": direction,
            "began_at": began_at,
        }
        self._add(Row(Call, (call_id,), values))

    def note(self, call_id: str, note: Note, at: float) -> None:
        """Keep a note of `at`, epoch seconds; a later one of the same key replaces it."""
        row = row_of(call_id, note, at)
        if row is not None:
            self._add(row)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        """A call ended, at `ended_at` epoch seconds."""
        values = {"id": call_id, "end_reason": reason[:200], "ended_at": ended_at}
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
                await anyio.sleep(self._batch_s)
        finally:
            with anyio.move_on_after(LAST_WRITE_S, shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write everything noted so far."""
        batch, self._pending = self._pending, {}
        self._work = anyio.Event()
        self._report_dropped()
        if not batch:
            return
        written = False
        try:
            written = await self._write_batch(batch)
        finally:
            if not written:  # the database is busy, or we are cancelled: rolled back, so try again
                self._put_back(batch)

    async def _write_batch(self, batch: _Batch) -> bool:
        """Whether the batch is dealt with: written, or refused for good."""
        try:
            async with self._store.writing() as connection:
                await self._write(connection, batch)
        except OperationalError as reason:
            logger.warning("database busy", extra={"rows": len(batch), "error": str(reason.orig)})
            return False
        except Exception as reason:  # noqa: BLE001  (drivers raise what they like at a bad value)
            await self._write_apart(batch, reason)
        return True

    def _put_back(self, batch: _Batch) -> None:
        newer, self._pending = self._pending, {}
        for (table, key), values in [*batch.items(), *newer.items()]:
            self._add(Row(table, key, values))

    async def close_left_open(self, now: float | None = None) -> int:
        """End the calls that a crash left open. For the start, before any call is placed."""
        values = {"ended_at": time.time() if now is None else now, "end_reason": "interrupted"}
        async with self._store.writing() as connection:
            result: CursorResult[Any] = await connection.execute(
                update(Call).where(Call.ended_at.is_(None)).values(values)
            )
        return result.rowcount

    async def _write(self, connection: AsyncConnection, batch: _Batch) -> None:
        for table in ORDER:
            alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
            for (kind, _), values in batch.items():
                if kind is table:
                    alike[frozenset(values)].append(values)
            for rows in alike.values():
                await self._upsert(connection, table, rows)

    async def _write_apart(self, batch: _Batch, reason: Exception) -> None:
        """One bad row must not cost the others: each in a transaction of its own."""
        logger.warning("batch refused", extra={"rows": len(batch), "error": type(reason).__name__})
        for table in ORDER:
            for key, values in batch.items():
                if key[0] is table:
                    await self._write_alone(key, values)

    async def _write_alone(self, key: _Key, values: dict[str, Any]) -> None:
        try:
            async with self._store.writing() as connection:
                await self._write(connection, {key: values})
        except Exception as reason:  # noqa: BLE001  (as above: this row only)
            self.dropped += 1
            extra = {"table": key[0].__tablename__, "error": type(reason).__name__}
            logger.warning("row refused", extra=extra)

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
