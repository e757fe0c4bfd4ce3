"""A store of its own for each test, on each database there is: fixtures for a `conftest.py`."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from switchboard.records.store import Store, sqlite_url
from tests.databases import Cluster, running


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the newest tables, and nothing in them."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(await cluster.copy())


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[Store]:
    async with Store(database_url).opened() as store:
        yield store
