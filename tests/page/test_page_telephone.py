"""The page and the telephone, in a real browser: the number, being rung, asking for a human."""

import pytest
from playwright.sync_api import Browser, Page, expect

from switchboard.browser.protocol import Ended, Floor, Human, Line, Problem
from tests.page.conftest import Visit, visit
from tests.page.desk import CONFIG
from tests.page.rtc import RtcDesk
from tests.page.telephones import NUMBER, Stands, TelephoneDesk, with_telephone
from tests.page.test_page_alone import GREETING, Look

pytestmark = [pytest.mark.browser, pytest.mark.node]

MINE = "+44 20 7946 0018"
ANSWER = Line(
    id="item_answer",
    speaker="agent",
    text="Nobody can join us here, I am sorry.",
    state="final",
    began_ms=3_000,
)


def open_dialog(here: Visit) -> None:
    here.page.get_by_role("button", name="Call me instead").click()
    expect(here.page.get_by_role("dialog")).to_be_visible()


def ring_me(page: Page, number: str = MINE) -> None:
    page.get_by_label("Your telephone number").fill(number)
    page.get_by_role("button", name="Ring me").click()


def said(page: Page, words: str) -> None:
    expect(page.get_by_test_id("ringing")).to_contain_text(words)


def test_a_visitor_is_rung_once_and_sees_it_through(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    page = here.page
    page.get_by_label("Who you talk to").select_option(label="Contoso Telecom")
    open_dialog(here)
    page.get_by_label("Your telephone number").fill(MINE)
    page.get_by_role("button", name="Ring me").dblclick()
    said(page, "Your telephone is ringing")
    tel_desk.stands = Stands("answered")
    said(page, "You are on the telephone with Contoso Telecom")
    tel_desk.stands = Stands("ended")
    said(page, "The call is over")
    [wish] = tel_desk.wishes
    assert (wish.to, wish.agent) == (MINE, "telco")
    looks = tel_desk.looks

    tel_desk.stands = Stands("busy")
    page.get_by_role("button", name="Ring me again").click()
    said(page, "Your line was busy")
    assert tel_desk.looks == looks, "what is over is not asked about"
    assert tel_desk.wishes[1].operation != wish.operation
    assert here.wrongs() == []


def test_a_shut_dialog_goes_on_following_and_says_so_where_it_was_opened(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    page = here.page
    open_dialog(here)
    ring_me(page)
    said(page, "Your telephone is ringing")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Your telephone is ringing").click()
    tel_desk.stands = Stands("no_answer")
    said(page, "Nobody answered")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Call me instead")).to_be_visible()
    here.call()
    assert here.wrongs() == []


def test_a_refusal_is_told_in_words_and_what_is_no_number_is_not_sent(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    page = here.page
    open_dialog(here)
    ring_me(page, "020 7946 0018")
    expect(page.get_by_role("alert")).to_contain_text("Write it with its country")
    assert tel_desk.wishes == []
    quiet = "It is too late or too early where this telephone would ring."
    tel_desk.refusal = (403, Problem("quiet_hours", quiet))
    ring_me(page)
    expect(page.get_by_role("alert")).to_contain_text(quiet)
    tel_desk.refusal = None
    ring_me(page)
    said(page, "Your telephone is ringing")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_where_the_answer_was_lost_the_same_call_is_asked_for_again(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    open_dialog(here)
    tel_desk.losing = True
    ring_me(here.page)
    expect(here.page.get_by_role("alert")).to_contain_text("it will not ring twice")
    tel_desk.losing = False
    here.page.get_by_role("button", name="Ring me").click()
    said(here.page, "Your telephone is ringing")
    first, second = tel_desk.wishes
    assert first.operation == second.operation


def test_the_page_offers_what_there_is_and_no_more(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    number = here.page.get_by_role("link", name=NUMBER)
    assert number.get_attribute("href") == "tel:+442079460000"
    tel_desk.config = with_telephone(agent="telco", call_me=False)
    here.page.reload()
    expect(here.page.get_by_text("where Contoso Telecom answers")).to_be_visible()
    expect(here.page.get_by_role("button", name="Call me instead")).to_have_count(0)
    tel_desk.config = CONFIG
    here.page.reload()
    expect(here.page.get_by_role("button", name="Talk to Contoso Bank")).to_be_visible()
    expect(number).to_have_count(0)


def ask_for_human(here: Visit) -> None:
    here.page.get_by_role("button", name="Speak to a human").click()
    expect(here.page.get_by_role("button", name="Speak to a human")).to_be_disabled()


def test_a_human_is_asked_for_once_until_the_agent_answers(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk)
    here.call()
    tel_desk.say(Floor(floor="agent"), GREETING)
    ask_for_human(here)
    tel_desk.wait(lambda: len(tel_desk.of(Human)) == 1)
    tel_desk.say(ANSWER)
    expect(here.page.get_by_role("button", name="Speak to a human")).to_be_enabled()
    assert len(tel_desk.of(Human)) == 1
    assert here.wrongs() == []


def test_a_human_is_asked_for_over_webrtc_too(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = visit(browser, rtc_desk)
    here.call()
    here.state("way", "webrtc")
    ask_for_human(here)
    rtc_desk.wait(lambda: len(rtc_desk.of(Human)) == 1)
    rtc_desk.tell(ANSWER)
    expect(here.page.get_by_role("button", name="Speak to a human")).to_be_enabled()


@pytest.mark.timeout(300)
def test_every_screen_with_a_telephone_is_accessible(
    browser: Browser, tel_desk: TelephoneDesk
) -> None:
    here = visit(browser, tel_desk, still=True)
    look = Look(here)
    page = here.page
    look.at("tel-1-welcome")
    open_dialog(here)
    look.at("tel-2-dialog")
    ring_me(page, "0123")
    page.get_by_role("alert").wait_for()
    look.at("tel-3-refused")
    ring_me(page)
    said(page, "Your telephone is ringing")
    look.at("tel-4-ringing")
    tel_desk.stands = Stands("no_answer")
    said(page, "Nobody answered")
    look.at("tel-5-over")
    page.get_by_role("button", name="Close").click()
    here.call()
    tel_desk.say(GREETING)
    ask_for_human(here)
    look.at("tel-6-asked")
    tel_desk.say(ANSWER)
    expect(page.get_by_role("button", name="Speak to a human")).to_be_enabled()
    look.at("tel-7-answered")
    tel_desk.say(Ended(reason="goodbye", text="The agent said goodbye and hung up."))
    here.state("phase", "ended")
    look.at("tel-8-ended")
    assert here.wrongs() == []
