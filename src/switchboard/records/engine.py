"""Engines for the databases there may be: SQLite and PostgreSQL."""

from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from switchboard.errors import ConfigurationError
from switchboard.records.postgres import SCHEMES

POOL: Final[dict[str, Any]] = {
    "pool_size": 5,
    # SQLite closes no handle of a file while another connection to it is open: one that is given
    # up would stay open, and the next one come on top of it.
    "max_overflow": 0,
    "pool_timeout": 10.0,
}

EXAMPLES = "sqlite+aiosqlite:////data/records.sqlite3, postgresql://<user>@<host>/<database>"


def parsed(text: str) -> URL:
    """Raises `ConfigurationError` for what is no database's address."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"DATABASE_URL is not the address of a database; examples are {EXAMPLES}."
        ) from None
    if url.drivername not in SCHEMES and url.get_backend_name() != "sqlite":
        raise ConfigurationError(
            f"DATABASE_URL is not a database this server can open; examples are {EXAMPLES}."
        )
    return url


def is_postgres(url: URL) -> bool:
    return url.drivername in SCHEMES


def sqlite_engine(url: URL, busy_timeout_ms: int) -> AsyncEngine:
    """Raises `ConfigurationError` for a driver that there is not."""
    try:
        # A failed statement is logged; what it was to store are people's numbers and words.
        engine = create_async_engine(url, hide_parameters=True, **_pool(url))
    except (ArgumentError, ImportError, InvalidRequestError) as reason:
        raise ConfigurationError(
            f"DATABASE_URL is not a database this server can open; examples are {EXAMPLES}."
        ) from reason
    _listen(engine.sync_engine, busy_timeout_ms)
    return engine


def _pool(url: URL) -> dict[str, Any]:
    dialect: Any = url.get_dialect()
    in_memory = not issubclass(dialect.get_pool_class(url), QueuePool)
    return {} if in_memory else POOL


def sqlite_engine_for_threads(url: URL, busy_timeout_ms: int) -> Engine:
    """The same file by a driver that blocks."""
    engine = create_engine(url.set(drivername="sqlite"), hide_parameters=True)
    _listen(engine, busy_timeout_ms)
    return engine


def _listen(engine: Engine, busy_timeout_ms: int) -> None:
    event.listen(engine, "connect", partial(_prepare, busy_timeout_ms))
    event.listen(engine, "begin", _begin)


def _prepare(busy_timeout_ms: int, dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: `_begin` does.
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


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a writer waits its turn at the start, and never fails half-way with "locked".
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
