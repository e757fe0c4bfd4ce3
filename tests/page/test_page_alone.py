"""The page by itself, in a real browser, under the strictest policy it will ever be served with."""

import base64
import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from switchboard.browser.protocol import (
    AudioIn,
    AudioOut,
    Decide,
    End,
    Ended,
    Floor,
    Flush,
    Interruption,
    Latency,
    Line,
    Notice,
    Played,
    Problem,
    TextIn,
    Tool,
)
from tests.page.conftest import Visit, visit
from tests.page.desk import Desk, murmur, tone

pytestmark = [pytest.mark.browser, pytest.mark.node]

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
GREETING = Line(
    id="item_greeting",
    speaker="agent",
    text="Good morning, this is Contoso Bank. How can I help you today?",
    state="final",
    began_ms=100,
)
QUESTION = Line(
    id="item_question",
    speaker="caller",
    text="What is on my current account?",
    state="final",
    began_ms=4_200,
)
LOOKED_UP = Tool(
    id="call_balance",
    name="get_balance",
    title="Check your balance",
    state="done",
    began_ms=6_000,
    arguments={"account": "current"},
    result={"balance": {"amount": 1240.5, "currency": "EUR"}, "as_of": "2025-03-04"},
    duration_ms=412.0,
)
REPLY = Line(
    id="item_reply",
    speaker="agent",
    text="You have 1,240 euros and 50 cents on it. Your rent of 800 euros goes out on Friday.",
    state="cut",
    began_ms=6_500,
    heard_chars=41,
)
AGAIN = Line(
    id="item_again",
    speaker="caller",
    text="Block the card that ends in 4471, please.",
    state="final",
    began_ms=9_900,
)
ASKING = Tool(
    id="call_block",
    name="block_card",
    title="Block a card",
    state="asking",
    began_ms=11_000,
    arguments={"card": "4471"},
    question="Shall I block the card that ends in 4471?",
)

SILENT_WITHIN_MS = 150
TRIES = 5
"""On a busy machine a flush may be late; a page that is slow is late each time."""


def tell_a_story(desk: Desk) -> None:
    """A call with everything in it: an answer cut off, a tool's result, a question to decide."""
    desk.say(
        Floor(floor="agent"),
        GREETING,
        Floor(floor="caller"),
        QUESTION,
        Floor(floor="thinking"),
        LOOKED_UP,
        Floor(floor="agent"),
        Latency(reply="reply_1", first_audio_ms=612, first_heard_ms=655),
        AudioOut(item=REPLY.id, audio=tone(20)),
        REPLY,
        Interruption(item=REPLY.id, heard_ms=2_100, at_ms=9_800),
        AGAIN,
        Floor(floor="thinking"),
        ASKING,
        Notice(code="recorded", text="This call is recorded."),
    )


