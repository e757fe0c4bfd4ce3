"""Every page of the console in Debian's Chromium: what it shows, how it looks, what keys do.

`CONSOLE_SHOTS=docs/screenshots` keeps a picture of each.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from switchboard.console import protocol as wire
from switchboard.conversation import commands as c
from tests.console.day import NOW, STORY
from tests.console.gallery import WATCHED, Gallery, until
from tests.page.conftest import CHROMIUM, FLAGS, FRONTEND, WATCH, built_page

__all__ = ["built_page"]

pytestmark = [pytest.mark.browser, pytest.mark.node]

AXE = FRONTEND / "node_modules/axe-core/axe.min.js"
SHOTS = os.environ.get("CONSOLE_SHOTS")


@dataclass
class Visit:
    page: Page
    gallery: Gallery
    look: str
    errors: list[str] = field(default_factory=list[str])

    def go(self, hash_: str) -> None:
        self.page.goto(self.gallery.address + hash_)

    def wrongs(self) -> list[str]:
        blocked: list[str] = self.page.evaluate("window.wrongs")
        return self.errors + blocked

    def looks_well(self, name: str) -> None:
        """Axe finds nothing, nothing scrolls sideways; keep a picture where that is asked."""
        page = self.page
        page.mouse.move(0, 0)
        page.wait_for_timeout(200)  # what moves, moves for 120 ms
        if SHOTS is not None:
            where = Path(SHOTS)
            where.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=where / f"console-{name}-{self.look}.png", full_page=True)
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(url="/axe.js")
        found: list[str] = page.evaluate(
            """async () => (await axe.run()).violations.flatMap((violation) =>
                 violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)}`))"""
        )
        assert found == [], name
        overflow: int = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} scrolls sideways"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def gallery(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    gallery = Gallery(built_page, AXE, tmp_path_factory.mktemp("day"))
    with gallery.serving():
        yield gallery


@pytest.fixture(scope="module")
def new_house(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """Nobody has called yet."""
    gallery = Gallery(built_page, AXE, tmp_path_factory.mktemp("new"), empty=True)
    with gallery.serving():
        yield gallery


@contextmanager
def visit(
    browser: Browser, gallery: Gallery, *, width: int = 1440, dark: bool = False
) -> Generator[Visit]:
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": 844 if width < 640 else 900},
        color_scheme=scheme,
        timezone_id="UTC",
        locale="en-GB",
    )
    context.add_init_script(WATCH)
    context.clock.set_fixed_time(datetime.fromtimestamp(NOW, UTC))
    here = Visit(context.new_page(), gallery, f"{width}-{scheme}")
    here.page.on("pageerror", lambda error: here.errors.append(str(error)))
    here.page.on(
        "console",
        lambda message: here.errors.append(message.text) if message.type == "error" else None,
    )
    try:
        yield here
    finally:
        context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_is_accessible(
    browser: Browser, gallery: Gallery, new_house: Gallery, width: int, dark: bool
) -> None:
    with visit(browser, gallery, width=width, dark=dark) as here:
        page = here.page
        here.go("")
        expect(page.get_by_test_id("call")).to_have_count(8)
        here.looks_well("live")
        here.go(f"#/calls/{WATCHED}")
        expect(page.get_by_test_id("line")).to_have_count(8)
        here.looks_well("call")
        page.get_by_role("button", name="End the call…").click()
        here.looks_well("end")
        page.get_by_role("button", name="Keep the call").click()
        here.go(f"#/calls/{STORY}")
        expect(page.get_by_test_id("outcome")).to_contain_text("Finished")
        here.looks_well("past")
        here.go("#/history")
        expect(page.get_by_test_id("past")).to_have_count(50)
        page.get_by_label("Search what was said").fill("lost my card")
        expect(page.get_by_test_id("past")).to_have_count(1)
        here.looks_well("search")
        page.get_by_role("button", name="Clear").click()
        page.get_by_label("Outcome").select_option(label="Caller lost")
        expect(page.get_by_test_id("past").first).to_contain_text("Caller lost")
        here.looks_well("history")
        here.go("#/overview")
        expect(page.get_by_role("heading", name="How calls end")).to_be_visible()
        here.looks_well("overview")
        assert here.wrongs() == []
    with visit(browser, new_house, width=width, dark=dark) as here:
        here.go("")
        expect(here.page.get_by_text("Nobody is calling")).to_be_visible()
        here.looks_well("live-empty")
        here.go("#/history")
        expect(here.page.get_by_text("No calls yet")).to_be_visible()
        here.looks_well("history-empty")
        here.go("#/overview")
        expect(here.page.get_by_text("No calls in these days")).to_be_visible()
        here.looks_well("overview-empty")
        here.go("#/calls/nobody")
        expect(here.page.get_by_role("alert")).to_contain_text("There is no such call")
        here.looks_well("unknown")
        assert [wrong for wrong in here.wrongs() if "404" not in wrong] == []


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
        alert = here.page.get_by_role("alert")
        expect(alert).to_contain_text("You may not use the console")
        here.looks_well("refused")
        here.page.unroute("**/api/console/me")
        here.page.route("**/api/console/me", lambda route: route.abort())
        here.page.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text("The server does not answer")
        here.page.unroute("**/api/console/me")
        here.page.route("**/api/console/live", lambda route: route.abort())
        here.page.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text("The connection to the server was lost")
