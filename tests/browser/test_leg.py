"""A page's socket is a caller's leg: what it says becomes events, what the call says reaches it."""

import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from starlette.requests import HTTPConnection

from switchboard.access.principal import LOCAL, Principal
from switchboard.browser.limits import SocketLimits
from switchboard.browser.routes import BrowserConfig
from switchboard.conversation.commands import (
    Floor,
    LineState,
    NoteFloor,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteNotice,
    NoteTool,
    NoteUsage,
    Speaker,
    StopPlayout,
    ToolState,
)
from switchboard.conversation.events import (
    CallerAway,
    CallerDecided,
    CallerLeft,
    CallerPressed,
    CallerTyped,
    Heard,
    HumanWanted,
    Usage,
)
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from tests.browser.peers import FRAME, House, Page, Setting, house


async def test_a_page_is_greeted_with_a_ticket_to_come_back(home: House) -> None:
    async with home.talking() as page:
        assert page.ready["call"] == "call-0"
        assert page.ready["resumed"] is False
        assert len(page.ready["resume"]) == 43
        assert page.socket.subprotocol == "switchboard.v1"


async def test_what_the_page_says_reaches_the_call_in_order(home: House) -> None:
    async with home.talking() as page:
        await page.say("audio", audio=FRAME)
        await page.say("text", id="t-1", text="Hello")
        await page.say("played", item="item_1", ms=120.5)
        await page.say("key", key="#")
        await page.say("decide", call="tool_1", agreed=True)
        await page.say("human")
        await page.say("ping", at=7.5)
        assert await page.next() == {"type": "pong", "at": 7.5}
        assert home.exchange.events == [
            CallerAudio(FRAME),
            CallerTyped("t-1", "Hello"),
            Heard("item_1", 120.5),
            CallerPressed("#"),
            CallerDecided("tool_1", agreed=True),
            HumanWanted(),
        ]


async def test_what_the_call_notes_reaches_the_page(home: House) -> None:
    async with home.talking() as page:
        leg = home.exchange.leg
        leg.play(ReplyAudio("r1", "item_1", FRAME))
        assert await page.next() == {"type": "audio", "item": "item_1", "audio": FRAME}
        leg.show(NoteLine("item_1", Speaker.AGENT, "Hi", LineState.CUT, 5, heard_chars=1))
        leg.show(NoteTool("t1", "pay", '{"a": 1}', ToolState.DONE, 5, '{"ok": true}', 9))
        leg.show(NoteFloor(Floor.THINKING))
        leg.show(NoteInterruption("item_1", 100, 900, 50))
        leg.show(NoteLatency("r1", 400, 450))
        leg.show(NoteUsage("r1", Usage(), 0.01))  # nobody's business on the page
        leg.show(NoteNotice("sorry", "One moment."))
        leg.command(StopPlayout())
        line = await page.next()
        assert (line["state"], line["heardChars"], line["beganMs"]) == ("cut", 1, 5)
        tool = await page.next()
        assert (tool["title"], tool["arguments"]) == ("Title of pay", {"a": 1})
        assert (tool["result"], tool["durationMs"]) == ({"ok": True}, 9)
        assert await page.next() == {"type": "floor", "floor": "thinking"}
        assert (await page.next())["heardMs"] == 100
        assert (await page.next())["firstHeardMs"] == 450
        assert await page.next() == {"type": "notice", "code": "sorry", "text": "One moment."}
        assert await page.next() == {"type": "flush"}


async def test_end_is_a_goodbye_and_is_answered(home: House) -> None:
    async with home.talking() as page:
        await page.say("end")
        code, said = await page.closed()
    assert (code, said[-1]["type"], said[-1]["reason"]) == (1000, "ended", "goodbye")
    assert home.exchange.events == [CallerLeft("goodbye")]


@pytest.mark.parametrize(("code", "reason"), [(1000, "goodbye"), (1001, "page_closed")])
async def test_closing_or_leaving_the_page_is_a_goodbye(
    home: House, code: int, reason: str
) -> None:
    async with home.talking() as page:
        await page.socket.close(code)
    await home.until(lambda: home.exchange.left)
    assert home.exchange.events == [CallerLeft(reason)]


async def test_a_lost_socket_is_away_not_gone(home: House) -> None:
    async with home.talking() as page:
        page.socket.transport.abort()
        await home.until(lambda: home.exchange.left)
        assert home.exchange.events == [CallerAway()]


async def test_a_lost_page_comes_back_once_with_its_ticket(home: House) -> None:
    placed = await home.place()
    async with home.dial(placed) as first:
        resume = (await Page(first).next("ready"))["resume"]
        first.transport.abort()
    await home.until(lambda: home.exchange.left)
    async with home.dial(placed, ticket=resume) as second:
        again = await Page(second).next("ready")
        assert again["resumed"] is True
        assert again["resume"] != resume
        async with home.dial(placed, ticket=resume) as third:
            code, said = await Page(third).closed()
            assert (code, said[0]["code"], said[0]["fatal"]) == (4401, "ticket_spent", True)


