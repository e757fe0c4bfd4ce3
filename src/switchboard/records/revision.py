"""How far a database's schema has come, found out without changing anything."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from switchboard.records.engine import is_postgres, parsed
from switchboard.records.postgres import Address, Password, Patience, postgres_engine
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
    may_create: bool = True
    """Whether we may make tables there. SQLite's file says that itself."""


async def revision_of(url: str, password: Password | None = None) -> Revision | None:
    """The database's revision; `None` for a SQLite file that is not there yet.

    Raises `ConfigurationError` for a URL that names no database, `SQLAlchemyError` or `OSError` for
    a database that cannot be read.
    """
    engine = _reader(url, password)
    if engine is None:
        return None
    try:
        async with engine.connect() as connection:
            found, tables, may_create = await connection.run_sync(_look)
    finally:
        await engine.dispose()
    newest, known = _scripts()
    return Revision(found, newest, known, tables, may_create)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; `None` for any other. Raises `ConfigurationError`."""
    named = parsed(url)
    if is_postgres(named) or not named.database or named.database == ":memory:":
        return None
    return Path(named.database)


def address_of(url: str) -> Address | None:
    """Where a PostgreSQL database is; `None` for SQLite. Raises `ConfigurationError`."""
    named = parsed(url)
    return Address.of(named) if is_postgres(named) else None


def _reader(url: str, password: Password | None) -> AsyncEngine | None:
    if is_postgres(named := parsed(url)):
        return postgres_engine(named, password, Patience())
    file = sqlite_file(url)
    if file is None:
        return create_async_engine(named)
    if not file.exists():
        return None
    # A reader of a database in WAL mode leaves files beside it, unless there are some already (a
    # server is using it), or the file is declared to be at rest.
    in_use = file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro" if in_use else "mode=ro&immutable=1"
    address = f"file:{quote(str(file.resolve()))}?{how}&uri=true"
    return create_async_engine(make_url(f"sqlite+aiosqlite:///{address}"))


def _look(connection: Connection) -> tuple[str | None, int, bool]:
    found = MigrationContext.configure(connection).get_current_revision()
    may_create = True
    if connection.dialect.name == "postgresql":
        # The schema that ours would be made in: none where we may not even look.
        here = func.coalesce(func.has_schema_privilege(func.current_schema(), "CREATE"), False)
        may_create = bool(connection.execute(select(here)).scalar())
    return found, len(inspect(connection).get_table_names()), may_create


def _scripts() -> tuple[str, Collection[str]]:
    config: Any = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    return scripts.get_current_head() or "", {each.revision for each in scripts.walk_revisions()}
