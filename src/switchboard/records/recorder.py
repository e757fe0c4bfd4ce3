"""Writes what happens on calls into the store, behind them and never in their way.

The exchange's half is synchronous and only notes; one task (`run`) writes batches. A line that
changes ten times between two batches is written once. While the database is away, rows wait in
memory, then on disk (`spool`), and are written in their order when it is back.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import Any

import anyio
from anyio import to_thread

from switchboard.conversation.commands import Note, NoteLine
from switchboard.records.clerk.desk import ClerkGone, Desk
from switchboard.records.opening import Opening
from switchboard.records.orphans import close_calls, orphaned_calls
from switchboard.records.redacting import Redacting
from switchboard.records.redaction.redactor import Growing
from switchboard.records.rows import Batch, Key, Row, growing_of, line_key, line_values, row_of
from switchboard.records.schema import Call
from switchboard.records.spool import Chunk, Spool
from switchboard.records.store import Store
from switchboard.records.writer import Writer

logger = logging.getLogger(__name__)

BATCH_S = 0.25
"""What a crash may lose, but for the newest words of a line that grows."""
GROWS_S = 0.7
"""A line that only grows is written anew no sooner: with a batch's time, a crash loses a second."""
AWAY_S = 1.0
"""How long is waited before a database that was away is tried again."""
LAST_WRITE_S = 5.0
PENDING_ROWS = 20_000
LET_GO = 1_000
"""Calls that went on elsewhere and are remembered as such."""
SPILL_ROWS = 2_000
"""So many wait in memory for a database that is away; then they go to disk."""
SPILL_S = 10.0
"""Nor do they for longer: what a crash may lose meanwhile."""
MANY_ROWS = 50
"""So many in a batch are worth a process that writes them."""
MANY_TIMES = 4
"""But not those of a moment: only if batches were so large for a second."""

type _Waiting = dict[str, Any] | NoteLine
"""A row; a line only becomes one when it is written: most are said over by the next word."""


