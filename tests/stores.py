"""Fixtures for all tests: a store of its own for each, on each database there is."""

from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import NoReturn

import pytest

from switchboard.errors import RecordsUnavailable
from switchboard.records.store import Store, sqlite_url
from tests.databases import Cluster, running


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture
async def shared_url(cluster: Cluster) -> AsyncGenerator[str]:
    """PostgreSQL's, which several servers may share: with our tables, and nothing in them."""
    async with cluster.lent() as name:
        yield cluster.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each database in turn; where it is SQLite, an empty one."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return request.getfixturevalue("shared_url")


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[Store]:
    async with Store(database_url).opened() as store:
        yield store


@pytest.fixture
def stores_go(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called, it takes every store away: whoever asks one from then on is not answered."""

    def away(*_: object) -> NoReturn:
        raise RecordsUnavailable("The store has gone.")

    def go() -> None:
        for way in ("reading", "writing", "writing_now", "read", "write"):
            monkeypatch.setattr(Store, way, away)

    return go
