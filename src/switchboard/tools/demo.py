"""The demo database: what the demo tools read and change. One SQLite file, apart from the store.

It is made and seeded at its first use. Seeded dates keep their distance from today, so that a bill
that falls due in nine days does so next month too; what calls have written keeps its own dates.
Delete the file to begin again.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import aiosqlite
import anyio

from switchboard.tools.context import ToolContext
from switchboard.tools.demo_seed import SCHEMA, SEEDED_DATES, VERSION, seed_rows

BUSY_TIMEOUT_S: Final = 5.0


def _local_now() -> datetime:
    return datetime.now().astimezone()


class Rows:
    """One short transaction."""

    def __init__(self, connection: aiosqlite.Connection, today: date) -> None:
        self._connection = connection
        self.today = today

    async def all(self, sql: str, *values: object) -> list[aiosqlite.Row]:
        async with self._connection.execute(sql, values) as cursor:
            return list(await cursor.fetchall())

    async def one(self, sql: str, *values: object) -> aiosqlite.Row | None:
        """The first row, if there is one."""
        async with self._connection.execute(sql, values) as cursor:
            return await cursor.fetchone()

    async def value(self, sql: str, *values: object) -> Any:  # noqa: ANN401 - what the column holds
        """The first column of the first row. Raises `LookupError` without one."""
        row = await self.one(sql, *values)
        if row is None:
            raise LookupError("the demo database has no such row")
        return row[0]

    async def run(self, sql: str, *values: object) -> int:
        """Change something; the id of a row just inserted."""
        async with self._connection.execute(sql, values) as cursor:
            return cursor.lastrowid or 0


class DemoDatabase:
    """`path` is the file; `now` the clock, in local time."""

    def __init__(self, path: Path, now: Callable[[], datetime] = _local_now) -> None:
        self._path = path
        self._now = now

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Rows]:
        async with self._transaction("BEGIN") as rows:
            yield rows

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Rows]:
        """All of it happens, or, if the block raises, nothing."""
        async with self._transaction("BEGIN IMMEDIATE") as rows:
            yield rows

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncGenerator[Rows]:
        today = self._now().date()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        async with _connected(self._path) as connection:
            if await _anchor(connection) != today.isoformat():
                await _refresh(connection, today)
            await connection.execute(begin)
            yield Rows(connection, today)
            await connection.commit()


@asynccontextmanager
async def _connected(path: Path) -> AsyncGenerator[aiosqlite.Connection]:
    # Shielded, because a connection is a thread: a cancelled tool must not leave one behind.
    connection = aiosqlite.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    with anyio.CancelScope(shield=True):
        await connection
    try:
        connection.row_factory = aiosqlite.Row
        yield connection
    finally:
        with anyio.CancelScope(shield=True):
            await connection.close()  # what was not committed is rolled back


async def _anchor(connection: aiosqlite.Connection) -> str | None:
    """The day to which seeded dates refer, or `None` for a file not seeded yet."""
    async with connection.execute("PRAGMA user_version") as cursor:
        version = await cursor.fetchone()
    if version is None or version[0] != VERSION:
        return None
    async with connection.execute("SELECT day FROM anchor") as cursor:
        row = await cursor.fetchone()
    return str(row[0]) if row else None


async def _refresh(connection: aiosqlite.Connection, today: date) -> None:
    await connection.execute("BEGIN IMMEDIATE")
    anchor = await _anchor(connection)  # somebody else may have been quicker
    if anchor is None:
        await _seed(connection, today)
    elif anchor != today.isoformat():
        await _move_on(connection, (today - date.fromisoformat(anchor)).days)
        await connection.execute("UPDATE anchor SET day = ?", (today.isoformat(),))
    await connection.commit()


async def _seed(connection: aiosqlite.Connection, today: date) -> None:
    # Not executescript, which would end the transaction that keeps a second process out.
    for statement in filter(str.strip, SCHEMA.split(";")):
        await connection.execute(statement)
    for table, rows in seed_rows(today).items():
        for row in rows:
            places = ", ".join("?" for _ in row)
            await connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - our own names
                tuple(row.values()),
            )
    await connection.execute("INSERT INTO anchor (day) VALUES (?)", (today.isoformat(),))
    await connection.execute(f"PRAGMA user_version = {VERSION}")


async def _move_on(connection: aiosqlite.Connection, days: int) -> None:
    for table, column in SEEDED_DATES:
        await connection.execute(
            f"UPDATE {table} SET {column} = date({column}, ?) WHERE seeded",  # noqa: S608 - our own names
            (f"{days:+d} days",),
        )


def demo_of(context: ToolContext) -> DemoDatabase:
    """The database that this server's demo tools share."""
    return context.resources.need(DemoDatabase)


async def person_of(rows: Rows, context: ToolContext, industry: str) -> str:
    """Who is calling: the person known by this principal, else the industry's demo customer."""
    row = await rows.one(
        "SELECT id FROM person WHERE industry = ? AND principal IN (?, 'demo')"
        " ORDER BY principal = 'demo' LIMIT 1",
        industry,
        context.principal_id,
    )
    if row is None:
        raise LookupError("the demo database has no customer for this industry")
    return str(row["id"])