class Recorder:
    """Notes now, writes soon. Beyond `limit` waiting rows, new ones are dropped and counted.

    `spool` keeps on disk what the database does not take; without one, all waits in memory. At
    `desk` sits who writes, once there is much to write; without one, this process always does.
    """

    def __init__(
        self,
        store: Store,
        *,
        spool: Spool | None = None,
        desk: Desk | None = None,
        batch_s: float = BATCH_S,
        grows_s: float = GROWS_S,
        limit: int = PENDING_ROWS,
        spill_rows: int = SPILL_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._writer = Writer(store)
        self._spool = spool
        self._desk = desk
        self._many = 0
        """Batches in a row that were large."""
        self._batch_s = batch_s
        self._grows_s = grows_s
        self._grown: dict[Key, float] = {}
        """Lines that grow, and when each was written last, by the clock."""
        self._limit = limit
        self._spill_rows = spill_rows
        self._clock = clock
        self._pending: dict[Key, _Waiting] = {}
        self._work = anyio.Event()
        self._flushing = anyio.Lock()
        self._redacting = Redacting()
        self._let_go: dict[str, None] = {}
        self._kept_at = clock()
        """When nothing was left in memory alone."""
        self._disk_refuses = False
        self._dropped_unsaid = 0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Rows lost since the start: no room was left, or the database refused them."""
        return self._dropped + self._writer.refused

    @property
    def is_away(self) -> bool:
        """The database did not take what was written last."""
        return self._writer.away

    @property
    def spooled_bytes(self) -> int:
        """What waits on disk."""
        return self._spool.size if self._spool else 0

    # -- the exchange's half: never waits ---------------------------------------------------

    def open_call(self, opening: Opening) -> None:
        """A call began."""
        self._redacting.begin(opening.call_id, opening.redaction)
        self._let_go.pop(opening.call_id, None)
        if opening.past is not None:
            return
        values = {
            "id": opening.call_id,
            "principal_id": opening.principal_id,
            "agent": opening.agent,
            "model": opening.model,
            "voice": opening.voice,
            "channel": opening.channel,
            "direction": opening.direction,
            "began_at": opening.began_at,
            "replica_id": self._store.replica,
        }
        self._add(Row(Call, (opening.call_id,), values))

    def note(self, call_id: str, note: Note, at: float) -> None:
        """Keep a note of `at`, epoch seconds; a later one of the same key replaces it."""
        if isinstance(note, NoteLine):
            self._wait(line_key(call_id, note), note)
        elif (row := row_of(call_id, note, at)) is not None:
            self._add(row)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        """A call ended, at `ended_at` epoch seconds."""
        values = {
            "id": call_id,
            "end_reason": reason,
            "ended_at": ended_at,
            "replica_id": self._store.replica,  # whoever writes it may be a later server
        }
        self._add(Row(Call, (call_id,), values))

    def let_go(self, call_id: str) -> None:
        """Another server carries the call: what is noted of it from now on is not written."""
        self._let_go[call_id] = None
        while len(self._let_go) > LET_GO:
            del self._let_go[next(iter(self._let_go))]

    def _add(self, row: Row) -> None:
        key = (row.table, row.key)
        known = self._pending.get(key)
        # A row of several notes: what is new of it joins what waits.
        self._wait(key, {**known, **row.values} if isinstance(known, dict) else row.values)

    def _wait(self, key: Key, what: _Waiting) -> None:
        """Let it wait to be written, in place of what waits of the same key."""
        table, (call_id, *_) = key
        if call_id in self._let_go:
            return
        # Calls are few, and without its call no other row can be written: never dropped.
        full = len(self._pending) >= self._limit and table is not Call
        if full and key not in self._pending:
            self._dropped += 1
            self._dropped_unsaid += 1
        else:
            self._pending[key] = what
        self._work.set()

    # -- the writer -------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until cancelled; what is noted by then is still written, or put on disk."""
        if self.spooled_bytes:
            self._work.set()
        async with nullcontext() if self._desk is None else self._desk.running():
            try:
                while True:
                    await self._work.wait()
                    async with self._flushing:
                        await self._flush(self._take_ripe)
                    await anyio.sleep(max(self._batch_s, AWAY_S) if self.is_away else self._batch_s)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._end()

    async def _end(self) -> None:
        # A database that is away may take its time to be so once more, and whoever stops us may
        # not wait for that: so to disk first.
        if self.is_away:
            await self._keep()
        with anyio.move_on_after(LAST_WRITE_S):
            await self.flush()
        await self._keep()

    async def flush(self) -> None:
        """Write everything noted so far: also what another flush is just writing."""
        async with self._flushing:
            await self._flush(self._take)

    async def _flush(self, take: Callable[[], dict[Key, _Waiting]]) -> None:
        self._report_dropped()
        if not await self._drain():
            await self._spill()
            return
        batch = take()
        if not batch:
            self._kept_at = self._clock()
            return
        left: Mapping[Key, _Waiting] = batch
        try:
            left = await self._write(batch)
        finally:
            if left:  # the database is away or busy, or we are cancelled: so try again
                self._put_back(left)
        if self._pending and self.is_away:
            await self._spill()
        else:
            self._kept_at = self._clock()

    async def _write(self, batch: dict[Key, _Waiting]) -> dict[Key, _Waiting]:
        """What is still to be written."""
        if self._desk is not None:
            self._many = self._many + 1 if len(batch) >= MANY_ROWS else 0
            if self._many >= MANY_TIMES:
                self._desk.want()
            if self._desk.is_taken:
                with suppress(ClerkGone):  # then we write it all ourselves, again or not
                    return await self._have_written(self._desk, batch)
                batch = {key: each for key, each in batch.items() if key[1][0] not in self._let_go}
        left = await self._writer.write(await self._redacting.clean(_rows(batch)))
        return {key: batch[key] for key in left}

    async def _have_written(self, desk: Desk, batch: dict[Key, _Waiting]) -> dict[Key, _Waiting]:
        done = await desk.write(batch, self._redacting.rules_of, away=self.is_away)
        self._writer.took(away=done.away, refused=done.refused)
        self._store.away = done.away
        keys = list(batch)
        return {keys[number]: batch[keys[number]] for number in done.left}

    def _take(self) -> dict[Key, _Waiting]:
        batch, self._pending = self._pending, {}
        self._work = anyio.Event()
        return batch

    def _take_ripe(self) -> dict[Key, _Waiting]:
        """What is to be written now: all but lines that grow and were written just before."""
        now = self._clock()
        ripe: dict[Key, _Waiting] = {}
        early: dict[Key, _Waiting] = {}
        for key, each in self._take().items():
            if not _grows(each):
                self._grown.pop(key, None)
            elif now - self._grown.get(key, -self._grows_s) < self._grows_s:
                early[key] = each
                continue
            else:
                self._grown.pop(key, None)
                self._grown[key] = now
            ripe[key] = each
        while len(self._grown) > self._limit:  # of calls that ended in the middle of a line
            del self._grown[next(iter(self._grown))]
        self._pending = early
        if early:
            self._work.set()
        return ripe

    def _put_back(self, batch: Mapping[Key, _Waiting]) -> None:
        newer, self._pending = self._pending, {}
        for key, each in [*batch.items(), *newer.items()]:
            if isinstance(each, NoteLine):
                self._wait(key, each)
            else:
                self._add(Row(*key, each))

    # -- the spool --------------------------------------------------------------------------

    async def _drain(self) -> bool:
        """Write what waits on disk. Whether nothing does any more."""
        if self._spool is None or not self._spool.size:
            return True
        rows = 0
        chunks = self._spool.chunks()
        while (chunk := await to_thread.run_sync(next, chunks, None)) is not None:
            left = await self._writer.write(chunk.rows)
            if left:
                self._work.set()
                return False
            rows += len(chunk.rows)
            self._count_unread(chunk)
            await to_thread.run_sync(self._spool.done, chunk)
        logger.info("spool written", extra={"rows": rows})
        return True

    def _count_unread(self, chunk: Chunk) -> None:
        self._dropped += chunk.unread
        self._dropped_unsaid += chunk.unread

    async def _spill(self) -> None:
        """The database is away: leave neither too much in memory, nor for too long."""
        late = self._clock() - self._kept_at > SPILL_S
        if len(self._pending) >= self._spill_rows or (self._pending and late):
            await self._put_on_disk()

    async def _keep(self) -> None:
        async with self._flushing:
            await self._put_on_disk()

    async def _put_on_disk(self) -> None:
        if self._spool is None or not self._pending:
            return
        batch, left = self._take(), True
        try:
            clean = await self._redacting.clean(_rows(batch))
            await to_thread.run_sync(self._spool.append, clean)
            left = False
        except OSError as reason:
            self._say_disk(reason)
        finally:
            if left:
                self._put_back(batch)
        if not left:
            self._disk_refuses = False
            self._kept_at = self._clock()
            self._work.set()
            logger.warning("rows spooled", extra={"rows": len(batch)})

    def _say_disk(self, reason: OSError) -> None:
        if not self._disk_refuses:
            error = reason.strerror or str(reason)
            logger.error("rows not spooled", extra={"rows": len(self._pending), "error": error})
        self._disk_refuses = True

    # -- the start --------------------------------------------------------------------------

    async def close_left_open(self, now: float | None = None) -> int:
        """End the calls that a crash left open. For the start, before any call is placed.

        What waits on disk comes first: it may hold their ends. Where servers share the database,
        those that live keep theirs.
        """
        now = time.time() if now is None else now
        async with self._flushing:
            await self._drain()
        async with self._store.writing() as connection:
            which = orphaned_calls(self._store)
            return await close_calls(connection, self._store, which, now, "interrupted")

    def _report_dropped(self) -> None:
        if self._dropped_unsaid:
            logger.error("records dropped", extra={"rows": self._dropped_unsaid})
            self._dropped_unsaid = 0


def _grows(what: _Waiting) -> bool:
    return isinstance(what, NoteLine) and growing_of(what) is Growing.SURELY


def _rows(batch: Mapping[Key, _Waiting]) -> Batch:
    return {
        key: line_values(key[1][0], each) if isinstance(each, NoteLine) else each
        for key, each in batch.items()
    }
