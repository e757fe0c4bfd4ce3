"""Whole calls over WebRTC: a page with real media, the product, and a service that answers."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aiortc import RTCSessionDescription

from switchboard.conversation.wording import WANTS_HUMAN
from switchboard.records.history import history
from tests.browser.webrtc.peers import (
    LONG,
    Event,
    Product,
    Stream,
    connection,
    offered,
    product,
)
from tests.local.realtime.doubles import Cloud, silence, tone
from tests.model.peer import eventually

SPEECH = tone(700) + silence(900)

type Wanted = Callable[[Event], object]


def line(speaker: str, text: str) -> Wanted:
    return lambda event: (
        event["type"] == "line" and (event["speaker"], event["text"]) == (speaker, text)
    )


def floor(whose: str) -> Wanted:
    return lambda event: event == {"type": "floor", "floor": whose}


def tool(state: str) -> Wanted:
    return lambda event: event["type"] == "tool" and event["state"] == state


async def greeted(stream: Stream) -> Event:
    """The beginning of every call, until the greeting was heard."""
    ready = await stream.until("ready")
    await stream.until(floor("agent"))
    await stream.until(floor("nobody"))
    return ready


async def test_a_spoken_call_from_greeting_to_goodbye(home: Product, cloud: Cloud) -> None:
    cloud.doubles.ears.words = ["what is my balance"]
    async with home.calling() as page, page.stream() as stream:
        ready = await greeted(stream)
        assert ready["call"] == page.placed["call"]
        assert not ready["resumed"]
        assert page.caller.heard_ms > 300

        page.caller.say(SPEECH)
        await stream.until(line("caller", "what is my balance"))
        done = await stream.until(tool("done"))
        assert done["title"] == "Check the balance"
        assert "balance" in done["result"]
        latency = await stream.until("latency")
        assert 0 < latency["firstAudioMs"] < 5_000
        before = page.caller.heard_ms
        await stream.until(floor("nobody"))
        assert page.caller.heard_ms > before
        assert [e["text"] for _, e in stream.came if line("agent", "It is done.")(e)]

        await page.say("end")
        said = await stream.ended()
        assert (said[-1]["type"], said[-1]["reason"]) == ("ended", "goodbye")
        await page.media_gone()
    await home.quiet()
    await home.house.recorder.flush()
    account = await history(home.house.store, ready["call"])
    assert account is not None
    assert (account.call.channel, account.call.end_reason) == ("webrtc", "goodbye")


async def test_the_greeting_does_not_wait_for_the_event_stream(home: Product) -> None:
    async with home.calling() as page:
        await page.caller.until_loud()
        await page.caller.until_quiet()
        async with page.stream() as stream:
            await stream.until("ready")
            greeting = await stream.until(line("agent", "Good day."))
            assert greeting["state"] == "final" or await stream.until(floor("nobody"))


async def test_who_speaks_into_a_reply_silences_it_where_it_was_heard(
    home: Product, cloud: Cloud
) -> None:
    cloud.doubles.ears.words = ["wait"]
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await page.say("text", id="t1", text="tell me all")
        await stream.until(floor("agent"))
        await page.caller.until_loud()
        page.caller.say(tone(700))
        await stream.until(floor("caller"))
        await page.caller.until_quiet()

        interruption = await stream.until("interruption")
        cut = await stream.until(lambda e: e["type"] == "line" and e["state"] == "cut")
    assert 0 < interruption["heardMs"] < 5_000
    assert interruption["item"] == cut["id"]
    assert 0 < cut["heardChars"] < len(LONG)


async def test_who_types_into_a_reply_silences_it_too_and_is_answered(home: Product) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await page.say("text", id="t1", text="tell me all")
        await stream.until(floor("agent"))
        await page.caller.until_loud()
        await page.say("text", id="t2", text="what is my balance")
        await stream.until(line("agent", "It is done."))
        await stream.until(floor("nobody"))
    assert [event for _, event in stream.came if event["type"] == "interruption"]
    assert [event for _, event in stream.came if tool("done")(event)]


async def test_a_wish_for_a_human_is_a_turn_that_is_answered(home: Product) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await page.say("human")
        wish = await stream.until(line("caller", WANTS_HUMAN))
        assert wish["typed"] is True
        await stream.until(floor("agent"))


async def test_a_tool_that_asks_runs_once_the_page_agrees(home: Product) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await page.say("text", id="t1", text="block my card")
        asking = await stream.until(tool("asking"))
        assert asking["question"] == "Block the card ending in 4417?"
        await stream.until(line("agent", "Shall I?"))
        await stream.until(floor("nobody"))
        await page.say("decide", call=asking["id"], agreed=True)
        done = await stream.until(tool("done"))
        assert done["id"] == asking["id"]


async def test_a_page_that_is_gone_is_hung_up_on(cloud: Cloud, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with (
        product(tmp_path, endpoint, reattach_seconds=0.3) as home,
        home.calling() as page,
    ):
        async with page.stream() as stream:
            await greeted(stream)
        await page.media_gone()
        await home.quiet()


async def test_a_page_that_never_comes_for_its_events_is_hung_up_on(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, endpoint, ticket_seconds=1) as home, home.calling() as page:
        await page.media_gone()
        await home.quiet()


async def test_a_call_that_is_ended_here_ends_at_the_service(home: Product) -> None:
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await home.house.switchboard.end(page.placed["call"], "operator_ended")
        assert (await stream.ended())[-1]["reason"] == "operator_ended"
        await page.media_gone()


async def test_who_comes_back_gets_what_was_missed_and_no_more(home: Product) -> None:
    async with home.calling() as page:
        async with page.stream() as first:
            await greeted(first)
            last = first.came[-1][0]
        await page.say("text", id="t1", text="what is my balance")
        async with page.stream(since=last) as second:
            ready = await second.until("ready")
            assert ready["resumed"]
            await second.until(line("agent", "It is done."))
        numbers = [number for number, event in second.came if event["type"] != "ready"]
        assert numbers[0] == last + 1
        assert numbers == sorted(set(numbers))


async def test_a_newer_stream_takes_over_from_an_older(home: Product) -> None:
    async with home.calling() as page, page.stream() as first:
        await greeted(first)
        async with page.stream() as second:
            await first.ended()
            await greeted(second)
            assert home.house.switchboard.live() == 1


async def test_who_lost_the_stream_before_the_end_can_still_read_why(home: Product) -> None:
    async with home.calling() as page:
        async with page.stream() as first:
            await greeted(first)
        await page.say("end")
        async with page.stream(since=first.came[-1][0]) as second:
            assert (await second.ended())[-1]["reason"] == "goodbye"


async def test_the_page_learns_neither_secret_nor_prompt_nor_tools(
    home: Product, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    async with home.calling() as page, page.stream() as stream:
        await greeted(stream)
        await page.say("text", id="t1", text="what is my balance")
        await stream.until(line("agent", "It is done."))
        brief = home.house.reception.brief("banking", voice=None, model=None)
        told = [brief.spec.instructions[:60], *(tool.description for tool in brief.spec.tools)]
        # The data channel may be slower than the stream.
        await eventually(lambda: any("output_audio_buffer.started" in x for x in home.everything))
        await page.say("end")
        await stream.ended()
    assert len(told) > 5
    for everything in ("\n".join(home.everything), caplog.text):
        assert not re.search(r"\bek_[\w-]{16}", everything)
        assert not [words for words in told if words in everything]


async def test_a_page_may_be_told_to_offer_and_may_offer_by_itself(home: Product) -> None:
    """The answer to a fresh offer is the service's; the former media end."""
    async with home.calling() as page, page.stream() as stream, connection() as (peer, _):
        await greeted(stream)
        answer = await page.post("offers", offer=await offered(peer))
        assert answer.status_code == 200, answer.text
        await peer.setRemoteDescription(RTCSessionDescription(answer.json()["answer"], "answer"))
        await page.media_gone()


async def test_without_webrtc_none_is_offered_and_none_is_to_be_had(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, endpoint, webrtc=False) as home, connection() as (peer, _):
        config = (await home.http.get("/api/config")).json()
        assert config["connections"] == ["websocket"]
        assert {tuple(model["connections"]) for model in config["models"]} == {("websocket",)}
        refused = await home.place(await offered(peer))
        assert (refused.status_code, refused.json()["code"]) == (400, "no_webrtc")


async def test_the_page_is_told_which_models_can_be_talked_to_how(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, endpoint, azure_voicelive_endpoint=endpoint) as home:
        config = (await home.http.get("/api/config")).json()
        can = {model["id"]: model["connections"] for model in config["models"]}
        assert config["connections"] == ["websocket", "webrtc"]
        assert can["gpt-realtime-2.1"] == ["websocket", "webrtc"]
        assert can["voice-live"] == ["websocket"]
        async with connection() as (peer, _):
            refused = await home.place(await offered(peer), model="voice-live")
        assert refused.json()["code"] == "no_webrtc"
