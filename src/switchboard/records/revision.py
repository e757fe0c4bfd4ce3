"""How far a database's schema has come, found out without changing anything."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from switchboard.errors import ConfigurationError
from switchboard.records.store import MIGRATIONS


@dataclass(frozen=True, slots=True)
class Revision:
    """What a database says of itself, beside what this server knows."""

    found: str | None
    """`None` for a database that no server of ours has opened yet."""
    newest: str
    known: Collection[str]
    tables: int
    """How many there are, whoever made them."""


async def revision_of(url: str) -> Revision | None:
    """The database's revision; `None` for a SQLite file that is not there yet.

    Raises `ConfigurationError` for a URL that names no database, `SQLAlchemyError` or `OSError` for
    a database that cannot be read.
    """
    engine = _reader(url)
    if engine is None:
        return None
    try:
        async with engine.connect() as connection:
            found, tables = await connection.run_sync(_look)
    finally:
        await engine.dispose()
    newest, known = _scripts()
    return Revision(found, newest, known, tables)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; `None` for any other."""
    named = _parsed(url)
    if named.get_backend_name() != "sqlite" or not named.database or named.database == ":memory:":
        return None
    return Path(named.database)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise ConfigurationError("DATABASE_URL is not the address of a database.") from None


def _reader(url: str) -> AsyncEngine | None:
    file = sqlite_file(url)
    if file is None:
        return _engine(_parsed(url))
    if not file.exists():
        return None
    # A reader of a database in WAL mode leaves files beside it, unless there are some already (a
    # server is using it), or the file is declared to be at rest.
    in_use = file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro" if in_use else "mode=ro&immutable=1"
    address = f"file:{quote(str(file.resolve()))}?{how}&uri=true"
    return _engine(make_url(f"sqlite+aiosqlite:///{address}"))


def _engine(url: URL) -> AsyncEngine:
    try:
        return create_async_engine(url)
    except (ArgumentError, ImportError, TypeError) as reason:
        raise ConfigurationError(
            f"DATABASE_URL is not a database this server can open ({type(reason).__name__})."
        ) from None


def _look(connection: Connection) -> tuple[str | None, int]:
    found = MigrationContext.configure(connection).get_current_revision()
    return found, len(inspect(connection).get_table_names())


def _scripts() -> tuple[str, Collection[str]]:
    config: Any = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    return scripts.get_current_head() or "", {each.revision for each in scripts.walk_revisions()}