class ForAnHour:
    """Whoever comes has shown a token that holds for an hour."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        return replace(LOCAL, until=time.time() + 3_600)


async def another(_: str) -> Principal:
    return replace(LOCAL, id="another")


async def test_the_ticket_to_come_back_is_worth_nothing_before_the_page_is_told_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = Setting(
        BrowserConfig(socket=SocketLimits(close_s=20)), authenticator=ForAnHour(), verify=another
    )
    begun, may_go_on = anyio.Event(), anyio.Event()
    async with house(tmp_path, setting) as home:
        revoke = home.tickets.revoke

        async def slowly(call_id: str) -> None:
            begun.set()
            await may_go_on.wait()
            await revoke(call_id)

        monkeypatch.setattr(home.tickets, "revoke", slowly)
        placed = await home.place()
        async with home.dial(placed) as opened:
            page = Page(opened)
            resume = (await page.next("ready"))["resume"]
            await page.say("renew", token="of somebody else")
            with anyio.fail_after(20):
                await begun.wait()
            await page.say("ping", at=1)
            assert await page.next() == {"type": "pong", "at": 1}  # it has been told nothing
            may_go_on.set()
            code, said = await page.closed()
        assert (code, said[-1]["code"]) == (4401, "signed_out")
        async with home.dial(placed, ticket=resume) as again:
            assert (await Page(again).closed())[1][0]["code"] == "ticket_spent"


async def test_when_the_call_closes_the_page_is_told_why(home: House) -> None:
    async with home.talking() as page:
        await home.exchange.leg.close("silence")
        code, said = await page.closed()
        assert code == 1000
        assert said[-1]["reason"] == "silence"
        assert "goodbye" in said[-1]["text"]
    assert home.exchange.events == []


async def test_no_ticket_opens_a_call_that_has_ended(home: House) -> None:
    async with home.talking() as page:
        resume = page.ready["resume"]
        await page.say("end")
        await page.closed()
    placed = {"socket": "/api/calls/call-0/audio", "ticket": resume}
    async with home.dial(placed) as socket:
        assert (await Page(socket).closed())[0] == 4401


async def test_a_page_that_does_not_read_is_cut_off_and_its_call_waits(tmp_path: Path) -> None:
    limits = SocketLimits(outbox_chars=1_000_000, close_s=0.2)
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking(max_queue=1) as page,
    ):
        page.socket.transport.pause_reading()
        reply = ReplyAudio("r1", "item_1", "A" * 40_000)
        with anyio.fail_after(20):
            while not home.exchange.left:
                home.exchange.leg.play(reply)
                await anyio.sleep(0)  # noqa: ASYNC115  (plain yields)
        assert home.exchange.events == [CallerAway()]
        page.socket.transport.abort()


async def test_other_calls_do_not_notice_a_page_that_does_not_read(tmp_path: Path) -> None:
    limits = SocketLimits(outbox_chars=1_000_000, close_s=0.2)
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking(max_queue=1) as slow,
        home.talking() as other,
    ):
        slow.socket.transport.pause_reading()
        stuck, free = home.exchange.legs
        for _ in range(200):
            stuck.play(ReplyAudio("r1", "item_1", "A" * 40_000))
        free.play(ReplyAudio("r2", "item_2", FRAME))
        assert (await other.next())["item"] == "item_2"
        await home.until(lambda: home.exchange.left == ["call-0"])
        slow.socket.transport.abort()


async def test_a_page_that_takes_nothing_for_too_long_is_cut_off(tmp_path: Path) -> None:
    limits = SocketLimits(stall_s=0.2, idle_s=60, close_s=0.1)
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking(max_queue=1) as page,
    ):
        page.socket.transport.pause_reading()
        for _ in range(150):
            home.exchange.leg.play(ReplyAudio("r1", "item_1", "A" * 40_000))
        await home.until(lambda: home.exchange.left)
        assert home.exchange.events == [CallerAway()]
        page.socket.transport.abort()


async def test_a_page_that_falls_silent_is_away(tmp_path: Path) -> None:
    limits = SocketLimits(idle_s=0.2)
    async with house(tmp_path, Setting(BrowserConfig(socket=limits))) as home:
        async with home.talking() as page:
            code, _ = await page.closed()
        assert code == 4408
        await home.until(lambda: home.exchange.left)
        assert home.exchange.events == [CallerAway()]


async def test_a_page_that_pings_is_not_silent(tmp_path: Path) -> None:
    limits = SocketLimits(idle_s=1.5)
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking() as page,
    ):
        for _ in range(6):
            await anyio.sleep(0.4)
            await page.say("ping", at=1)
            assert (await page.next())["type"] == "pong"
