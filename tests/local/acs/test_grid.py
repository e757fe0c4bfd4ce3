"""Event Grid: handshakes and incoming calls, in both schemas, and as untidy as it may be."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from switchboard_local.acs.grid import HandshakeFailed, Schema, Subscription
from switchboard_local.acs.people import NoAnswer, Phone
from switchboard_local.acs.subscribing import PATH, subscribing_router
from tests.local.acs.peers import AGENT, CALLER, ISSUER, Town, eventually


async def ring(town: Town, caller: Phone) -> asyncio.Task[None]:
    """A caller who waits until the call is refused."""

    async def wait() -> None:
        with pytest.raises(NoAnswer):
            await town.acs.dial(caller, AGENT, {"X-Agent": "billing"})

    return asyncio.create_task(wait())


async def refuse(town: Town, context: str, dialling: asyncio.Task[None]) -> None:
    await town.reject(context)
    await dialling


async def test_the_event_grid_schema(quick: Town, caller: Phone) -> None:
    await quick.subscribe("eventgrid")
    dialling = await ring(quick, caller)
    data = await quick.app.called()
    event = quick.app.incoming[0]
    assert set(event) == {
        "id",
        "topic",
        "subject",
        "eventType",
        "eventTime",
        "dataVersion",
        "metadataVersion",
        "data",
    }
    assert event["subject"] == f"/caller/4:{CALLER}/recipient/4:{AGENT}"
    assert data["from"] == {
        "kind": "phoneNumber",
        "rawId": f"4:{CALLER}",
        "phoneNumber": {"value": CALLER},
    }
    assert data["to"]["phoneNumber"]["value"] == AGENT
    assert data["customContext"]["sipHeaders"] == {"X-Agent": "billing"}
    assert {"serverCallId", "incomingCallContext", "correlationId"} <= set(data)
    await refuse(quick, data["incomingCallContext"], dialling)


async def test_the_cloud_events_schema(quick: Town, caller: Phone) -> None:
    await quick.subscribe("cloudevents")
    dialling = await ring(quick, caller)
    data = await quick.app.called()
    event = quick.app.incoming[0]
    assert (event["type"], event["specversion"]) == ("Microsoft.Communication.IncomingCall", "1.0")
    assert "eventType" not in event
    await refuse(quick, data["incomingCallContext"], dialling)


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
async def test_a_handshake_that_fails(quick: Town, schema: Schema) -> None:
    quick.app.grid_status = 202
    with pytest.raises(HandshakeFailed):
        await quick.subscribe(schema)
    assert quick.acs.grid.subscription is None


@pytest.mark.parametrize("url", ["https://example.com/incoming", "http://127.0.0.1:9/incoming"])
async def test_an_address_that_cannot_be_reached(quick: Town, url: str) -> None:
    with pytest.raises(HandshakeFailed):
        await quick.acs.grid.subscribe(Subscription(url))


async def test_events_come_twice_and_stale_on_request(quick: Town, caller: Phone) -> None:
    await quick.subscribe(copies=2, age_s=600)
    dialling = await ring(quick, caller)
    data = await quick.app.called(2)
    first, second = quick.app.incoming
    assert first["id"] == second["id"]
    age = datetime.now(UTC) - datetime.fromisoformat(first["time"])
    assert 590 < age.total_seconds() < 620
    await refuse(quick, data["incomingCallContext"], dialling)


async def test_a_wrong_secret_is_refused_and_not_tried_again(quick: Town, caller: Phone) -> None:
    await quick.subscribe(secret="a guess")
    quick.app.grid_secret = "the secret"
    dialling = await ring(quick, caller)
    await eventually(lambda: quick.acs.grid.noted)
    assert [each.status for each in quick.acs.grid.noted] == [401]
    assert not quick.app.incoming
    await refuse(quick, next(iter(quick.acs.incoming)), dialling)


async def test_an_application_that_is_down_is_tried_again(quick: Town, caller: Phone) -> None:
    await quick.subscribe()
    quick.app.grid_status = 503
    dialling = await ring(quick, caller)
    data = await quick.app.called(2)
    assert quick.app.incoming[0]["id"] == quick.app.incoming[1]["id"]
    await refuse(quick, data["incomingCallContext"], dialling)


async def test_a_protected_webhook_gets_a_token(quick: Town, caller: Phone) -> None:
    audience = "api://the-webhook"
    await quick.subscribe(bearer=lambda: ISSUER.issue(audience).text)
    dialling = await ring(quick, caller)
    data = await quick.app.called()
    token = quick.app.grid_headers["authorization"].removeprefix("Bearer ")
    assert ISSUER.read(token, {audience})["idtyp"] == "app"
    await refuse(quick, data["incomingCallContext"], dialling)


async def test_calls_to_one_number_are_told_to_whoever_asked_for_that_number(
    quick: Town, caller: Phone
) -> None:
    await quick.subscribe()
    url = quick.acs.grid.subscription
    assert url is not None
    quick.acs.grid.subscription = None
    with pytest.raises(NoAnswer):
        await quick.acs.dial(caller, AGENT)

    app = FastAPI()
    app.include_router(subscribing_router(quick.acs))
    here = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=here, base_url="http://127.0.0.1") as http:
        asked = {"number": AGENT, "url": url.url}
        for wrong in ({**asked, "number": "+15559999"}, {**asked, "more": 1}, {"number": AGENT}):
            assert (await http.post(PATH, json=wrong)).status_code == 400
        away = {**asked, "url": "http://127.0.0.1:9/nowhere"}
        assert (await http.post(PATH, json=away)).status_code == 409
        foreign = {"Origin": "http://127.0.0.1:1"}
        assert (await http.post(PATH, json=asked, headers=foreign)).status_code == 403
        assert (await http.post(PATH, content=b"x" * 5_000)).status_code == 413
        assert (await http.post(PATH, json=asked)).status_code == 204

    dialling = await ring(quick, caller)
    data = await quick.app.called()
    assert data["to"]["phoneNumber"]["value"] == AGENT
    await refuse(quick, data["incomingCallContext"], dialling)
