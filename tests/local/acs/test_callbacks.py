"""Events as they are posted: signed, in order, again where they failed, and wrong on purpose."""

import asyncio
from dataclasses import replace

import httpx
import jwt
import pytest
from azure.core.exceptions import HttpResponseError

from switchboard_local.acs.config import ISSUER as ACS_ISSUER
from switchboard_local.acs.people import NoAnswer, Phone
from tests.local.acs.peers import AGENT, CALLER, QUICK, Town, eventually, town

WHOLE_CALL = ["CallConnected", "ParticipantsUpdated", "ParticipantsUpdated", "CallDisconnected"]


async def keys(town: Town) -> jwt.PyJWKSet:
    """As an application finds them: metadata first."""
    async with httpx.AsyncClient(verify=town.served.certificates.trust(), trust_env=False) as web:
        metadata = (await web.get(town.served.metadata_url)).json()
        assert metadata["issuer"] == ACS_ISSUER
        return jwt.PyJWKSet.from_dict((await web.get(metadata["jwks_uri"])).json())


async def finish(town: Town, caller: Phone) -> None:
    call, _ = await town.call_in(caller)
    call.hang_up()
    await eventually(lambda: not town.acs.calls)


async def test_each_event_carries_a_token_of_its_own(quick: Town, caller: Phone) -> None:
    await finish(quick, caller)
    assert quick.app.types() == WHOLE_CALL
    assert len(set(quick.app.tokens)) == len(WHOLE_CALL)
    found = await keys(quick)
    for header in quick.app.tokens:
        token = header.removeprefix("Bearer ")
        key = found[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, key, ["RS256"], audience=quick.acs.config.resource_id, issuer=ACS_ISSUER
        )
        assert claims["exp"] - claims["iat"] == 300


async def test_keys_are_rotated_under_way(quick: Town, caller: Phone) -> None:
    old = {key.key_id for key in (await keys(quick)).keys}
    quick.acs.signer.keys.rotate()
    await finish(quick, caller)
    found = await keys(quick)
    assert old < {key.key_id for key in found.keys}
    kid = jwt.get_unverified_header(quick.app.tokens[0].removeprefix("Bearer "))["kid"]
    assert kid not in old


async def test_events_are_cloud_events_in_an_array(quick: Town, caller: Phone) -> None:
    await finish(quick, caller)
    event = quick.app.events[0]
    assert set(event) == {
        "id",
        "source",
        "type",
        "subject",
        "time",
        "specversion",
        "datacontenttype",
        "data",
    }
    assert event["type"] == "Microsoft.Communication.CallConnected"
    assert event["data"]["resultInformation"]["code"] == 200


async def test_an_event_that_was_not_taken_comes_again_before_the_next(
    quick: Town, caller: Phone
) -> None:
    quick.app.statuses = [503, 500]
    await finish(quick, caller)
    assert quick.app.types() == WHOLE_CALL


async def test_an_event_that_was_refused_does_not_come_again(quick: Town, caller: Phone) -> None:
    quick.app.statuses = [401]
    await finish(quick, caller)
    assert quick.app.types() == WHOLE_CALL[1:]


async def test_events_are_dropped_doubled_and_late_on_request(quick: Town, caller: Phone) -> None:
    quick.acs.troubles.script("late", "CallConnected")
    quick.acs.troubles.script("duplicate", "CallDisconnected")
    await finish(quick, caller)
    types = quick.app.types()
    assert types[:2] == ["ParticipantsUpdated", "CallConnected"]
    assert types[-2:] == ["CallDisconnected"] * 2
    assert quick.app.events[-1]["id"] == quick.app.events[-2]["id"]
    quick.acs.troubles.script("drop", "CallConnected")
    quick.acs.troubles.script("unsigned", "CallDisconnected")
    quick.app.events.clear()
    await finish(quick, caller)
    assert "CallConnected" not in quick.app.types()
    assert quick.app.tokens[-1] == ""


async def test_a_share_goes_wrong_by_lot_and_no_call_is_left() -> None:
    async with town(replace(QUICK, retries_s=())) as there:
        there.acs.troubles.dropped = there.acs.troubles.duplicated = 0.2
        there.acs.troubles.late = 0.2
        caller = there.acs.phone(CALLER)
        for _ in range(10):
            await finish(there, caller)
        assert there.acs.troubles.struck > 5
        assert not there.acs.calls
        assert not there.acs.incoming


@pytest.mark.parametrize("url", ["https://example.com/events", "not a url"])
async def test_nobody_elsewhere_is_called_back(quick: Town, caller: Phone, url: str) -> None:
    await quick.subscribe()
    dialling = asyncio.create_task(quick.acs.dial(caller, AGENT))
    told = await quick.app.called()
    with pytest.raises(HttpResponseError, match="this machine"):
        await quick.answer(told["incomingCallContext"], url)
    await quick.reject(told["incomingCallContext"])
    with pytest.raises(NoAnswer):
        await dialling
