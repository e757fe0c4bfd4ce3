"""A walk past every page: each is accessible, and nothing scrolls sideways."""

import re

from playwright.sync_api import Browser, expect

from tests.console.day import FAILED_READING, HEARD, STORY, WAITING_READING
from tests.console.gallery import WATCHED, Gallery
from tests.console.visit import visit


def look_at_every_page(browser: Browser, gallery: Gallery, *, width: int, dark: bool) -> None:
    """On a scripted day."""
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
        expect(page.get_by_test_id("goals")).to_have_text("Partly achieved")
        here.looks_well("past")
        here.go(f"#/calls/{FAILED_READING}")
        expect(page.get_by_test_id("after")).to_contain_text("could not be found out")
        here.looks_well("unread")
        here.go(f"#/calls/{WAITING_READING}")
        expect(page.get_by_test_id("after")).to_contain_text("is being read")
        here.looks_well("reading")
        here.go("#/history")
        expect(page.get_by_test_id("past")).to_have_count(50)
        here.looks_well("history")
        page.get_by_label("Search what was said").fill("lost my card")
        expect(page.get_by_test_id("past")).to_have_count(1)
        here.looks_well("search")
        page.get_by_role("button", name="Clear").click()
        page.get_by_label("Outcome").select_option(label="Caller lost")
        expect(page.get_by_test_id("past").first).to_contain_text("Caller lost")
        here.looks_well("filtered")
        page.get_by_label("Goals").select_option(label="Goals: not achieved")
        expect(page.get_by_test_id("past").first).to_contain_text("Goals not achieved")
        here.go("#/overview")
        expect(page.get_by_role("heading", name="How calls end")).to_be_visible()
        here.looks_well("overview")
        here.go("#/agents")
        expect(page.get_by_test_id("agent-sum").first).to_contain_text("calls")
        here.looks_well("agents")
        page.get_by_role("link", name="Contoso Bank").click()
        expect(page.locator(".figure-value").first).to_have_text(re.compile("[0-9]+"))
        here.looks_well("agent")
        here.go("#/evals")
        expect(page.get_by_test_id("run")).to_have_count(2)
        here.looks_well("evals")
        page.get_by_test_id("run").first.click()
        page.get_by_test_id("failure").locator("summary").click()
        expect(page.get_by_test_id("said")).to_have_count(5)
        here.looks_well("eval")
        here.go(f"#/calls/{HEARD}")
        expect(page.get_by_role("button", name="Replay with sound")).to_be_visible()
        here.looks_well("heard")
        page.get_by_role("button", name="Replay with sound").click()
        expect(page.get_by_role("button", name="Show all")).to_be_visible()
        page.get_by_label("Where in the call").fill("5000")
        page.get_by_role("button", name="Pause").click()
        here.looks_well("replayed")
        assert here.wrongs() == [], here.wrongs()


def look_at_every_empty_page(
    browser: Browser, new_house: Gallery, *, width: int, dark: bool
) -> None:
    """Where nobody has called yet."""
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
        here.go("#/evals")
        expect(here.page.get_by_text("No evaluations yet")).to_be_visible()
        here.looks_well("evals-empty")
        here.go("#/calls/nobody")
        expect(here.page.get_by_role("alert")).to_contain_text("There is no such call")
        here.looks_well("unknown")
        wrongs = [wrong for wrong in here.wrongs() if "404" not in wrong]
        assert wrongs == [], wrongs
