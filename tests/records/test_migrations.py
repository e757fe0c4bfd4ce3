"""Migrations go up and down again with rows in every table, on each database."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from switchboard.records.engine import is_postgres, parsed, sqlite_engine
from switchboard.records.postgres import MIGRATING, postgres_engine
from switchboard.records.store import MIGRATIONS, sqlite_url
from tests.databases import Cluster

VERSIONS: Final = "alembic_version"


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[AsyncEngine]:
    """One for an empty database."""
    url = parsed(sqlite_url(tmp_path))
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        url = parsed(cluster.url(await cluster.create()))
    engine = (
        postgres_engine(url, None, MIGRATING) if is_postgres(url) else sqlite_engine(url, 5_000)
    )
    yield engine
    await engine.dispose()


def config_for(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def revisions() -> Sequence[str]:
    """From the first to the newest."""
    return [each.revision for each in ScriptDirectory.from_config(config_for()).walk_revisions()][
        ::-1
    ]


def upgrade(connection: Connection, to: str) -> None:
    command.upgrade(config_for(connection), to)


def downgrade(connection: Connection, to: str) -> None:
    command.downgrade(config_for(connection), to)


def tables(connection: Connection) -> Sequence[Table]:
    """Those there are; what is referred to comes first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSIONS]


def value(kind: object) -> Any:  # noqa: ANN401  (of any column)
    match kind:
        case Boolean():
            return True
        case Integer():
            return 7
        case Float():
            return 7.5
        case LargeBinary():
            return b"x"
        case _:
            return "x"


def fill(connection: Connection) -> None:
    """A row into every table that has none."""
    for table in tables(connection):
        if not counted(connection, table):
            row = {column.name: value(column.type) for column in table.columns}
            connection.execute(table.insert().values(row))


def counted(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def rows(connection: Connection) -> dict[str, dict[str, Any]]:
    """The one row of each table."""
    return {
        table.name: dict(connection.execute(select(table)).mappings().one())
        for table in tables(connection)
    }


async def test_they_go_up_and_down_step_by_step_and_no_row_is_lost(engine: AsyncEngine) -> None:
    steps = revisions()
    written: list[dict[str, dict[str, Any]]] = []
    for step in steps:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, step)
            await connection.run_sync(fill)
            written.append(await connection.run_sync(rows))
    for older in reversed(range(len(steps) - 1)):
        async with engine.begin() as connection:
            await connection.run_sync(downgrade, steps[older])
            now = await connection.run_sync(rows)
        assert now.keys() == written[older].keys()
        for table, row in written[older].items():
            assert now[table] == row, table
    async with engine.begin() as connection:
        await connection.run_sync(downgrade, "base")
        assert await connection.run_sync(tables) == []
        await connection.run_sync(upgrade, "head")
        assert {table.name for table in await connection.run_sync(tables)} == written[-1].keys()


async def test_what_a_newer_version_adds_is_filled_in_for_older_rows(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0002")
        await connection.run_sync(fill)
        await connection.run_sync(upgrade, "head")
        now = await connection.run_sync(lambda each: rows_of(each, "calls", "dialled"))
    assert (now["calls"]["direction"], now["calls"]["replica_id"]) == ("in", None)
    assert (now["dialled"]["state"], now["dialled"]["agent"]) == ("ended", "")


def rows_of(connection: Connection, *names: str) -> dict[str, dict[str, Any]]:
    wanted = [table for table in tables(connection) if table.name in names]
    return {
        table.name: dict(connection.execute(select(table)).mappings().one()) for table in wanted
    }
