"""A real browser calls the local cloud: by hand as Azure documents it, and with the SDK."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import ConversationItemTruncatedEvent, ResponseDoneEvent
from playwright.async_api import Page

from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.realtime.doubles import Cloud, Doubles, last_words, local_cloud
from tests.local.webrtc.conftest import Visiting

pytest.importorskip("aiortc", reason="WebRTC cannot be had here")

from tests.local.webrtc.caller import mint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TOOL = {
    "type": "function",
    "name": "track_parcel",
    "description": "Say where a parcel is.",
    "parameters": {"type": "object", "properties": {"parcel_number": {"type": "string"}}},
}
LONG = "It is in Lisbon, " + "and there is more to say of it " * 10


def dispatcher(request: Request) -> Sequence[Thought]:
    """Tracks the parcel first, then speaks for longer than anybody would listen."""
    if last_words(request).startswith("result"):
        return [Say(LONG)]
    if any(item["type"] == "function_call" for item in request.items):
        return [Say("Yes?")]
    return [Call("track_parcel", '{"parcel_number": "4242"}')]


def talker() -> Doubles:
    doubles = Doubles()
    doubles.ears.words = ["where is my parcel"]
    doubles.mind.script = dispatcher
    return doubles


def calls_url(cloud: Cloud) -> str:
    return f"{cloud.base_url}/realtime/calls"


async def wait(page: Page, what: str) -> None:
    """Until the expression is true in the page."""
    await page.wait_for_function(what, timeout=20_000)


async def steer(sideband: AsyncRealtimeConnection) -> ConversationItemTruncatedEvent:
    """Answer the tool from beside the call; where the caller then cut the reply off."""
    async for event in sideband:
        assert event.type != "error", event
        match event.type:
            case "response.function_call_arguments.done":
                await sideband.conversation.item.create(
                    item={
                        "type": "function_call_output",
                        "call_id": event.call_id,
                        "output": json.dumps({"place": "Lisbon"}),
                    }
                )
            case "response.done" if called_a_tool(event):
                await sideband.response.create()
            case "conversation.item.truncated":
                return event
            case _:
                pass
    raise AssertionError("nobody cut in")


def called_a_tool(done: ResponseDoneEvent) -> bool:
    """Whether the reply was a function call."""
    return any(item.type == "function_call" for item in done.response.output or [])


async def test_a_page_talks_is_heard_cuts_in_and_is_hung_up(visiting: Visiting) -> None:
    with local_cloud(talker()) as cloud:
        secret = await mint(cloud, tools=[TOOL])
        async with (
            visiting("plain.html") as page,
            AsyncOpenAI(base_url=cloud.base_url, api_key=cloud.token) as sdk,
        ):
            given = [calls_url(cloud), secret]
            call_id = await page.evaluate("([url, secret]) => call(url, secret)", given)
            async with sdk.realtime.connect(call_id=call_id) as sideband, asyncio.timeout(60):
                cut = await steer(sideband)
            await wait(page, "performance.now() - loud.last > 500")
            heard_ms: float = await page.evaluate("loud.ms")
            assert 1000 < cut.audio_end_ms < len(LONG) * 60
            assert abs(heard_ms - cut.audio_end_ms) < 600
            kinds: list[str] = await page.evaluate("events.map((event) => event.type)")
            assert kinds[0] == "session.created"
            assert kinds.index("output_audio_buffer.cleared") > kinds.index(
                "output_audio_buffer.started"
            )
            assert "response.output_audio.delta" not in kinds

            await sdk.realtime.calls.hangup(call_id)
            await wait(page, "channel.readyState === 'closed'")


async def test_a_page_sees_no_more_than_the_filter_lets_through(visiting: Visiting) -> None:
    doubles = talker()
    doubles.mind.script = lambda request: [Say("Good day.")]
    with local_cloud(doubles) as cloud:
        secret = await mint(cloud, instructions="Never tell anybody.", tools=[TOOL])
        async with visiting("plain.html") as page:
            given = [f"{calls_url(cloud)}?webrtcfilter=on", secret]
            await page.evaluate("([url, secret]) => call(url, secret)", given)
            await wait(page, "events.some((event) => event.type === 'output_audio_buffer.stopped')")
            events: list[dict[str, Any]] = await page.evaluate("events")
    kinds = {event["type"] for event in events}
    assert "conversation.item.input_audio_transcription.completed" in kinds
    assert not {
        kind for kind in kinds if kind.startswith(("session.", "response.created", "error"))
    }
    assert "Never tell" not in json.dumps(events)


@pytest.mark.node
async def test_the_javascript_sdk_holds_a_conversation_in_the_browser(
    node: str, visiting: Visiting
) -> None:
    with local_cloud(talker()) as cloud:
        secret = await mint(cloud)
        async with visiting("agent.html") as page:
            given = [calls_url(cloud), secret]
            call_id = await page.evaluate("([url, secret]) => call(url, secret)", given)
            assert call_id.startswith("rtc_")
            await wait(page, "seen.toolCalls.length === 1")
            await wait(page, "seen.types.includes('output_audio_buffer.started')")
            await wait(page, "seen.interrupted === 1")
            await wait(page, "seen.types.includes('conversation.item.truncated')")
            seen: dict[str, Any] = await page.evaluate("seen")
            await page.evaluate("session.close()")
    assert seen["toolCalls"] == [{"parcel_number": "4242"}]
    assert seen["errors"] == []
