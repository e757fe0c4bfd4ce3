"""A store of its own for each test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from switchboard.records.store import Store, open_store, sqlite_url


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with open_store(sqlite_url(tmp_path)) as store:
        yield store
