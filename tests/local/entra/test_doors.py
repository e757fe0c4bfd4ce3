"""Every way into the stand-ins: who is let in, and what the others' clients are told."""

import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import openai
import pytest
from azure.ai.voicelive.aio import ConnectionError, connect
from azure.core.credentials import AzureKeyCredential
from openai import AsyncOpenAI
from websockets.asyncio.client import connect as dial
from websockets.exceptions import InvalidStatus

from switchboard_local.entra.issuer import Issuer
from switchboard_local.entra.keys import KeyRing
from switchboard_local.realtime.keeper import AUDIENCES
from tests.local.realtime.doubles import Cloud
from tests.local.tokens import AUDIENCE, TokenInHand
from tests.local.webrtc.caller import SESSION, mint

STRANGERS = KeyRing()

WRONG: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda issuer: issuer.issue(AUDIENCE, ttl_s=-1).text,
    "for another audience": lambda issuer: issuer.issue("https://vault.azure.net").text,
    "of another issuer": lambda issuer: replace(issuer, address="http://x").issue(AUDIENCE).text,
    "of a key never published": lambda issuer: replace(issuer, keys=STRANGERS).issue(AUDIENCE).text,
    "malformed": lambda _: "any",
}
SOCKETS = (
    "/openai/v1/realtime?model=m",
    "/openai/v1/realtime?call_id=rtc_1",
    "/voice-live/realtime?api-version=2026-07-15&model=m",
)


@pytest.fixture(params=sorted(WRONG))
def wrong(request: pytest.FixtureRequest, issuer: Issuer) -> str:
    """A token that opens nothing."""
    return WRONG[request.param](issuer)


async def knock(cloud: Cloud, path: str, headers: dict[str, str]) -> int:
    """The status that an upgrade is answered with."""
    url = f"ws://127.0.0.1:{cloud.port}{path}"
    try:
        async with dial(url, additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as refused:
        error = json.loads(refused.response.body)["error"]
        assert error["code"]
        assert error["message"]
        return refused.response.status_code


async def test_a_wrong_token_opens_no_door(cloud: Cloud, wrong: str) -> None:
    headers = {"Authorization": f"Bearer {wrong}"}
    assert [await knock(cloud, path, headers) for path in SOCKETS] == [401, 401, 401]
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        url = f"{cloud.base_url}/realtime"
        minted = await client.post(f"{url}/client_secrets", json={"session": SESSION})
        ended = await client.post(f"{url}/calls/rtc_1/hangup")
        called = await client.post(
            f"{url}/calls", content="v=0", headers={"content-type": "application/sdp"}
        )
    assert [minted.status_code, ended.status_code, called.status_code] == [401, 401, 401]
    assert minted.json()["error"]["code"] == "401"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic abc"}, {"api-key": "a guess"}],
)
async def test_who_shows_no_token_is_not_let_in(cloud: Cloud, headers: dict[str, str]) -> None:
    assert [await knock(cloud, path, headers) for path in SOCKETS] == [401, 401, 401]


@pytest.mark.parametrize("audience", sorted(AUDIENCES))
async def test_either_service_takes_tokens_for_either_resource(
    cloud: Cloud, issuer: Issuer, audience: str
) -> None:
    headers = {"Authorization": f"Bearer {issuer.issue(audience).text}"}
    assert [await knock(cloud, path, headers) for path in SOCKETS] == [101, 404, 101]


@pytest.mark.parametrize("headers", [{"api-key": "the key"}, {"Authorization": "Bearer the key"}])
async def test_a_key_opens_them_where_there_is_one(cloud: Cloud, headers: dict[str, str]) -> None:
    assert [await knock(cloud, path, headers) for path in SOCKETS] == [101, 404, 101]


async def test_a_query_may_hold_a_key_and_voice_lives_a_token_too(cloud: Cloud) -> None:
    realtime, _, voice_live = SOCKETS
    assert await knock(cloud, f"{realtime}&api-key=the%20key", {}) == 101
    assert await knock(cloud, f"{voice_live}&api-key=the%20key", {}) == 101
    token = f"&Authorization=Bearer%20{cloud.token}"
    assert await knock(cloud, voice_live + token, {}) == 101
    assert await knock(cloud, realtime + token, {}) == 401


async def test_a_client_secret_opens_calls_and_no_other_door(cloud: Cloud) -> None:
    secret = {"Authorization": f"Bearer {await mint(cloud)}"}
    assert [await knock(cloud, path, secret) for path in SOCKETS] == [401, 401, 401]
    async with httpx.AsyncClient(trust_env=False, headers=secret) as client:
        url = f"{cloud.base_url}/realtime/client_secrets"
        assert (await client.post(url, json={"session": SESSION})).status_code == 401


async def test_a_token_of_an_old_key_opens_them_while_that_is_published(
    cloud: Cloud, issuer: Issuer
) -> None:
    headers = cloud.headers
    issuer.keys.rotate()
    assert await knock(cloud, SOCKETS[0], headers) == 101


async def test_the_users_of_the_openai_sdk_see_who_was_refused(cloud: Cloud, wrong: str) -> None:
    async with AsyncOpenAI(base_url=cloud.base_url, api_key=wrong, max_retries=0) as sdk:
        with pytest.raises(openai.AuthenticationError, match="Access token is missing, invalid"):
            await sdk.realtime.client_secrets.create(session={"type": "realtime", "model": "m"})
        with pytest.raises(InvalidStatus, match="401"):
            async with sdk.realtime.connect(model="m"):
                pass


async def test_the_users_of_the_voice_live_sdk_see_who_was_refused(
    cloud: Cloud, wrong: str
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    with pytest.raises(ConnectionError, match="401"):
        async with connect(endpoint=endpoint, credential=TokenInHand(wrong), model="m"):
            pass
    async with connect(
        endpoint=endpoint, credential=AzureKeyCredential("the key"), model="m"
    ) as connection:
        assert (await anext(aiter(connection))).type == "session.created"


async def test_why_a_token_was_refused_is_logged_and_the_token_is_not(
    cloud: Cloud, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.issue(AUDIENCE, ttl_s=-1).text
    await knock(cloud, SOCKETS[0], {"Authorization": f"Bearer {token}"})
    (said,) = [each for each in caplog.records if each.message == "credential refused"]
    assert said.__dict__["reason"] == "expired"
    assert not any(token in str(each.__dict__) for each in caplog.records)
