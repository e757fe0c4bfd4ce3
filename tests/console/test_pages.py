"""The console's page in Debian's Chromium: what it shows, and what keys do."""

import pytest
from playwright.sync_api import Browser, Route, expect

from switchboard.console import protocol as wire
from switchboard.conversation import commands as c
from tests.console.day import HEARD, HEARD_FROM_S, STORY
from tests.console.gallery import WATCHED, Gallery, until
from tests.console.visit import visit

SOUNDS = """
window.sounds = [];
const make = window.Audio;
window.Audio = function (...given) {
  sounds.push(new make(...given));
  return sounds.at(-1);
};
"""
"""Whatever the page plays."""

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(120)]


def test_calls_that_need_somebody_stand_first(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        here.go("")
        rows = here.page.get_by_test_id("call")
        expect(rows).to_have_count(8)
        needs = [row.get_attribute("data-need") for row in rows.all()]
        assert needs == ["asking", "trouble", "slow", *["none"] * 5]
        rows.first.focus()
        here.page.keyboard.press("ArrowDown")
        expect(rows.nth(1)).to_be_focused()
        here.page.keyboard.press("ArrowUp")
        here.page.keyboard.press("Enter")
        expect(here.page.get_by_test_id("one-call")).to_be_visible()
        assert here.page.url.endswith(f"#/calls/{WATCHED}")


def test_a_call_grows_and_is_whispered_to(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        page = here.page
        here.go("#/calls/call-7")
        expect(page.get_by_test_id("line")).to_have_count(1)
        line = c.NoteLine("more", c.Speaker.CALLER, "Is there an outage?", c.LineState.FINAL, 9_000)
        gallery.does("call-7", line, c.NoteFloor(c.Floor.THINKING))
        expect(page.get_by_test_id("line")).to_have_count(2)
        expect(page.get_by_test_id("floor")).to_have_text("Agent thinks")
        page.keyboard.press("/")
        page.keyboard.type("Say that it works again at six.")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("The agent has it: “Say that it works")).to_be_visible()
        expect(page.get_by_text("You whispered")).to_be_visible()
        whisper = wire.Whisper("Say that it works again at six.")
        until(lambda: ("call-7", whisper) in gallery.desk.deeds)
        gallery.ends("call-7", "goodbye")
        expect(page.get_by_test_id("outcome")).to_contain_text("the caller said goodbye")
        expect(page.get_by_role("heading", name="Help or stop this call")).to_have_count(0)
        assert here.wrongs() == []


def test_what_a_call_cannot_do_says_why(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        here.go("#/calls/call-rtc")
        listen = here.page.get_by_role("button", name="Listen in")
        expect(listen).to_be_disabled()
        expect(here.page.get_by_text("there is nothing to hear")).to_be_visible()
        expect(here.page.get_by_role("button", name="Take over")).to_be_disabled()


def test_a_past_call_is_replayed_without_sound(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        here.go(f"#/calls/{STORY}")
        ahead = here.page.locator(".entry[data-ahead=true]")
        expect(ahead).to_have_count(0)
        here.page.get_by_role("button", name="Replay").click()
        expect(ahead.first).to_be_attached()
        here.page.get_by_role("button", name="Pause").click()
        here.page.get_by_role("button", name="Show all").click()
        expect(ahead).to_have_count(0)


def test_a_past_call_is_replayed_with_the_sound_that_was_recorded(
    browser: Browser, gallery: Gallery
) -> None:
    with visit(browser, gallery) as here:
        page = here.page
        page.add_init_script(SOUNDS)
        here.go(f"#/calls/{HEARD}")
        with page.expect_response("**/recording") as fetched:
            page.get_by_role("button", name="Replay with sound").click()
        assert fetched.value.headers["content-type"] == "audio/wav"
        until(lambda: page.evaluate("window.sounds[0] && !window.sounds[0].paused"))
        until(lambda: page.evaluate("window.sounds[0].currentTime > 0.3"))
        heads: list[float] = page.evaluate(
            """() => [Number(document.querySelector('.replay input').value) / 1000,
                      window.sounds[0].currentTime]"""
        )
        assert heads[0] - heads[1] == pytest.approx(HEARD_FROM_S, abs=0.8), heads
        page.get_by_label("Where in the call").fill("6000")
        until(lambda: page.evaluate("window.sounds[0].currentTime >= 4.4"))
        page.get_by_role("button", name="Pause").click()
        until(lambda: page.evaluate("window.sounds[0].paused"))
        page.reload()
        expect(page.get_by_text("You heard the recording")).to_be_visible()
        assert here.wrongs() == []


def test_an_agent_is_shown_and_tried_in_a_window_of_its_own(
    browser: Browser, gallery: Gallery
) -> None:
    with visit(browser, gallery) as here:
        page = here.page
        here.go("#/agents")
        page.get_by_role("link", name="Contoso Bank").click()
        expect(page.get_by_role("heading", name="Contoso Bank")).to_be_visible()
        told = gallery.reception.book.edition.roster.agents["banking"].instructions
        expect(page.locator(".agent-prompt")).to_have_text(told, use_inner_text=True)
        tool = page.get_by_test_id("agent-tool").filter(has_text="asks first").first
        tool.locator("summary").click()
        expect(tool.locator(".agent-schema")).to_contain_text("properties")
        way = page.get_by_role("link", name="Try it")
        expect(way).to_have_attribute("href", "/?agent=banking")
        here.go("#/agents/nobody")
        expect(page.get_by_role("alert")).to_contain_text("There is no such agent")


def test_what_a_call_came_to_is_read_at_a_glance_and_its_webhook_told_again(
    browser: Browser, gallery: Gallery
) -> None:
    with visit(browser, gallery) as here:
        here.go(f"#/calls/{STORY}")
        after = here.page.get_by_test_id("after")
        expect(after).to_contain_text("a colleague is to ring back within the hour")
        expect(after).to_contain_text("Card blocked: achieved")
        expect(after.get_by_role("row", name="Card 4417")).to_be_visible()
        expect(after.get_by_role("row", name="Payee not said")).to_be_visible()
        told = here.page.get_by_test_id("webhook")
        expect(told).to_contain_text("tickets.contoso.example has not got it")
        told.get_by_role("button", name="Try again").click()
        expect(told).to_have_attribute("data-state", "waiting")
        expect(told.get_by_role("button")).to_have_count(0)
        assert here.wrongs() == []


def test_a_search_stands_in_the_address(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        here.go("#/history?q=passport&agent=government")
        expect(here.page.get_by_label("Search what was said")).to_have_value("passport")
        found = here.page.get_by_test_id("past")
        expect(found.first.locator("mark")).to_have_text("passport")
        here.page.get_by_label("Agent").select_option(label="Contoso Bank")
        expect(here.page.get_by_text("No call is like that")).to_be_visible()
        assert here.page.url.endswith("#/history?q=passport&agent=banking")


def test_a_server_that_is_gone_is_said_so(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:

        def refuse(route: Route) -> None:
            route.fulfill(status=403, json={"code": "not_allowed", "text": "No."})

        here.page.route("**/api/console/me", refuse)
        here.go("")
        said = here.page.locator("body")
        expect(said).to_contain_text("You may not use the console")
        here.looks_well("refused")
        here.page.unroute("**/api/console/me")
        here.page.route("**/api/console/me", lambda route: route.abort())
        here.page.get_by_role("button", name="Try again").click()
        expect(said).to_contain_text("The server does not answer")
        here.page.unroute("**/api/console/me")
        here.page.route("**/api/console/live", lambda route: route.abort())
        here.page.get_by_role("button", name="Try again").click()
        expect(said).to_contain_text("The connection to the server was lost")
