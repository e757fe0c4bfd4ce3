"""Live calls as an operator sees them."""

from typing import Any

import anyio
import pytest

from switchboard.console import feed
from switchboard.console.feed import Feed, Streams
from switchboard.console.protocol import Gone, LiveNow
from switchboard.conversation import events as e
from tests.console.house import CARD, Served, next_line


async def test_a_call_appears_changes_and_goes(home: Served) -> None:
    async with home.stream("/api/console/live") as live:
        assert (await live.next())["calls"] == []
        async with home.caller() as (call_id, page, _):
            row = (await live.next("row"))["row"]
            assert (row["call"]["id"], row["call"]["agent"]) == (call_id, "banking")
            assert (row["call"]["channel"], row["call"]["caller"]) == ("browser", "local")
            await page.say("text", id="t1", text="What do I owe?")
            while row["lastLine"] != "You said: What do I owe?":
                row = (await live.next("row"))["row"]
            assert row["lastSpeaker"] == "agent"
            await page.say("end")
        assert await live.next("gone") == {"type": "gone", "id": call_id}


async def test_one_call_is_followed_from_how_it_stands_to_its_end(home: Served) -> None:
    async with (
        home.caller() as (call_id, page, _),
        home.stream(f"/api/console/calls/{call_id}/events") as events,
    ):
        first = await events.next()
        assert [line["text"] for line in first["detail"]["lines"]][-1:] != []
        assert first["detail"]["can"]["listen"] == {"ok": True, "why": None}
        assert first["detail"]["can"]["human"]["ok"] is False
        await page.say("text", id="t1", text="What do I owe?")
        last, usage = "", {"outputAudio": 0}
        while last != "You said: What do I owe?" or usage["outputAudio"] < 100:
            # Figures come at once; words a moment later, when they have been read.
            told = await events.next("line", "usage")
            last = told["line"]["text"] if told["type"] == "line" else last
            usage = told.get("usage", usage)
        await page.say("played", item="item2", ms=20)
        await page.say("end")
        ended = await events.next("ended")
        assert (ended["call"]["endReason"], ended["call"]["outcome"]) == ("goodbye", "finished")
        assert await events.over()


async def test_whoever_comes_back_is_told_first_how_things_stand(home: Served) -> None:
    async with home.caller() as (call_id, _, _):
        path = f"/api/console/calls/{call_id}/events"
        async with home.stream(path) as events:
            await events.next("detail")
        async with home.stream(path, **{"Last-Event-ID": "7"}) as again:
            assert (await again.next())["type"] == "detail"


async def test_a_tool_that_asks_is_counted_on_the_row(home: Served) -> None:
    async with home.stream("/api/console/live") as live, home.caller() as (_, page, model):
        model.wish = ("block_card", CARD)
        await page.say("text", id="t1", text="Block my card")
        row: dict[str, Any] = {"asking": 0}
        while not row["asking"]:
            row = (await live.next("row"))["row"]
        assert row["asking"] == 1


async def test_trouble_is_told_in_words_on_the_row(home: Served) -> None:
    async with home.caller() as (call_id, _, model), home.stream("/api/console/live") as live:
        await live.next("live")
        model.does(e.ModelLost("1006", retryable=True))
        row: dict[str, Any] = {"trouble": None}
        while row["trouble"] is None:
            row = (await live.next("row"))["row"]
        assert row["call"]["id"] == call_id


async def test_a_call_that_is_over_is_read_from_the_records(home: Served) -> None:
    async with home.caller() as (call_id, page, model):
        model.wish = ("get_balance", "{}")
        await page.say("text", id="t1", text="My balance?")
        await next_line(page, "You said")
        await page.say("played", item="item3", ms=20)
        await page.say("end")
    await home.quiet()
    past = await home.detail(call_id)
    assert past["live"] is False
    assert past["can"] is None
    assert past["call"]["outcome"] == "finished"
    assert [tool["name"] for tool in past["tools"]] == ["get_balance"]
    assert past["tools"][0]["title"] == "Check the balance"
    assert past["tools"][0]["result"] is not None
    assert past["usage"]["outputAudio"] >= 100
    assert any(answer["atMs"] is not None for answer in past["answers"])


# -- streams that do not keep up ------------------------------------------------------------------


async def test_a_slow_listener_is_let_go_with_a_last_word() -> None:
    streams, about = Streams(2, ping_s=60, pause_s=0), Feed()
    stream = streams.stream(about, lambda: LiveNow([], 1.0), most=5)
    assert b'"live"' in await anext(stream)
    for number in range(6):
        about.tell(f"call {number}", Gone(str(number)))
    assert feed.TOO_SLOW.encode() in await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert streams.open == 0
    assert not about


async def test_what_changes_again_before_it_was_read_is_sent_once() -> None:
    streams, about = Streams(2, ping_s=60, pause_s=0), Feed()
    stream = streams.stream(about, lambda: LiveNow([], 1.0))
    await anext(stream)
    for word in ("one", "two", "three"):
        about.tell("the same", Gone(word))
    about.tell("another", Gone("four"))
    assert b"three" in await anext(stream)
    assert b"four" in await anext(stream)
    await stream.aclose()


async def test_a_quiet_stream_is_kept_alive() -> None:
    stream = Streams(1, ping_s=0.01).stream(Feed(), lambda: LiveNow([], 1.0))
    await anext(stream)
    with anyio.fail_after(20):
        assert await anext(stream) == feed.PING
    await stream.aclose()


async def test_there_are_so_many_streams_and_no_more(home: Served) -> None:
    home.house.console.streams._most = 1  # pyright: ignore[reportPrivateUsage]  (nobody opens a hundred)
    async with home.stream("/api/console/live") as live:
        await live.next("live")
        refused = await home.http.get("/api/console/live")
        assert (refused.status_code, refused.json()["code"]) == (503, "lines_busy")
