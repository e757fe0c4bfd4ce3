"""The managed identity endpoint in both its forms, asked by the real credentials."""

import time
from collections.abc import Callable

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from switchboard_local.entra.issuer import MACHINE, Issuer, object_id
from tests.local.entra.conftest import HEADER
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.local.tokens import AUDIENCE

type Form = Callable[[Cloud, pytest.MonkeyPatch], None]

SCOPE = f"{AUDIENCE}/.default"
USER_ASSIGNED = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def as_a_container(cloud: Cloud, environment: pytest.MonkeyPatch, header: str = HEADER) -> None:
    environment.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    environment.setenv("IDENTITY_HEADER", header)


def as_a_machine(cloud: Cloud, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("IDENTITY_ENDPOINT", raising=False)
    environment.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{cloud.port}")


@pytest.mark.parametrize("form", [as_a_container, as_a_machine])
async def test_a_managed_identity_gets_a_token_that_says_so(
    form: Form, cloud: Cloud, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form(cloud, monkeypatch)
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token(SCOPE)
    claims = issuer.read(token.token, [AUDIENCE])
    assert (claims["azp"], claims["oid"]) == (MACHINE, object_id(MACHINE))
    assert token.expires_on == claims["exp"]
    assert 3500 < token.expires_on - time.time() <= 3600


@pytest.mark.parametrize("form", [as_a_container, as_a_machine])
async def test_the_default_credential_finds_it_too(
    form: Form, cloud: Cloud, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form(cloud, monkeypatch)
    async with DefaultAzureCredential() as credential:
        token = await credential.get_token("https://communication.azure.com//.default")
    assert issuer.read(token.token, ["https://communication.azure.com/"])


@pytest.mark.parametrize("form", [as_a_container, as_a_machine])
async def test_a_user_assigned_identity_is_another_one(
    form: Form, cloud: Cloud, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form(cloud, monkeypatch)
    async with ManagedIdentityCredential(client_id=USER_ASSIGNED) as credential:
        token = await credential.get_token(SCOPE)
    claims = issuer.read(token.token, [AUDIENCE])
    assert claims["azp"] == USER_ASSIGNED
    assert claims["oid"] == object_id(USER_ASSIGNED) != object_id(MACHINE)


async def test_an_identity_that_is_not_there_is_none(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_a_container(cloud, monkeypatch)
    async with ManagedIdentityCredential(client_id="nobody") as credential:
        with pytest.raises(ClientAuthenticationError, match="Identity not found"):
            await credential.get_token(SCOPE)
    as_a_machine(cloud, monkeypatch)
    async with ManagedIdentityCredential(client_id="nobody") as credential:
        with pytest.raises(CredentialUnavailableError, match="has not been assigned"):
            await credential.get_token(SCOPE)


async def test_a_stranger_gets_none(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    as_a_container(cloud, monkeypatch, "a guess")
    async with ManagedIdentityCredential() as credential:
        with pytest.raises(ClientAuthenticationError, match="X-IDENTITY-HEADER"):
            await credential.get_token(SCOPE)


async def test_a_token_lives_as_long_as_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_cloud(identity_header=HEADER, local_token_seconds=20) as cloud:
        as_a_container(cloud, monkeypatch)
        async with ManagedIdentityCredential() as credential:
            token = await credential.get_token(SCOPE)
    assert 15 < token.expires_on - time.time() <= 20


@pytest.mark.parametrize(
    ("path", "headers", "query"),
    [
        ("/metadata/identity/oauth2/token", {}, "api-version=2018-02-01&resource=x"),
        ("/metadata/identity/oauth2/token", {"metadata": "true"}, "resource=x"),
        ("/metadata/identity/oauth2/token", {"metadata": "true"}, "api-version=2018-02-01"),
        ("/msi/token", {"x-identity-header": HEADER}, "api-version=2017-09-01&resource=x"),
        ("/msi/token", {"x-identity-header": HEADER}, "api-version=2019-08-01"),
        (
            "/msi/token",
            {"x-identity-header": HEADER},
            f"api-version=2019-08-01&resource={'x' * 501}",
        ),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    cloud: Cloud, path: str, headers: dict[str, str], query: str
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{cloud.port}{path}?{query}", headers=headers)
    assert answer.status_code == 400
    told = answer.json()
    assert told.get("error_description") or told.get("message")


async def test_without_a_secret_there_is_no_endpoint_for_containers() -> None:
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
