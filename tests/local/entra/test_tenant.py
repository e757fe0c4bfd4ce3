"""The tenant over HTTP: an application that trusts it, one that signs in, keys that change."""

from collections.abc import Mapping

import anyio
import httpx
import jwt
import pytest

from switchboard_local.entra.issuer import TENANT, Issuer
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.local.tokens import AUDIENCE, token_at

APP = "1a2b3c4d-0000-4000-8000-000000000007"
GOOD = {
    "grant_type": "client_credentials",
    "client_id": APP,
    "client_secret": "an app's",
    "scope": "api://switchboard/.default",
}


def at(cloud: Cloud) -> str:
    return f"http://127.0.0.1:{cloud.port}/{TENANT}"


async def test_whoever_knows_the_tenant_finds_its_keys_and_checks_its_tokens(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        there = f"{at(cloud)}/v2.0/.well-known/openid-configuration"
        metadata = (await client.get(there)).json()
        keys = jwt.PyJWKSet.from_dict((await client.get(metadata["jwks_uri"])).json())
    token = token_at(cloud.port)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience=AUDIENCE, issuer=metadata["issuer"])
    assert metadata["issuer"] == f"{at(cloud)}/v2.0"
    assert claims["tid"] == TENANT


async def test_an_application_signs_in_with_its_secret(cloud: Cloud, issuer: Issuer) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = (await client.post(f"{at(cloud)}/oauth2/v2.0/token", data=GOOD)).json()
    claims = issuer.read(answer["access_token"], ["api://switchboard"])
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert (claims["azp"], claims["roles"]) == (APP, ["caller", "operator"])


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "a guess"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "app"}, 400, "unauthorized_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "api://switchboard"}, 400, "invalid_scope"),
        ({"scope": "/.default"}, 400, "invalid_scope"),
        ({f"field{n}": "x" for n in range(50)}, 400, "invalid_request"),
        ({"padding": "x" * 20_000}, 400, "invalid_request"),
    ],
)
async def test_a_wrong_sign_in_is_refused_as_entra_does(
    cloud: Cloud, wrong: Mapping[str, str], status: int, error: str
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{at(cloud)}/oauth2/v2.0/token", data={**GOOD, **wrong})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_without_a_secret_no_application_signs_in() -> None:
    with local_cloud() as cloud:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{at(cloud)}/oauth2/v2.0/token", data=GOOD)
    assert answer.status_code == 401


async def test_there_is_one_tenant(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        other = f"http://127.0.0.1:{cloud.port}/common"
        for answer in (
            await client.get(f"{other}/v2.0/.well-known/openid-configuration"),
            await client.get(f"{other}/discovery/v2.0/keys"),
            await client.post(f"{other}/oauth2/v2.0/token", data=GOOD),
        ):
            assert answer.status_code == 400
            assert "AADSTS90002" in answer.json()["error_description"]


async def test_keys_change_on_demand_and_by_themselves() -> None:
    with local_cloud(local_key_rotation_seconds=1) as cloud:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def kids() -> list[str]:
                published = await client.get(f"{at(cloud)}/discovery/v2.0/keys")
                return [key["kid"] for key in published.json()["keys"]]

            before = await kids()
            new = (await client.post(f"http://127.0.0.1:{cloud.port}/local/keys")).json()["kid"]
            assert new not in before
            assert {new, before[0]} <= set(await kids())
            known = set(await kids())
            with anyio.fail_after(20):
                while not set(await kids()) - known:  # noqa: ASYNC110  (the far side tells nobody)
                    await anyio.sleep(0.05)
