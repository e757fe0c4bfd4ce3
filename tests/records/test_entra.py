"""Where the address has no password, a token of the server's identity is shown in its place: the
real credential asks the identity's endpoint, and PostgreSQL looks at what the driver sends."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import anyio
import pytest
from sqlalchemy import text

from switchboard.errors import ConfigurationError
from switchboard.model.credentials import default_credential
from switchboard.records.entra import SCOPE, NoToken, TokenPassword
from switchboard.records.store import Store
from tests.databases import Cluster
from tests.model.identity import SECRET_HEADER, IdentityEndpoint, identity_endpoint

IDENTITY = "id-talk"
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
ENDED_S = 0.0
"""Of a token that is not shown a second time, and that the credential does not keep."""


@pytest.fixture
async def identity(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[IdentityEndpoint]:
    """What a container of Azure's has beside it. Its tokens are `token-1`, `token-2`, …"""
    async with identity_endpoint() as endpoint:
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield endpoint


@pytest.fixture
async def password(identity: IdentityEndpoint) -> AsyncGenerator[TokenPassword]:
    async with aclosing(TokenPassword(partial(default_credential, CLIENT_ID))) as password:
        yield password


@pytest.fixture
async def url(cluster: Cluster, shared_url: str) -> str:
    """A database whose role for the identity takes the first token."""
    name = shared_url.rpartition("/")[2]
    await cluster.run(
        f'DROP ROLE IF EXISTS "{IDENTITY}"',
        f"CREATE ROLE \"{IDENTITY}\" SUPERUSER LOGIN PASSWORD 'token-1'",
    )
    return cluster.url(name, IDENTITY, None)


async def takes(cluster: Cluster, token: str) -> None:
    """From now on the database takes this token only."""
    await cluster.run(f"ALTER ROLE \"{IDENTITY}\" PASSWORD '{token}'")


async def test_the_identitys_token_opens_the_database(
    url: str, password: TokenPassword, identity: IdentityEndpoint
) -> None:
    async with Store(url, password=password).opened() as store, store.reading() as connection:
        assert await connection.scalar(text("SELECT current_user")) == IDENTITY
    assert [dict(query) for query in identity.queries] == [
        {
            "api-version": "2019-08-01",
            "resource": SCOPE.removesuffix("/.default"),
            "client_id": CLIENT_ID,
        }
    ]


async def test_a_token_is_kept_while_it_is_good(
    url: str, password: TokenPassword, identity: IdentityEndpoint
) -> None:
    async with Store(url, password=password).opened() as store, anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(store.answers)
    assert len(identity.queries) == 1


async def test_a_connection_after_the_token_has_ended_shows_the_next(
    cluster: Cluster, url: str, password: TokenPassword, identity: IdentityEndpoint
) -> None:
    identity.life_s = ENDED_S
    assert await password() == "token-1"
    await takes(cluster, "token-2")
    async with Store(url, password=password).opened() as store:
        await takes(cluster, "token-3")
        await store.answers()
    assert len(identity.queries) == 3


async def test_a_token_that_the_database_does_not_take_is_refused_in_words(
    cluster: Cluster, url: str, password: TokenPassword, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    await takes(cluster, "another")
    with pytest.raises(ConfigurationError, match="with the Entra token of this") as refused:
        async with Store(url, password=password).opened():
            pass
    assert f"refuses {IDENTITY}" in str(refused.value)
    assert "AZURE_CLIENT_ID" in str(refused.value)
    assert "token-1" not in caplog.text + str(refused.value)


async def test_an_identity_without_a_role_is_refused_likewise(
    cluster: Cluster, url: str, password: TokenPassword
) -> None:
    with pytest.raises(ConfigurationError, match="There must be a role of that name"):
        async with Store(url.replace(IDENTITY, "id-other"), password=password).opened():
            pass


async def test_without_an_identity_there_is_no_token_and_nobody_is_asked(
    url: str, password: TokenPassword, identity: IdentityEndpoint
) -> None:
    identity.status = 400
    with pytest.raises(ConfigurationError, match="there is no Entra token") as refused:
        async with Store(url, password=password).opened():
            pass
    assert isinstance(refused.value.__cause__, NoToken)


async def test_a_password_in_the_address_is_shown_and_no_token(
    shared_url: str, password: TokenPassword, identity: IdentityEndpoint
) -> None:
    async with Store(shared_url, password=password).opened() as store:
        await store.answers()
    assert identity.queries == []


async def test_tokens_are_asked_for_once_by_many_who_connect(
    password: TokenPassword, identity: IdentityEndpoint
) -> None:
    shown: list[str] = []

    async def ask() -> None:
        shown.append(await password())

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
    assert shown == ["token-1"] * 10
    assert len(identity.queries) == 1
