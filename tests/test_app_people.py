"""The whole house where people sign in: one door for all routes, tickets for browsers' sockets."""

import base64
import json
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from switchboard.app import create_app
from switchboard.errors import ConfigurationError
from switchboard.records.history import history
from switchboard.settings import Settings
from switchboard.sign_in import Door
from switchboard_local.entra.issuer import TENANT, Issuer
from switchboard_local.serving import sign_in_environment
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.test_app import Served, open_house, say

CLIENT = "c11e0000-1111-4111-8111-000000000001"
ROOT = Path(__file__).parents[1]


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
def issuer(cloud: Cloud) -> Issuer:
    assert cloud.issuer is not None
    return cloud.issuer


def sign_in(cloud: Cloud) -> dict[str, Any]:
    """The settings that have people of the local tenant sign in."""
    return {
        "sign_in_client_id": CLIENT,
        "sign_in_tenant_id": TENANT,
        "sign_in_authority": f"http://127.0.0.1:{cloud.port}",
    }


def bearer(issuer: Issuer, *roles: str, oid: str | None = None) -> dict[str, str]:
    """Of a person."""
    token = issuer.issue(CLIENT, oid=oid, roles=roles, scp="access_as_user").text
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def home(tmp_path: Path, cloud: Cloud) -> AsyncGenerator[Served]:
    async with open_house(tmp_path, **sign_in(cloud)) as served:
        yield served


async def test_a_caller_who_has_signed_in_talks_and_is_recorded(
    home: Served, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    shown = bearer(issuer, "caller")
    home.http.headers.update(shown)
    known = (await home.http.get("/api/config")).json()
    assert known["you"] == {"name": "Caller", "operator": False, "signOut": None}
    placed = await home.place()
    async with home.dial(placed) as page:  # a browser's socket: it shows its ticket only
        await say(page, "What do I owe?")
        await page.say("end")
        await page.closed()
    await home.quiet()
    await home.house.recorder.flush()
    account = await history(home.house.store, placed["call"])
    assert account is not None
    assert account.call.principal_id.startswith("p-")
    assert account.call.principal_id not in caplog.text
    assert shown["Authorization"].removeprefix("Bearer ") not in caplog.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/config"), ("POST", "/api/calls"), ("POST", "/api/session")],
)
async def test_who_shows_no_token_is_challenged(home: Served, method: str, path: str) -> None:
    answer = await home.http.request(method, path, json={"agent": "telecom"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_identified")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_who_has_no_role_is_told_so(home: Served, issuer: Issuer) -> None:
    answer = await home.http.get("/api/config", headers=bearer(issuer))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "no role here" in answer.json()["text"]


async def test_a_ticket_opens_its_own_call_only_and_none_opens_nothing(
    home: Served, issuer: Issuer
) -> None:
    home.http.headers.update(bearer(issuer, "caller"))
    one, other = await home.place(), await home.place()
    with pytest.raises(ConnectionClosedError, match="4401"):
        async with home.dial({**one, "socket": other["socket"]}, one["ticket"]):
            pass
    with pytest.raises(InvalidStatus) as refusal:
        async with home.dial(other, "none"):
            pass
    assert refusal.value.response.status_code == 401


async def test_anybody_may_ask_how_to_sign_in_and_learns_nothing_else(
    home: Served, cloud: Cloud
) -> None:
    answer = await home.http.get("/api/sign-in")
    assert answer.json() == {
        "signIn": {
            "clientId": CLIENT,
            "authority": f"http://127.0.0.1:{cloud.port}/{TENANT}",
            "scope": f"api://{CLIENT}/access_as_user",
        }
    }
    policy = answer.headers["content-security-policy"]
    assert f" http://127.0.0.1:{cloud.port};" in policy


def test_what_the_local_cloud_tells_the_product_is_a_whole_door() -> None:
    told = {name.lower(): value for name, value in sign_in_environment(8100).items()}
    door = Door(Settings.model_validate(told))
    assert door.by_tokens
    assert door.choice is not None
    assert door.choice.authority == f"http://127.0.0.1:8100/{TENANT}"


async def test_strangers_beside_people_call_less_often(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    async with open_house(tmp_path, allow_anonymous=True, **sign_in(cloud)) as home:
        wish = {"agent": "telecom"}
        told = (await home.http.get("/api/config")).json()
        assert (told["you"], told["signIn"]["clientId"]) == (None, CLIENT)
        stranger = [(await home.http.post("/api/calls", json=wish)).status_code for _ in range(4)]
        known = bearer(issuer, "caller")
        person = [
            (await home.http.post("/api/calls", json=wish, headers=known)).status_code
            for _ in range(4)
        ]
        bad = await home.http.post("/api/calls", json=wish, headers={"Authorization": "Bearer x"})
    assert stranger == [201, 201, 201, 429]
    assert person == [201, 201, 201, 201]
    assert bad.status_code == 401


# -- the platform's door --------------------------------------------------------------------------


def word(*roles: str) -> dict[str, str]:
    """What the door of Container Apps adds."""
    claims = [
        ("aud", CLIENT),
        ("http://schemas.microsoft.com/identity/claims/tenantid", TENANT),
        ("http://schemas.microsoft.com/identity/claims/objectidentifier", CLIENT),
        ("name", "Ada Lovelace"),
        *(("roles", role) for role in roles),
    ]
    said = {"auth_typ": "aad", "claims": [{"typ": typ, "val": val} for typ, val in claims]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(said).encode()).decode()}


BEHIND_DOOR = {
    "sign_in": "platform",
    "sign_in_client_id": CLIENT,
    "sign_in_tenant_id": TENANT,
}


@asynccontextmanager
async def published(data_dir: Path, **settings: object) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(
        Settings.model_validate(
            {
                "host": "0.0.0.0",
                "public_url": "https://talk.example",
                "azure_openai_endpoint": "http://127.0.0.1:9",
                "data_dir": data_dir,
                "session_config": ROOT / "session_config.json",
                **settings,
            }
        )
    )
    url = "https://talk.example"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as client,
    ):
        yield client


async def test_behind_the_platform_s_door_its_word_is_taken(tmp_path: Path) -> None:
    async with published(tmp_path, **BEHIND_DOOR) as client:
        known = (await client.get("/api/config", headers=word("operator"))).json()
        nobody = await client.get("/api/config")
        no_role = await client.get("/api/config", headers=word())
        asked = (await client.get("/api/sign-in")).json()
    assert known["you"] == {
        "name": "Ada Lovelace",
        "operator": True,
        "signOut": "/.auth/logout",
    }
    assert (nobody.status_code, no_role.status_code) == (401, 403)
    assert asked == {"signIn": None}


async def test_without_that_door_its_word_is_wind(tmp_path: Path, cloud: Cloud) -> None:
    async with published(tmp_path, **sign_in(cloud)) as client:
        assert (await client.get("/api/config", headers=word("operator"))).status_code == 401


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sign_in_client_id": CLIENT}, "SIGN_IN_TENANT_ID"),
        ({"sign_in_tenant_id": TENANT}, "SIGN_IN_CLIENT_ID"),
        ({"sign_in": "platform"}, "SIGN_IN_CLIENT_ID"),
        ({**BEHIND_DOOR, "sign_in_tenant_id": "common"}, "SIGN_IN_TENANT_ID"),
        ({}, "SIGN_IN_CLIENT_ID and SIGN_IN_TENANT_ID"),
    ],
)
async def test_a_door_that_is_set_up_by_halves_does_not_open(
    tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        async with published(tmp_path, **changed):
            pass
