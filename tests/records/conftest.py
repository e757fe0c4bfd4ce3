"""A store of its own for each test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from switchboard.records.store import Store, sqlite_url


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        yield store