def test_both_sides_are_heard(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    desk.wait(lambda: len(desk.of(AudioIn)) >= 60)
    frames = [base64.b64decode(frame.audio) for frame in desk.of(AudioIn)]
    assert {len(frame) for frame in frames} == {960}
    assert any(frames[-1]), "the microphone hums, so a frame is not silence"

    desk.say(AudioOut(item="item_1", audio=tone(400)), AudioOut(item="item_1", audio=tone(600)))
    here.passed("speaker", "playing")
    here.state("speaker", "silent")
    desk.wait(lambda: bool(desk.of(Played)) and desk.of(Played)[-1].ms >= 1_000)
    reports = [report.ms for report in desk.of(Played)]
    assert reports == sorted(reports)
    assert reports[-1] == 1_000
    assert len(reports) >= 6, "about one report each 100 ms"
    assert here.wrongs() == []


def test_a_flush_silences_at_once_and_late_audio_stays_unheard(
    browser: Browser, desk: Desk
) -> None:
    here = visit(browser, desk)
    here.call()
    answered_ms = [flushed(here, desk, "item_0")]
    while answered_ms[-1] >= SILENT_WITHIN_MS and len(answered_ms) < TRIES:
        answered_ms.append(flushed(here, desk, f"item_{len(answered_ms)}"))
    assert answered_ms[-1] < SILENT_WITHIN_MS, answered_ms

    desk.say(AudioOut(item="the_next", audio=tone(200)))
    desk.wait(lambda: desk.of(Played)[-1] == Played(item="the_next", ms=200))
    assert here.wrongs() == []


def flushed(here: Visit, desk: Desk, item: str) -> float:
    """An item is flushed while it plays; how long after that the page said so, in milliseconds."""
    began = time.monotonic()
    desk.say(*(AudioOut(item=item, audio=tone(500)) for _ in range(20)))
    here.state("speaker", "playing")
    desk.wait(lambda: bool(desk.of(Played)) and desk.of(Played)[-1].item == item)
    desk.wait(lambda: desk.of(Played)[-1].ms >= 400)
    count = len(desk.of(Played))
    told = time.monotonic()
    desk.say(Flush(), AudioOut(item=item, audio=tone(500)))
    desk.wait(lambda: len(desk.of(Played)) > count)
    answered = time.monotonic()
    here.state("speaker", "silent")
    assert 400 <= desk.of(Played)[-1].ms <= (answered - began) * 1000 + 150
    said = len(desk.of(Played))
    time.sleep(0.3)
    here.state("speaker", "silent")
    assert len(desk.of(Played)) == said, "late audio of a flushed item is not played"
    return (answered - told) * 1000


def test_a_muted_microphone_sends_silence(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    here.page.keyboard.press("Space")
    expect(here.page.get_by_role("button", name="Unmute")).to_be_visible()
    time.sleep(0.2)
    before = len(desk.of(AudioIn))
    desk.wait(lambda: len(desk.of(AudioIn)) > before + 20)
    assert not any(base64.b64decode(desk.of(AudioIn)[-1].audio))
    here.page.keyboard.press("Space")
    desk.wait(lambda: any(base64.b64decode(desk.of(AudioIn)[-1].audio)))


def test_a_typed_turn_is_shown_once_and_the_keys_lead_to_it(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    here.page.keyboard.press("/")
    here.page.keyboard.type("Block my card")
    here.page.keyboard.press("Enter")
    desk.wait(lambda: len(desk.of(TextIn)) == 1)
    sent = desk.of(TextIn)[0]
    assert sent.text == "Block my card"
    desk.say(
        Line(id=sent.id, speaker="caller", text=sent.text, state="final", began_ms=900, typed=True)
    )
    line = here.page.get_by_test_id("line")
    expect(line).to_have_attribute("data-state", "final")
    expect(line).to_have_count(1)
    here.page.keyboard.press("Escape")
    here.state("phase", "live")
    here.page.keyboard.press("Escape")
    here.state("phase", "ended")
    desk.wait(lambda: desk.open_sockets == 0)
    assert desk.words()[-1] == End()
    assert here.wrongs() == []


def test_a_suggestion_begins_the_call_and_is_said(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.page.get_by_role("button", name="What is my balance?").focus()
    here.page.keyboard.press("ArrowLeft")
    expect(here.page.get_by_role("button", name="Block my card")).to_be_focused()
    here.page.keyboard.press("Enter")
    here.state("phase", "live")
    desk.wait(lambda: [said.text for said in desk.of(TextIn)] == ["Block my card"])
    assert desk.placed[0].agent == "bank"


def test_consent_is_given_on_the_card(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    desk.say(ASKING)
    here.page.get_by_role("button", name="Yes").click()
    desk.wait(lambda: desk.of(Decide) == [Decide(call="call_block", agreed=True)])
    expect(here.page.get_by_role("button", name="No", exact=True)).to_be_disabled()


def test_a_lost_socket_is_joined_again_with_the_resume_ticket(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    desk.say(GREETING)
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    desk.drop()
    desk.wait(lambda: desk.joins == 2)
    here.state("phase", "live")
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    before = len(desk.of(AudioIn))
    desk.wait(lambda: len(desk.of(AudioIn)) > before + 10)
    assert len(desk.placed) == 1, "the same call, not a new one"


def test_a_socket_that_stays_lost_ends_the_call_in_words(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    desk.say(GREETING)
    desk.resumable = False
    desk.drop()
    here.passed("phase", "away")
    here.state("phase", "ended")
    expect(here.page.get_by_role("alert")).to_contain_text("The connection was lost")
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    expect(here.page.get_by_role("button", name="Talk again")).to_be_focused()


def test_reloading_says_goodbye(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    here.page.reload()
    desk.wait(lambda: desk.open_sockets == 0)
    assert desk.words()[-1] == End()
    here.state("phase", "idle")


def test_without_a_microphone_the_call_goes_on_as_text(deaf_browser: Browser, desk: Desk) -> None:
    here = visit(deaf_browser, desk)
    here.call()
    here.state("microphone", "denied")
    expect(here.page.get_by_role("alert")).to_contain_text("Your microphone is blocked")
    here.page.get_by_label("Your message").fill("Hello")
    here.page.keyboard.press("Enter")
    desk.wait(lambda: [said.text for said in desk.of(TextIn)] == ["Hello"])
    assert desk.of(AudioIn) == []
    assert here.wrongs() == []


def test_the_transcript_is_saved_as_text(browser: Browser, desk: Desk, tmp_path: Path) -> None:
    here = visit(browser, desk)
    here.call()
    tell_a_story(desk)
    desk.say(Ended(reason="goodbye", text="The agent said goodbye."))
    here.state("phase", "ended")
    with here.page.expect_download() as download:
        here.page.get_by_role("button", name="Save as text").click()
    kept = tmp_path / "kept.txt"
    download.value.save_as(kept)
    assert kept.read_text().splitlines()[:3] == [
        "0:00  Contoso Bank: Good morning, this is Contoso Bank. How can I help you today?",
        "0:04  You: What is on my current account?",
        "0:06  (Check your balance: done in 0.4 s)",
    ]
    assert here.wrongs() == []


def test_settings_are_remembered_and_asked_for(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.page.get_by_role("button", name="Settings").click()
    here.page.get_by_label("Voice").select_option(label="Cedar")
    here.page.get_by_label("Agent", exact=True).select_option(label="Contoso Telecom")
    here.page.get_by_label("Appearance").select_option(label="Dark")
    here.page.reload()
    here.page.get_by_role("button", name="Talk to Contoso Telecom").click()
    here.state("phase", "live")
    here.state("theme", "dark")
    assert (desk.placed[0].agent, desk.placed[0].voice) == ("telco", "cedar")


# -- how it looks ---------------------------------------------------------------------------------


@pytest.mark.timeout(300)  # forty pictures of a page, each judged
def test_every_screen_is_accessible(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk, still=True)
    look = Look(here)
    page = here.page
    expect(page.get_by_role("button", name="Talk to Contoso Bank")).to_be_visible()
    look.at("1-welcome")
    page.get_by_role("button", name="Settings").click()
    look.at("2-settings")
    page.keyboard.press("Escape")
    desk.problem = (503, Problem(code="lines_busy", text="All 20 lines are in use."))
    page.get_by_role("button", name="Talk to Contoso Bank").click()
    page.get_by_role("alert").wait_for()
    look.at("3-busy")
    desk.problem = None
    here.call()
    look.at("4-live-empty")
    desk.say(
        Floor(floor="agent"),
        GREETING,
        *(AudioOut(item=GREETING.id, audio=part) for part in murmur(20_000)),
    )
    here.state("speaker", "playing")
    look.at("5-agent-speaks")
    desk.say(Flush())
    tell_a_story(desk)
    page.get_by_role("button", name="Yes").wait_for()
    look.at("6-asking")
    page.get_by_test_id("tool").first.locator("summary").first.click()
    page.get_by_test_id("latency").click()
    desk.say(Floor(floor="caller"))
    look.at("7-opened")
    desk.say(Ended(reason="goodbye", text="The agent said goodbye and hung up."))
    here.state("phase", "ended")
    look.at("8-ended")
    desk.wait(lambda: desk.open_sockets == 0)
    desk.config_works = False
    page.reload()
    page.get_by_role("alert").wait_for()
    look.at("9-unreachable")
    assert [wrong for wrong in here.wrongs() if "500" not in wrong and "503" not in wrong] == []


class Look:
    """Checks a screen in two widths and both schemes: no violation of axe's rules, and nothing that
    scrolls sideways. Pictures are kept where `PAGE_SHOTS` names a folder.

    Nothing may move on the page: a colour on its way to another has no contrast to judge.
    """

    def __init__(self, here: Visit) -> None:
        self._here = here
        self._shots = os.environ.get("PAGE_SHOTS")

    def at(self, screen: str) -> None:
        page = self._here.page
        for width, height in ((390, 844), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("dark", "light"):
                page.emulate_media(color_scheme=scheme)
                name = f"{screen}-{width}-{scheme}"
                if self._shots is not None:
                    page.screenshot(path=Path(self._shots) / f"{name}.png")
                assert _violations(page) == [], name
                assert page.evaluate(TOO_WIDE) <= 0, name


def _violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(url="/axe.js")
    found: list[str] = page.evaluate(
        """async () => (await axe.run()).violations.flatMap((violation) =>
             violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)}`))"""
    )
    return found
