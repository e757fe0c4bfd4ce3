"""Two people sign in to the local tenant, as they would to Entra: by code, with PKCE."""

import base64
import json

import httpx
import jwt
import pytest

from switchboard_local.entra.grants import CODE_S, MAX_KEPT, Grants, Wish
from switchboard_local.entra.issuer import TENANT, Issuer
from switchboard_local.entra.people import CALLER, OPERATOR
from tests.local.entra.signing import BACK, CLIENT, Signing, signed_in
from tests.local.realtime.doubles import Cloud


async def test_a_person_s_tokens_say_who_they_are_and_what_they_may(
    cloud: Cloud, issuer: Issuer
) -> None:
    tokens = await signed_in(cloud.port, "otto")
    access = issuer.read(tokens["access_token"], [CLIENT])
    assert (access["oid"], access["name"]) == (OPERATOR.oid, OPERATOR.name)
    assert (access["roles"], access["scp"]) == (["operator"], "access_as_user")
    assert (access["tid"], access["ver"], access["azp"]) == (TENANT, "2.0", CLIENT)
    assert access["sub"] != access["oid"]
    identity = issuer.read(tokens["id_token"], [CLIENT])
    assert (identity["nonce"], identity["name"]) == ("the nonce", OPERATOR.name)
    assert "scp" not in identity
    padded = tokens["client_info"] + "=="
    assert json.loads(base64.urlsafe_b64decode(padded)) == {"uid": OPERATOR.oid, "utid": TENANT}


async def test_a_refresh_token_gets_another_token_once(cloud: Cloud, issuer: Issuer) -> None:
    first = await signed_in(cloud.port, "carla")
    asks = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    again = await Signing(cloud.port).token(**asks)
    assert issuer.read(again.json()["access_token"], [CLIENT])["oid"] == CALLER.oid
    assert again.json()["refresh_token"] != first["refresh_token"]
    used = await Signing(cloud.port).token(**asks)
    assert (used.status_code, used.json()["error"]) == (400, "invalid_grant")
    assert used.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"


async def test_the_way_back_has_the_state_where_it_was_asked_for(cloud: Cloud) -> None:
    told = await Signing(cloud.port).choose("carla")
    assert told["state"] == "the state"
    told = await Signing(cloud.port, changed={"response_mode": "query"}).choose("carla")
    assert (told["state"], len(told["code"])) == ("the state", 43)
    told = await Signing(cloud.port, changed={"prompt": "none"}).choose("nobody")
    assert told["error"] == "login_required"


async def test_a_code_is_good_once(cloud: Cloud) -> None:
    signing = Signing(cloud.port)
    code = (await signing.choose("carla"))["code"]
    assert (await signing.redeem(code)).status_code == 200
    assert (await signing.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:8001/"},
        {"client_id": "c11e0000-1111-4111-8111-000000000002"},
        {"code": "another"},
    ],
)
async def test_a_code_is_good_for_nobody_else(cloud: Cloud, changed: dict[str, str]) -> None:
    signing = Signing(cloud.port)
    code = (await signing.choose("carla"))["code"]
    refused = await signing.redeem(changed.pop("code", code), **changed)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1.evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": None},
        {"client_id": "page"},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"response_mode": "form_post"},
        {"state": "x" * 3_000},
    ],
)
async def test_a_sign_in_that_entra_would_not_begin_is_not_begun(
    cloud: Cloud, changed: dict[str, str | None]
) -> None:
    signing = Signing(cloud.port, changed=changed)
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{signing.tenant}/authorize"
        page = await client.get(url, params=signing.asks)
        choice = await client.post(url, data={**signing.asks, "person": "carla"})
    assert (page.status_code, choice.status_code) == (400, 400)
    assert "location" not in choice.headers


async def test_the_page_offers_both_and_repeats_nothing_raw(cloud: Cloud) -> None:
    signing = Signing(cloud.port, changed={"state": '"><script>alert(1)</script>'})
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(f"{signing.tenant}/authorize", params=signing.asks)
    assert CALLER.name in page.text
    assert OPERATOR.name in page.text
    assert "<script>" not in page.text


async def test_whoever_signs_out_is_sent_back_to_pages_of_this_machine_only(cloud: Cloud) -> None:
    url = f"{Signing(cloud.port).tenant}/logout"
    async with httpx.AsyncClient(trust_env=False) as client:
        home = await client.get(url, params={"post_logout_redirect_uri": BACK})
        state = await client.get(url, params={"post_logout_redirect_uri": BACK, "state": "a b"})
        away = await client.get(url, params={"post_logout_redirect_uri": "https://evil.example"})
    assert state.headers["location"] == f"{BACK}?state=a+b"
    assert (home.status_code, home.headers["location"]) == (303, BACK)
    assert (away.status_code, "location" in away.headers) == (200, False)


async def test_the_metadata_lead_there(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{cloud.port}/{TENANT}/v2.0/.well-known/openid-configuration"
        metadata = (await client.get(url, headers={"Origin": "http://localhost:8000"})).json()
    assert metadata["authorization_endpoint"] == f"{Signing(cloud.port).tenant}/authorize"
    assert "S256" in metadata["code_challenge_methods_supported"]


def test_what_is_not_fetched_soon_is_gone_and_there_is_never_much() -> None:
    now = 1_000.0
    grants = Grants(clock=lambda: now)
    verifier = "v" * 43
    digest = "XAlKEvQeBXJqPHU0i3tcZ1p3IpSYGmSvHmfb0uMDGfA"
    wish = Wish(CLIENT, BACK, "", None, digest)
    old = grants.code(wish, CALLER)
    now += CODE_S + 1
    assert grants.redeem(old, CLIENT, BACK, verifier) is None
    first = grants.code(wish, CALLER)
    for _ in range(MAX_KEPT):
        grants.code(wish, CALLER)
    assert grants.redeem(first, CLIENT, BACK, verifier) is None


async def test_tokens_of_people_are_signed_and_no_more_than_that(cloud: Cloud) -> None:
    tokens = await signed_in(cloud.port, "carla")
    assert jwt.get_unverified_header(tokens["access_token"])["alg"] == "RS256"
