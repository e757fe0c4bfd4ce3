"""Tokens, asked for by the real library at a real identity endpoint."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from switchboard.doctor.identity import Audience, identity
from switchboard.doctor.patience import Patience
from tests.doctor.peers import PATIENT, answering, failed, ok
from tests.model.identity import SECRET_HEADER, IdentityEndpoint, identity_endpoint

AUDIENCE = Audience("https://ai.azure.com/.default", "AZURE_OPENAI_SCOPE")


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[IdentityEndpoint]:
    async with identity_endpoint() as served:
        monkeypatch.setenv("IDENTITY_ENDPOINT", served.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield served


async def test_the_credential_that_answered_is_named(endpoint: IdentityEndpoint) -> None:
    told, token = await identity(AUDIENCE, "client-1", PATIENT)
    assert ok(told)
    assert "ManagedIdentityCredential gave a token for 14" in told.detail  # 1440 minutes, or 1439
    assert token == "token-1"
    assert token not in told.line()
    (query,) = endpoint.queries
    assert (query["resource"], query["client_id"]) == ("https://ai.azure.com", "client-1")


async def test_a_refused_identity_is_told_in_the_services_words(
    endpoint: IdentityEndpoint,
) -> None:
    endpoint.status = 400
    told, token = await identity(AUDIENCE, None, PATIENT)
    assert failed(told)
    assert "identity not found" in told.detail
    assert "ManagedIdentityCredential" in told.detail
    assert "AZURE_CLIENT_ID" in told.advice
    assert token is None


async def test_a_token_that_is_over_is_no_token(endpoint: IdentityEndpoint) -> None:
    endpoint.life_s = -60
    told, token = await identity(AUDIENCE, None, PATIENT)
    assert failed(told)
    assert "expired already" in told.detail
    assert token is None


async def test_an_identity_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with answering(None) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        async with asyncio.timeout(20):
            told, _ = await identity(AUDIENCE, None, Patience(token_s=1.0))
    assert failed(told)
    assert "no credential answered within 1 s" in told.detail
    assert "az login" in told.advice
    assert "secret-header" not in told.line()
