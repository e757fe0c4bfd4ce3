"""Servers on a PostgreSQL: let in by their identity's token, and several of them on one."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from switchboard.doctor.watch import RECORDS, State
from switchboard.records.history import CallHistory, history
from switchboard.records.replicas import LOST
from switchboard.records.store import Store
from tests.databases import Cluster
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.test_app import Served, open_house, say

IDENTITY = "id-talk"


@pytest.fixture
async def url(
    cluster: Cluster, shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[str]:
    """Without a password: the identity's endpoint gives `token-1`, `token-2`, …"""
    await cluster.run(
        f'DROP ROLE IF EXISTS "{IDENTITY}"',
        f"CREATE ROLE \"{IDENTITY}\" SUPERUSER LOGIN PASSWORD 'token-1'",
    )
    async with identity_endpoint() as endpoint:
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield cluster.url(shared_url.rpartition("/")[2], IDENTITY, None)


async def known(store: Store, call_id: str) -> CallHistory:
    found = await history(store, call_id)
    assert found is not None
    return found


async def recorded(house: Served, call_id: str) -> None:
    """Until the call is in the records."""
    with anyio.fail_after(30):
        while await history(house.house.store, call_id) is None:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_a_call_goes_on_while_another_server_starts_and_stops(
    shared_url: str, tmp_path: Path
) -> None:
    async with open_house(tmp_path / "a", database_url=shared_url) as a:
        placed = await a.place()
        async with a.dial(placed) as page:
            await recorded(a, placed["call"])
            async with open_house(tmp_path / "b", database_url=shared_url) as b:
                seen = await known(b.house.store, placed["call"])
                assert seen.call.end_reason is None
                assert seen.call.replica_id == a.house.store.replica
            await say(page, "Still there?")
        await a.quiet()
        await a.house.recorder.flush()
        ended = await known(a.house.store, placed["call"])
    assert ended.call.end_reason is not None
    assert ended.call.end_reason not in ("interrupted", LOST)
    assert "Still there?" in [item.text for item in ended.items]


async def test_what_a_server_that_died_left_open_is_closed_by_one_that_lives(
    url: str, shared_url: str, tmp_path: Path
) -> None:
    async with (
        open_house(tmp_path / "b", database_url=url) as b,
        Store(shared_url).opened() as dead,
    ):
        async with dead.writing() as connection:
            await connection.execute(
                text(
                    "INSERT INTO calls (id, principal_id, agent, model, voice, channel, began_at,"
                    " replica_id) VALUES ('c1', 'p', 'a', 'm', 'v', 'browser', 1, 'gone')"
                )
            )
        with anyio.fail_after(40):
            while (await known(dead, "c1")).call.end_reason != LOST:  # noqa: ASYNC110
                await anyio.sleep(0.05)
        assert b.house.broken == []


async def test_a_server_on_postgresql_is_ready(url: str, tmp_path: Path) -> None:
    async with open_house(tmp_path, database_url=url) as home:
        with anyio.fail_after(30):
            while home.house.watch.state(RECORDS) is State.WAITING:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert home.house.watch.state(RECORDS) is State.OK
