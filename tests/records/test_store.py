"""The database opens, migrates and keeps its promises."""

import sys
import threading
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError

from switchboard.errors import ConfigurationError
from switchboard.records.engine import POOL
from switchboard.records.schema import Base, Call, Item
from switchboard.records.store import Store, sqlite_url

CALL: dict[str, Any] = {
    "id": "c1",
    "principal_id": "local",
    "agent": "bank",
    "model": "gpt-realtime",
    "voice": "marin",
    "channel": "browser",
    "began_at": 1.0,
}


def differences(connection: Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection), Base.metadata)


async def test_migrations_lead_to_the_schema_the_code_uses(store: Store) -> None:
    async with store.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_opened_database_may_be_opened_again_with_its_rows(database_url: str) -> None:
    async with Store(database_url).opened() as store, store.writing() as connection:
        await connection.execute(insert(Call).values(CALL))
    async with Store(database_url).opened() as store, store.reading() as connection:
        assert (await connection.scalars(select(Call.agent))).all() == ["bank"]


async def test_sqlite_is_set_up_for_many_readers_and_one_patient_writer(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store, store.reading() as connection:
        for pragma, value in (("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 5000)):
            assert await connection.scalar(text(f"PRAGMA {pragma}")) == value


async def test_a_row_of_no_call_is_refused(store: Store) -> None:
    item = {"call_id": "nobody", "item_id": "i", "speaker": "caller", "text": "", "state": "final"}
    with pytest.raises(IntegrityError):
        async with store.writing() as connection:
            await connection.execute(insert(Item).values(item | {"began_ms": 0, "typed": False}))


async def test_a_statement_that_fails_does_not_say_what_it_was_to_store(store: Store) -> None:
    with pytest.raises(IntegrityError) as failure:
        async with store.writing() as connection:
            words = {"speaker": "caller", "text": "my secret is Rosebud", "state": "final"}
            row = words | {"call_id": "nobody", "item_id": "i", "began_ms": 0, "typed": False}
            await connection.execute(insert(Item).values(row))
    assert "Rosebud" not in str(failure.value)


async def test_nor_does_its_traceback(store: Store) -> None:
    """PostgreSQL tells the row that it refuses, as SQLite does not."""
    with pytest.raises(IntegrityError) as failure:
        async with store.writing() as connection:
            await connection.execute(insert(Call).values({**CALL, "voice": "Rosebud"}))
            await connection.execute(text("UPDATE calls SET model = NULL"))
    assert "Rosebud" not in "".join(traceback.format_exception(failure.value))


async def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.writing() as connection:
            await connection.execute(insert(Call).values(CALL))
            raise ZeroDivisionError
    async with store.reading() as connection:
        assert (await connection.scalars(select(Call.id))).all() == []


async def test_writers_that_meet_wait_for_each_other(store: Store) -> None:
    async def count_up() -> None:
        async with store.writing() as connection:
            await store.alone(connection, "counting")
            began = (await connection.scalars(select(Call.began_at))).one()
            await anyio.sleep(0.01)
            await connection.execute(text("UPDATE calls SET began_at = :at"), {"at": began + 1})

    async with store.writing() as connection:
        await connection.execute(insert(Call).values(CALL))
    async with anyio.create_task_group() as writers:
        for _ in range(5):
            writers.start_soon(count_up)
    async with store.reading() as connection:
        assert await connection.scalar(select(Call.began_at)) == 6.0


async def test_reading_does_not_wait_for_a_writer(store: Store) -> None:
    async with store.writing() as writer:
        await writer.execute(insert(Call).values(CALL))
        with anyio.fail_after(20):
            async with store.reading() as reader:
                assert (await reader.scalars(select(Call.id))).all() == []


def opened_files() -> Counter[str]:
    """Of this process, by their names."""
    opened = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return Counter(each.readlink().name for each in opened)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_readers_who_meet_leave_no_more_of_a_file_open_than_the_pool_keeps(
    tmp_path: Path,
) -> None:
    async def look(store: Store) -> None:
        async with store.reading() as connection:
            await connection.scalar(select(Call.id))

    async with Store(sqlite_url(tmp_path)).opened() as store:
        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                for _ in range(30):
                    tasks.start_soon(look, store)
        files = opened_files()
    assert 0 < files["records.sqlite3"] == files["records.sqlite3-wal"] <= POOL["pool_size"]


@pytest.mark.parametrize("url", ["not a url", "nosuch://host/db", "sqlite+aiosqlite:////no/dir/x"])
async def test_a_database_that_cannot_be_opened_names_the_setting(url: str) -> None:
    before = threading.active_count()
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        async with Store(url).opened():
            pass
    with anyio.fail_after(20):  # the driver's thread ends by itself, and must before this loop does
        while threading.active_count() > before:  # noqa: ASYNC110 - a thread has no event for us
            await anyio.sleep(0.01)


def test_a_data_directory_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        sqlite_url(tmp_path / "file" / "below")
