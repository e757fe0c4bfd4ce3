"""The managed identity endpoint, asked by the real credential."""

import time
from collections.abc import Generator

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from tests.local.realtime.doubles import Cloud, local_cloud


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud(identity_header="the secret") as cloud:
        yield cloud


def point_at(cloud: Cloud, header: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    environment.setenv("IDENTITY_HEADER", header)


async def test_the_real_credential_gets_a_token(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(cloud, "the secret", monkeypatch)
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token("https://ai.azure.com/.default")
    assert token.token
    assert 3000 < token.expires_on - time.time() <= 3600


async def test_a_stranger_gets_none(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(cloud, "a guess", monkeypatch)
    async with ManagedIdentityCredential() as credential:
        with pytest.raises(ClientAuthenticationError):
            await credential.get_token("https://ai.azure.com/.default")


async def test_without_a_secret_there_is_no_endpoint() -> None:
    with local_cloud() as cloud:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(
                f"http://127.0.0.1:{cloud.port}/msi/token", params={"resource": "x"}
            )
    assert answer.status_code == 404


async def test_health_says_which_parts_are_in_use(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        health = (await client.get(f"http://127.0.0.1:{cloud.port}/health")).json()
    assert health["status"] == "ok"
    assert "ears: scripted" in health["parts"]
