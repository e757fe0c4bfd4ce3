"""Faults in calls over WebRTC, and beside them."""

import asyncio
from collections.abc import Generator

import pytest
from websockets.asyncio.client import connect

from switchboard_local.faults.kinds import Drop, Expire, Refuse, Stall
from switchboard_local.mind.parts import Say
from tests.local.realtime.clients import closed, cut_off, receive, send, until
from tests.local.realtime.doubles import Cloud, local_cloud

pytest.importorskip("aiortc", reason="WebRTC cannot be had here")

from tests.local.webrtc.caller import Caller, calling, mint, offer


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        cloud.doubles.mind.script = lambda request: [Say("word " * 50)]
        yield cloud


def beside(cloud: Cloud, caller: Caller) -> connect:
    url = f"ws://127.0.0.1:{cloud.port}/openai/v1/realtime?call_id={caller.call_id}"
    return connect(url, additional_headers=cloud.headers, proxy=None)


async def test_a_call_that_drops_takes_its_media_and_its_sideband_along(cloud: Cloud) -> None:
    secret = await mint(cloud)
    async with calling(cloud, secret) as caller, beside(cloud, caller) as sideband:
        await until(sideband, "session.created")
        caller.send("response.create")
        await caller.until_loud()
        cloud.doubles.faults.arm(Drop(service="calls"))
        await cut_off(sideband)
        await asyncio.wait_for(caller.over.wait(), 20)


async def test_a_sideband_that_drops_leaves_the_call_alone(cloud: Cloud) -> None:
    secret = await mint(cloud)
    async with calling(cloud, secret) as caller:
        async with beside(cloud, caller) as sideband:
            assert (await receive(sideband))["type"] == "session.created"
            cloud.doubles.faults.arm(Drop(service="sideband"))
            await cut_off(sideband)
        async with beside(cloud, caller) as again:
            await send(again, "response.create")
            await until(again, "response.created")
            await caller.until_loud()


async def test_a_sideband_can_expire_by_itself(cloud: Cloud) -> None:
    secret = await mint(cloud)
    async with calling(cloud, secret) as caller, beside(cloud, caller) as sideband:
        await until(sideband, "session.created")
        cloud.doubles.faults.arm(Expire(service="sideband"))
        assert (await until(sideband, "error"))["error"]["code"] == "session_expired"
        assert await closed(sideband) == (1001, "session_expired")
        caller.send("response.create")
        await caller.until_loud()


async def test_a_call_that_stalls_is_silent_for_a_while(cloud: Cloud) -> None:
    secret = await mint(cloud)
    async with calling(cloud, secret) as caller:
        caller.send("response.create")
        await caller.until_loud()
        cloud.doubles.faults.arm(Stall(service="calls", for_ms=3_000))
        await caller.until_quiet(0.8)
        await caller.until_loud()
        await caller.until("response.done")


async def test_secrets_and_calls_can_be_refused_each_for_itself(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Refuse(service="calls", status=429, retry_after=3))
    secret = await mint(cloud)
    refused = await offer(cloud, "v=0", secret)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    cloud.doubles.faults.arm(Refuse(service="client_secrets", status=500))
    assert (await offer(cloud, "v=0", secret)).status_code == 400
    with pytest.raises(AssertionError, match="500"):
        await mint(cloud)
