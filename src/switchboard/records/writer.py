"""Batches of rows into the database: at once if it takes them, each for itself if it does not."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import batched
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Insert, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from switchboard.records.rows import Batch, Key
from switchboard.records.schema import Base, Call, Interruption, Item, Reply, ToolCall
from switchboard.records.store import Store
from switchboard.records.trouble import is_passing

logger = logging.getLogger(__name__)

ORDER: Sequence[type[Base]] = (Call, Item, ToolCall, Interruption, Reply)
"""A call's own row comes before the rows that belong to it."""
SLICE: Final = 20
"""Rows at a time with PostgreSQL, where to make them ready takes the event loop, on which the calls
speak. SQLite's are written all at once, in a thread or by the clerk."""
SQLITE: Final[Dialect] = sqlite.dialect()


class Writer:
    """Writes rows that may be stored. Says once that the database is away, and once that it is
    back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        """The last batch could not be written."""
        self.refused = 0
        """Rows that the database would never take."""

    async def write(self, batch: Batch) -> Batch:
        """What is still to be written: nothing of what was written, or refused for good."""
        try:
            await self._store.write(partial(self._write, batch))
        except Exception as reason:  # noqa: BLE001  (drivers raise what they like at a bad value)
            if is_passing(reason):
                self._say_away(batch, reason)
                return batch
            return await self._write_apart(batch, reason)
        if self.away:
            self.away = False
            logger.info("database back", extra={"rows": len(batch)})
        return {}

    def took(self, *, away: bool, refused: int) -> None:
        """Somebody else wrote, and this became of it."""
        self.away = away
        self.refused += refused

    def _say_away(self, batch: Batch, reason: Exception) -> None:
        if not self.away:
            error = type(reason.__cause__ or reason).__name__
            logger.warning("database away or busy", extra={"rows": len(batch), "error": error})
        self.away = True

    def _write(self, batch: Batch, connection: Connection) -> None:
        for table in ORDER:
            alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
            for (kind, _), values in batch.items():
                if kind is table:
                    alike[frozenset(values)].append(values)
            for rows in alike.values():
                self._upsert(connection, table, rows)

    async def _write_apart(self, batch: Batch, reason: Exception) -> Batch:
        """One bad row must not cost the others: each in a transaction of its own. What is still to
        be written, should the database go away meanwhile."""
        logger.warning("batch refused", extra={"rows": len(batch), "error": type(reason).__name__})
        left: dict[Key, dict[str, Any]] = {}
        late: set[str] = set()
        for table in ORDER:
            for key, values in batch.items():
                if key[0] is not table:
                    continue
                call_id = key[1][0]
                # Without its call's own row, one would be refused for good.
                if call_id in late or not await self._write_alone(key, values):
                    left[key] = values
                    late.add(call_id)
        return left

    async def _write_alone(self, key: Key, values: dict[str, Any]) -> bool:
        """Whether it is dealt with."""
        try:
            await self._store.write(partial(self._write, {key: values}))
        except Exception as reason:  # noqa: BLE001  (as above: this row only)
            if is_passing(reason):
                return False
            self.refused += 1
            extra = {"table": key[0].__tablename__, "error": type(reason).__name__}
            logger.warning("row refused", extra=extra)
        return True

    def _upsert(
        self, connection: Connection, table: type[Base], rows: list[dict[str, Any]]
    ) -> None:
        if table is Call and "began_at" not in rows[0]:
            # Only the end is new. An insert would lack the rest, so this one is an update.
            # And only where no other server has claimed the call meanwhile.
            for row in rows:
                whose = row.get("replica_id", self._store.replica)
                ours = or_(Call.replica_id.is_(None), Call.replica_id == whose)
                one = update(Call).where(Call.id == row["id"], ours)
                connection.execute(one.values(row))
            return
        columns = frozenset(rows[0])
        if self._store.is_shared:
            for slice_of in batched(rows, SLICE):
                connection.execute(_upsert_of(table, columns, self._store.dialect), slice_of)
            return
        # SQLAlchemy would look at each value of each row, which costs more than to write it.
        written = _written_of(table, columns)
        connection.exec_driver_sql(written.text, [written.row(values) for values in rows])


@cache
def _upsert_of(table: type[Base], columns: frozenset[str], dialect: str) -> Insert:
    """Made once for each kind of row: to make one costs as much as to write many."""
    keys = [column.name for column in table.__table__.primary_key]
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in sorted(columns) if name not in keys},
        where=Call.replica_id == statement.excluded.replica_id if table is Call else None,
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """An upsert as a driver takes it."""

    text: str
    values: Sequence[tuple[str, Callable[[Any], Any] | None]]
    """Which come in which order, and what makes them fit for the database."""

    def row(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            values[name] if fit is None else fit(values[name]) for name, fit in self.values
        )


@cache
def _written_of(table: type[Base], columns: frozenset[str]) -> _Written:
    statement = _upsert_of(table, columns, SQLITE.name)
    compiled = statement.compile(dialect=SQLITE, column_keys=sorted(columns))
    types = {column.name: column.type for column in table.__table__.columns}
    return _Written(
        str(compiled),
        [
            (name, types[name].dialect_impl(SQLITE).bind_processor(SQLITE))
            for name in compiled.positiontup or ()
        ],
    )
