"""The telephone is there when a carrier is configured, and behind its locks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from switchboard.app import create_app
from switchboard.errors import ConfigurationError
from switchboard.settings import Settings

SECRET = "correct-horse-battery-staple-and-more"
CARRIER = {
    "acs_endpoint": "https://acs.example",
    "acs_resource_id": "11111111-2222-3333-4444-555555555555",
    "public_url": "https://talk.example",
    "event_grid_secret": SECRET,
    "allow_anonymous": True,
}


def settings(data_dir: Path, **changed: object) -> Settings:
    return Settings.model_validate(
        {"azure_openai_endpoint": "http://127.0.0.1:9", "data_dir": data_dir, **changed}
    )


@asynccontextmanager
async def served(
    settings: Settings, url: str = "https://talk.example"
) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=url) as client,
    ):
        yield client


async def test_event_grid_comes_in_with_its_secret_only(tmp_path: Path) -> None:
    async with served(settings(tmp_path, **CARRIER)) as client:
        asks = [
            {
                "id": "v1",
                "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
                "eventTime": "2026-11-26T10:00:00Z",
                "data": {"validationCode": "512d38b6"},
            }
        ]
        address = "/api/phone/incoming"
        assert (await client.post(address, json=asks)).status_code == 401
        answer = await client.post(f"{address}?secret={SECRET}", json=asks)
        assert answer.json() == {"validationResponse": "512d38b6"}
        assert (await client.post("/api/phone/events/c1", json=[])).status_code == 401


async def test_a_telephone_makes_nobody_the_owner_who_comes_by_its_public_name(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match="comes through a proxy on this machine"):
        create_app(settings(tmp_path, **{**CARRIER, "allow_anonymous": False}))


async def test_without_a_carrier_there_is_no_telephone(tmp_path: Path) -> None:
    async with served(
        settings(tmp_path, public_url="https://talk.example", allow_anonymous=True)
    ) as client:
        assert (await client.post("/api/phone/incoming", json=[])).status_code in (404, 405)
        assert (await client.get("/api/config")).json()["phone"] is None


LOCAL = {
    "acs_issuer": "http://127.0.0.1:1",
    "public_url": "http://127.0.0.1:8000",
    "allow_anonymous": False,
}
NUMBERED = {"acs_number": "+442079460018"}
DIALS = {**NUMBERED, "dial_allowed": "GB"}


@pytest.mark.parametrize(
    ("changed", "url", "call_me"),
    [
        ({**LOCAL, **DIALS}, "http://127.0.0.1:8000", True),  # the owner of the machine
        ({**LOCAL, **NUMBERED}, "http://127.0.0.1:8000", False),  # nobody may be rung
        (DIALS, "https://talk.example", False),  # a stranger
    ],
)
async def test_the_page_learns_the_number_and_whether_its_visitor_may_be_rung(
    tmp_path: Path, changed: dict[str, object], url: str, call_me: bool
) -> None:
    async with served(settings(tmp_path, **{**CARRIER, **changed}), url) as client:
        known = (await client.get("/api/config")).json()
    assert known["phone"] == {
        "number": "+44 20 7946 0018",
        "agent": known["defaultAgent"],
        "callMe": call_me,
    }


async def test_the_page_is_told_of_no_telephone_without_a_number(tmp_path: Path) -> None:
    async with served(settings(tmp_path, **CARRIER)) as client:
        assert (await client.get("/api/config")).json()["phone"] is None


@pytest.mark.parametrize("missing", ["acs_resource_id", "public_url", "event_grid_secret"])
def test_a_telephone_without_a_lock_does_not_start(tmp_path: Path, missing: str) -> None:
    known = {name: value for name, value in CARRIER.items() if name != missing}
    with pytest.raises(ConfigurationError, match=missing.upper()):
        create_app(settings(tmp_path, **known))


@pytest.mark.parametrize(
    "changed",
    [
        {"acs_issuer": "http://signer.example"},
        {"acs_issuer": "ftp://127.0.0.1"},
        {"acs_issuer": "https://"},
        {"acs_issuer": "https://[::1"},
        {"public_url": "http://talk.example"},
    ],
)
def test_what_proves_who_the_carrier_is_does_not_go_in_the_open(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    [name] = changed
    with pytest.raises(ConfigurationError, match=f"{name.upper()} must be https"):
        create_app(settings(tmp_path, **{**CARRIER, **changed}))


def test_a_carrier_on_this_machine_may_go_without(tmp_path: Path) -> None:
    local = {"acs_issuer": "http://127.0.0.1:1", "public_url": "http://localhost:8000"}
    create_app(settings(tmp_path, **{**CARRIER, **local}))
