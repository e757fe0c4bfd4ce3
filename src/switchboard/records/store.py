"""The one SQL database: opens it, brings its schema up to date, hands out transactions."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from switchboard.errors import ConfigurationError

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000
MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """A database, to be opened once. Making one does not touch it.

    Raises `ConfigurationError` for a URL that names no database.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self._engine = _engine(url, busy_timeout_ms)
        # The same pool, but these transactions do not take SQLite's one write lock.
        self._reader = self._engine.execution_options(read_only=True)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Self]:
        """Bring the schema up to date; close every connection when the block ends.

        Raises `ConfigurationError` when the database cannot be opened or migrated.
        """
        try:
            try:
                async with self._engine.begin() as connection:
                    await connection.run_sync(_migrate)
            except (SQLAlchemyError, OSError) as reason:
                raise ConfigurationError(
                    f"The database cannot be opened or migrated ({type(reason).__name__}). "
                    "Check DATA_DIR or DATABASE_URL."
                ) from reason
            yield self
        finally:
            await self._engine.dispose()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that only reads, and never waits for a writer."""
        return _unbroken(self._reader)

    async def answers(self) -> None:
        """Returns once the database has answered. Raises `SQLAlchemyError`."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def scrub(self, patience_s: float = 5.0) -> None:
        """What was deleted is not left lying in SQLite's log of changes either, unless somebody
        reads all the time. Elsewhere that is the database's own affair."""
        if self.dialect != "sqlite":
            return
        with anyio.move_on_after(patience_s):
            while not await self._written_back():  # noqa: ASYNC110  (others' reads, unannounced)
                await anyio.sleep(0.05)

    async def _written_back(self) -> bool:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as answer:
                busy, *_ = await answer.fetchone()
        return not busy

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that may write; committed when the block ends, rolled back if it raises."""
        return _unbroken(self._engine)


@asynccontextmanager
async def _unbroken(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    # Cancelled in the middle of a statement, the SQLite driver's thread and its connection part
    # company and closing the pool hangs. Transactions are short: let each one end by itself.
    with anyio.CancelScope(shield=True):
        async with engine.begin() as connection:
            yield connection


def sqlite_url(data_dir: Path) -> str:
    """Where the records live when no `DATABASE_URL` is given. Makes the directory.

    Raises `ConfigurationError` when it cannot be made.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise ConfigurationError(f"DATA_DIR {data_dir} cannot be made: {reason}.") from reason
    return f"sqlite+aiosqlite:///{data_dir / 'records.sqlite3'}"


def _engine(url: str, busy_timeout_ms: int) -> AsyncEngine:
    try:
        # A failed statement is logged; what it was to store are people's numbers and words.
        engine = create_async_engine(make_url(url), hide_parameters=True)
    except (ArgumentError, ImportError) as reason:
        raise ConfigurationError(
            "DATABASE_URL is not a database this server can open; "
            "an example is sqlite+aiosqlite:////data/records.sqlite3."
        ) from reason
    if engine.dialect.name == "sqlite":
        prepare = partial(_prepare_sqlite, busy_timeout_ms)
        event.listen(engine.sync_engine, "connect", prepare)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(busy_timeout_ms: int, dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    adapter: Any = dbapi
    adapter.isolation_level = None
    cursor = dbapi.cursor()
    for pragma in (
        f"busy_timeout = {busy_timeout_ms}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what is deleted, or written over, is not left lying in the file
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer waits its turn at the start, and never fails half-way with "locked".
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
