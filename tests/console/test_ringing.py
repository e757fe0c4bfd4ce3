"""A caller who wants a human rings on every page; who takes the call sees that they have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from switchboard.conversation import commands as c
from tests.console.conftest import AXE
from tests.console.day import NOW
from tests.console.gallery import WATCHED, Gallery, until
from tests.console.visit import visit

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(180)]
looks = pytest.mark.parametrize(
    ("width", "dark"),
    [(1440, False), (1440, True), (390, False), (390, True)],
    ids=["wide-light", "wide-dark", "narrow-light", "narrow-dark"],
)
REASON = "They want the fee of twelve euros back, and I may not do that."


@pytest.fixture
def gallery(built_page: Path, tmp_path: Path) -> Iterator[Gallery]:
    """One a test: what is done to its calls stays."""
    gallery = Gallery(built_page, AXE, tmp_path)
    with gallery.serving():
        yield gallery


@looks
def test_a_wish_for_a_human_rings_and_may_be_declined(
    browser: Browser, gallery: Gallery, width: int, dark: bool
) -> None:
    with visit(browser, gallery, width=width, dark=dark) as here:
        here.go("#/")
        expect(here.page.get_by_test_id("call").first).to_be_visible()
        wish = c.NoteWish(c.WishState.RINGING, "operator", REASON)
        gallery.does("call-7", wish, at=NOW - 24)
        gallery.does("call-2", c.NoteWish(c.WishState.RINGING, "operator", ""), at=NOW - 9)
        ringing = here.page.get_by_test_id("ringing")
        expect(ringing).to_contain_text(REASON)
        expect(ringing).to_contain_text("Waiting 0:24")
        expect(ringing).to_contain_text("No, the appointment for the passport")
        here.looks_well("ringing")
        here.go("#/history")
        expect(ringing).to_be_visible()
        ringing.get_by_role("button", name="Nobody can come").first.click()
        until(lambda: any(deed.__class__.__name__ == "Decline" for _, deed in gallery.desk.deeds))
        for call in ("call-7", "call-2"):
            gallery.does(call, c.NoteWish(c.WishState.MISSED, "operator", REASON))
        expect(ringing).to_be_hidden()
        assert here.wrongs() == []


@looks
def test_whoever_takes_a_call_over_sees_it_mutes_and_hands_it_back(
    browser: Browser, gallery: Gallery, width: int, dark: bool
) -> None:
    with visit(browser, gallery, width=width, dark=dark) as here:
        here.page.context.grant_permissions(["microphone"])
        here.go(f"#/calls/{WATCHED}")
        here.page.get_by_role("button", name="Take over").click()
        desk = here.page.get_by_test_id("desk")
        expect(desk).to_contain_text("You are talking to the caller")
        expect(here.page.get_by_test_id("floor")).to_contain_text("With You")
        here.looks_well("taken")
        here.page.locator("h1").click()
        here.page.keyboard.press("Space")
        expect(desk).to_contain_text("You are muted")
        desk.get_by_label("What the agent should know").fill("The card is blocked.")
        desk.get_by_role("button", name="Hand back").click()
        expect(desk).to_be_hidden()
        expect(here.page.get_by_text("handed the call back to the agent").first).to_be_visible()
        handed = c.NoteNotice("handed_back", "You are speaking with the agent again.")
        gallery.does(WATCHED, handed)
        expect(here.page.get_by_role("button", name="Take over")).to_be_enabled()
        assert here.wrongs() == []
