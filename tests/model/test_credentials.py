"""The token is there before a call wants it, whatever the identity endpoint does."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Self

import pytest
from azure.core.credentials import AccessToken

from switchboard.errors import ModelUnavailable
from switchboard.model.config import AI_SCOPE, ModelConfig
from switchboard.model.connection import Line
from switchboard.model.credentials import (
    MakeCredential,
    TokenSource,
    default_credential,
    managed_identity,
)
from tests.model.identity import SECRET_HEADER, IdentityEndpoint, identity_endpoint
from tests.model.peer import SPEC, Peer, eventually, serving

LEAST_WAIT_S = 0.75
"""About a second, and by chance a little less; on a busy machine more."""


@asynccontextmanager
async def refreshing(make: MakeCredential) -> AsyncGenerator[TokenSource]:
    source = TokenSource(make, AI_SCOPE)
    async with asyncio.TaskGroup() as tasks:
        refresher = tasks.create_task(source.refresh())
        try:
            yield source
        finally:
            refresher.cancel()


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityEndpoint]:
    async with identity_endpoint() as endpoint:
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        yield endpoint


# -- the real credential classes ----------------------------------------------------------------


async def test_a_managed_identity_asks_for_our_scope_as_the_client_it_was_told(
    endpoint: IdentityEndpoint,
) -> None:
    async with refreshing(lambda: managed_identity("client-1")) as source:
        assert await source.token(wait_s=20) == "token-1"

        (query,) = endpoint.queries
        assert query["resource"] == "https://ai.azure.com"
        assert query["client_id"] == "client-1"
        assert source.status.ok
        assert source.status.expires_at == pytest.approx(time.time() + 86_400, abs=60)


async def test_the_default_chain_finds_the_managed_identity(
    endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")
    async with refreshing(default_credential) as source:
        assert await source.token(wait_s=20) == "token-1"


async def test_many_calls_at_once_share_one_fetch(endpoint: IdentityEndpoint) -> None:
    async with refreshing(managed_identity) as source:
        tokens = await asyncio.gather(*(source.token(wait_s=20) for _ in range(50)))

    assert set(tokens) == {"token-1"}
    assert len(endpoint.queries) == 1


async def test_a_refused_identity_is_told_in_words_and_found_again_once_it_is_there(
    endpoint: IdentityEndpoint,
) -> None:
    endpoint.status = 400
    async with refreshing(managed_identity) as source:
        await eventually(lambda: "identity not found" in source.status.text)
        with pytest.raises(ModelUnavailable, match="identity not found") as failure:
            await source.token(wait_s=0)
        assert failure.value.retryable
        assert not source.status.ok

        endpoint.status = 200
        assert await source.token(wait_s=20)
        assert source.status.ok


async def test_the_token_is_in_no_log(
    endpoint: IdentityEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with refreshing(managed_identity) as source:
        token = await source.token(wait_s=20)

    assert any(record.name.startswith("switchboard") for record in caplog.records)
    assert token not in caplog.text
    assert not any(token in str(vars(record)) for record in caplog.records)


async def test_a_line_dials_with_the_token_of_the_managed_identity(
    endpoint: IdentityEndpoint,
) -> None:
    async def silence(peer: Peer, socket: object) -> None:
        await peer.over.wait()

    async with serving(silence) as peer, refreshing(managed_identity) as source:
        config = ModelConfig(endpoint=peer.endpoint, close_timeout_s=0.1)
        async with Line(config, source).dial(SPEC):
            pass

    assert peer.requests[0].headers["Authorization"] == "Bearer token-1"


# -- what no endpoint would do on cue -----------------------------------------------------------


@dataclass
class Purse:
    """A credential whose tokens live as long as they are told to."""

    lives_s: list[float]
    """Of each token in turn; the last one for all that follow. 0 means that it raises."""
    asked_at: list[float] = field(default_factory=list[float])
    closed: bool = False
    scopes: set[str] = field(default_factory=set[str])

    @property
    def asked(self) -> int:
        return len(self.asked_at)

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        life_s = self.lives_s[min(self.asked, len(self.lives_s) - 1)]
        self.asked_at.append(time.monotonic())
        self.scopes.update(scopes)
        if life_s == 0:
            raise RuntimeError("the purse is empty.\nAnd a page of reasons follows.")
        # Whole seconds, as they really come: rounded up, so that a life is never cut short.
        return AccessToken(f"token-{self.asked}", int(time.time() + life_s + 1))

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


async def test_a_token_is_replaced_before_it_ends_and_nobody_waits() -> None:
    purse = Purse([6, 3600])
    async with refreshing(lambda: purse) as source:
        assert await source.token(wait_s=20) == "token-1"
        await eventually(lambda: purse.asked == 2)
        assert await source.token(wait_s=0) == "token-2"

    assert purse.scopes == {AI_SCOPE}
    assert purse.closed


async def test_the_last_valid_token_serves_while_its_refresh_fails() -> None:
    purse = Purse([6.5, 0])
    async with refreshing(lambda: purse) as source:
        assert await source.token(wait_s=20) == "token-1"
        await eventually(lambda: purse.asked == 2)
        assert await source.token(wait_s=0) == "token-1"
        assert source.status.ok
        assert source.status.text == "the last refresh failed: the purse is empty"


async def test_a_token_that_came_dead_is_not_served() -> None:
    async with refreshing(lambda: Purse([-60])) as source:
        with pytest.raises(ModelUnavailable, match="expired"):
            await source.token(wait_s=0.2)


async def test_failures_are_followed_by_longer_and_longer_rests() -> None:
    purse = Purse([0])
    async with refreshing(lambda: purse):
        await eventually(lambda: purse.asked == 3)

    first_s, second_s = (then - now for now, then in pairwise(purse.asked_at))
    assert first_s >= LEAST_WAIT_S
    assert second_s >= 2 * LEAST_WAIT_S


async def test_calls_that_want_a_token_do_not_make_the_purse_be_asked_more_than_once_a_second() -> (
    None
):
    purse = Purse([0])
    async with refreshing(lambda: purse) as source:
        while purse.asked < 3:
            with pytest.raises(ModelUnavailable):
                await source.token(wait_s=0.01)

    assert min(then - now for now, then in pairwise(purse.asked_at)) >= LEAST_WAIT_S


async def test_a_credential_that_cannot_be_made_is_told_and_tried_again() -> None:
    purse = Purse([3600])
    made: list[int] = []

    def make() -> Purse:
        made.append(1)
        if len(made) == 1:
            raise ValueError("no client id")
        return purse

    async with refreshing(make) as source:
        with pytest.raises(ModelUnavailable, match="no client id"):
            await source.token(wait_s=0.1)
        assert await source.token(wait_s=20) == "token-1"


async def test_a_credential_that_hangs_holds_up_nobody() -> None:
    class Hanging(Purse):
        async def get_token(self, *scopes: str, **_: object) -> AccessToken:
            await asyncio.Event().wait()
            raise AssertionError

    async with refreshing(lambda: Hanging([1])) as source:
        with pytest.raises(ModelUnavailable, match="waiting for the first token"):
            async with asyncio.timeout(20):
                await source.token(wait_s=0.1)
