"""On a server where people sign in, an operator has somebody rung: nothing in it is replaced."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from switchboard_local.entra.issuer import TENANT, Issuer
from tests.local.acs.peers import kept
from tests.local.entra.signing import CLIENT, signed_in
from tests.local.realtime.doubles import Cloud
from tests.phone.conftest import cloud as cloud
from tests.phone.ringing import AGENT, Town, town

PERSON = "+442079460018"
WISH = {"to": PERSON, "agent": "banking", "operation": "operation-1"}


@pytest.fixture
async def office(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    """A server that people sign in to, and that may ring."""
    settings: dict[str, Any] = {
        "sign_in_client_id": CLIENT,
        "sign_in_tenant_id": TENANT,
        "sign_in_authority": f"http://127.0.0.1:{cloud.port}",
        "acs_number": AGENT,
        "dial_allowed": ("GB",),
        "dial_quiet_hours": "none",
        "dial_ring_seconds": 30,
    }
    async for place in kept(town(cloud, tmp_path, **settings)):
        yield place


async def shown(cloud: Cloud, person: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await signed_in(cloud.port, person))['access_token']}"}


async def place(office: Town, headers: dict[str, str]) -> httpx.Response:
    return await office.home.http.post("/api/phone/calls", json=WISH, headers=headers)


async def test_an_operator_has_somebody_rung_and_others_do_not(office: Town, cloud: Cloud) -> None:
    operator, caller = await shown(cloud, "otto"), await shown(cloud, "carla")
    assert (await place(office, {})).status_code == 401
    assert (await place(office, caller)).status_code == 403

    person = office.acs.phone(PERSON)
    placed = await place(office, operator)
    assert placed.status_code == 201, placed.text
    ring = await person.ringing()
    call = ring.answer()
    await call.hear_ms(300)
    address = f"/api/phone/calls/{placed.json()['call']}"
    told = await office.home.http.get(address, headers=operator)
    assert told.json()["state"] == "answered"
    assert (await office.home.http.get(address, headers=caller)).status_code == 403
    assert (await office.home.http.get(address)).status_code == 401
    call.hang_up()
    await office.empty()


async def test_a_program_that_is_an_operator_may_too(office: Town, cloud: Cloud) -> None:
    assert isinstance(cloud.issuer, Issuer)
    token = cloud.issuer.issue(f"api://{CLIENT}", roles=["operator"]).text
    person = office.acs.phone(PERSON)
    placed = await place(office, {"Authorization": f"Bearer {token}"})
    assert placed.status_code == 201, placed.text
    ring = await person.ringing()
    call = ring.answer()
    await call.hear_ms(300)
    call.hang_up()
    await office.empty()


async def test_the_page_of_an_operator_offers_to_ring_and_that_of_a_caller_does_not(
    office: Town, cloud: Cloud
) -> None:
    offers = [
        (await office.home.http.get("/api/config", headers=await shown(cloud, person))).json()
        for person in ("otto", "carla")
    ]
    assert [offer["phone"]["callMe"] for offer in offers] == [True, False]
    assert [offer["you"]["name"] for offer in offers] == ["Otto Operator", "Carla Caller"]
