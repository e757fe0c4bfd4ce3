"""The page asks whether a call may be recorded, and shows that it is."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from switchboard.browser import protocol as wire
from tests.page.conftest import visit
from tests.page.desk import CONFIG, Desk

pytestmark = [pytest.mark.browser, pytest.mark.node]

NOTICE = "May we record this call, to train our colleagues?"


@pytest.fixture
def recording_desk(desk: Desk) -> Iterator[Desk]:
    bank, *others = CONFIG.agents
    recorded = msgspec.structs.replace(bank, recorded="maybe")
    both = ["websocket", "webrtc"]
    models = [msgspec.structs.replace(model, connections=both) for model in CONFIG.models]
    desk.config = msgspec.structs.replace(
        CONFIG, agents=[recorded, *others], models=models, connections=both
    )
    yield desk
    desk.config = CONFIG


def test_a_button_answers_and_a_mark_stays(browser: Browser, recording_desk: Desk) -> None:
    desk = recording_desk
    here = visit(browser, desk)
    here.call()
    assert desk.placed[-1].offer is None, "over WebRTC it could not be recorded"
    desk.say(wire.Recording("asked", NOTICE))
    here.page.get_by_role("button", name="Yes, record").click()
    desk.wait(lambda: desk.of(wire.Decide) == [wire.Decide("recording", True)])
    expect(here.page.get_by_text("You answered yes")).to_be_visible()
    mark = here.page.get_by_test_id("recording")
    for told, words in (
        (wire.Recording("running", NOTICE), "This call is recorded"),
        (wire.Recording("paused", NOTICE), "The recording is paused"),
        (wire.Recording("running", NOTICE), "This call is recorded"),
        (wire.Recording("off", NOTICE), "This call is not recorded"),
    ):
        desk.say(told)
        expect(mark).to_have_text(words)
    assert here.wrongs() == []


@pytest.mark.parametrize("width", [390, 1440])
def test_it_is_for_everybody(browser: Browser, recording_desk: Desk, width: int) -> None:
    here = visit(browser, recording_desk, still=True)
    here.page.set_viewport_size({"width": width, "height": 844})
    here.call()
    here.page.add_script_tag(url="/axe.js")
    for dark in (False, True):
        here.page.emulate_media(color_scheme="dark" if dark else "light")
        for state in ("asked", "running"):
            recording_desk.say(wire.Recording(state, NOTICE))
            expect(here.page.get_by_test_id("recording")).to_be_visible()
            found: list[str] = here.page.evaluate(
                "async () => (await axe.run()).violations.map((each) => each.id)"
            )
            assert found == [], (dark, state)
            wide: int = here.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width
