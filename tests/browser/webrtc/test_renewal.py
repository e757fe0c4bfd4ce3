"""Calls over WebRTC that outlive what they are made of: a sideband, the media, a session."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from switchboard_local.faults.kinds import Drop
from tests.browser.webrtc.peers import (
    Product,
    RtcPage,
    Stream,
    connect,
    connection,
    offered,
    product,
    relay_to,
)
from tests.browser.webrtc.test_calls import greeted, line, tool
from tests.local.realtime.doubles import Cloud
from tests.local.webrtc.caller import Caller


async def asks_for_balance(page: RtcPage, stream: Stream, item: str) -> None:
    await page.say("text", id=item, text="what is my balance")
    await stream.until(tool("done"))
    await stream.until(line("agent", "It is done."))


@asynccontextmanager
async def offers_anew(page: RtcPage) -> AsyncGenerator[Caller]:
    """A fresh connection of the page to the same call."""
    async with connection(page.everything) as (peer, mouth):
        answer = await page.post("offers", offer=await offered(peer))
        assert answer.status_code == 200, answer.text
        caller = Caller(peer, page.placed["call"], mouth)
        listening = await connect(peer, caller, answer.json()["answer"])
        yield caller
        await peer.close()
        await listening


async def test_a_lost_sideband_is_found_again_and_nothing_is_said_twice(
    cloud: Cloud, tmp_path: Path
) -> None:
    async with (
        relay_to(cloud.port) as relay,
        product(tmp_path, f"http://127.0.0.1:{relay.port}") as home,
        home.calling() as page,
        page.stream() as stream,
    ):
        await greeted(stream)
        relay.cut()
        await asks_for_balance(page, stream, "t1")
        assert not page.caller.over.is_set()  # the media never noticed
        assert not [event for _, event in stream.came if event["type"] == "notice"]
        replayed = [
            item
            for item in cloud.doubles.mind.requests[-1].items
            if item.get("role") == "assistant"
        ]
        assert len(replayed) == 1  # the greeting, as the session had it


async def test_media_that_are_gone_are_offered_anew_by_the_page_and_the_call_goes_on(
    cloud: Cloud, home: Product
) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await asks_for_balance(page, stream, "t1")
        cloud.doubles.faults.arm(Drop(on="reply", service="calls"))
        await page.say("text", id="t2", text="tell me all")
        await page.media_gone()
        await stream.until("reoffer")
        async with offers_anew(page) as caller:
            await caller.until_loud()
            await asks_for_balance(page, stream, "t3")
            notices = [event["code"] for _, event in stream.came if event["type"] == "notice"]
            assert notices == ["renewing"]
            told = str(cloud.doubles.mind.requests[-1].items)
            assert "tell me all" in told  # the new session was told what the old one knew
            await page.say("end")
            assert (await stream.ended())[-1]["reason"] == "goodbye"
            await caller.over.wait()


async def test_a_page_on_a_new_network_takes_its_call_along(cloud: Cloud, home: Product) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        async with offers_anew(page) as caller:
            await page.media_gone()
            await asks_for_balance(page, stream, "t1")
            await caller.until_loud()


async def test_a_page_that_offers_nothing_anew_ends_the_call(cloud: Cloud, home: Product) -> None:
    async with home.calling() as page:
        async with page.stream() as stream:
            await greeted(stream)
            await page.caller.connection.close()
            await stream.until("reoffer")
        await home.quiet()  # gone for longer than REATTACH_SECONDS
