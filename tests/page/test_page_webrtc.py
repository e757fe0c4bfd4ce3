"""The page over WebRTC, in a real browser, with a real peer at the other end."""

import pytest
from playwright.sync_api import Browser, expect

from switchboard.browser.protocol import (
    End,
    Ended,
    Floor,
    Latency,
    Line,
    Problem,
    Reoffer,
    TextIn,
)
from tests.page.conftest import Visit, visit
from tests.page.rtc import RtcDesk
from tests.page.test_page_alone import GREETING, Look

pytestmark = [pytest.mark.browser, pytest.mark.node]


def choose(here: Visit, connection: str) -> None:
    here.page.get_by_role("button", name="Settings").click()
    here.page.get_by_label("Connection").select_option(label=connection)
    here.page.keyboard.press("Escape")


def call_over_webrtc(browser: Browser, desk: RtcDesk) -> Visit:
    here = visit(browser, desk)
    here.call()
    here.state("way", "webrtc")
    return here


def test_both_voices_pass_and_both_lines_move(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    expect(here.page.get_by_test_id("way")).to_contain_text("WebRTC")
    rtc_desk.wait(lambda: rtc_desk.loudness > 0.01)
    rtc_desk.speak(True)
    here.state("speaker", "playing")
    rtc_desk.speak(False)
    here.state("speaker", "silent")
    assert rtc_desk.placed[0].offer
    assert rtc_desk.joins == 0, "no WebSocket"
    assert here.wrongs() == []


def test_muting_silences_the_caller(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    rtc_desk.wait(lambda: rtc_desk.loudness > 0.01)
    here.page.keyboard.press("Space")
    rtc_desk.wait(lambda: rtc_desk.loudness < 0.001)
    here.page.keyboard.press("Space")
    rtc_desk.wait(lambda: rtc_desk.loudness > 0.01)


def test_words_come_by_the_stream_and_go_by_post(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    rtc_desk.tell(
        Floor(floor="thinking"),
        Latency(reply="r1", first_audio_ms=612, first_heard_ms=None),
        GREETING,
    )
    expect(here.page.get_by_test_id("line")).to_contain_text("How can I help you today?")
    expect(here.page.get_by_test_id("latency")).to_contain_text("answered in 0.6 s")
    here.page.keyboard.press("/")
    here.page.keyboard.type("Block my card")
    here.page.keyboard.press("Enter")
    rtc_desk.wait(lambda: [said.text for said in rtc_desk.of(TextIn)] == ["Block my card"])
    rtc_desk.tell(Ended(reason="goodbye", text="The agent said goodbye."))
    here.state("phase", "ended")
    rtc_desk.wait(lambda: rtc_desk.open_peers == 0)
    assert rtc_desk.of(End) == [], "who was told goodbye need not say it"


@pytest.mark.parametrize("how", ["button", "reload"])
def test_ending_and_leaving_hang_up(browser: Browser, rtc_desk: RtcDesk, how: str) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    if how == "button":
        here.page.get_by_role("button", name="End", exact=True).click()
    else:
        here.page.reload()
    rtc_desk.wait(lambda: rtc_desk.of(End) == [End()])
    rtc_desk.wait(lambda: rtc_desk.open_peers == 0)
    here.state("phase", "ended" if how == "button" else "idle")


def test_a_broken_stream_is_followed_again_from_where_it_broke(
    browser: Browser, rtc_desk: RtcDesk
) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    rtc_desk.tell(GREETING)
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    rtc_desk.break_stream()
    rtc_desk.wait(lambda: rtc_desk.last_ids == [None, "2"])
    rtc_desk.tell(Line(id="i2", speaker="agent", text="Hello?", state="final", began_ms=9_000))
    expect(here.page.get_by_test_id("line")).to_have_count(2)


@pytest.mark.parametrize("how", ["lost", "asked"])
def test_media_that_is_lost_or_let_go_is_offered_anew_to_the_same_call(
    browser: Browser, rtc_desk: RtcDesk, how: str
) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    rtc_desk.tell(GREETING)
    if how == "lost":
        rtc_desk.lose_media()
    else:
        rtc_desk.tell(Reoffer())
    rtc_desk.wait(lambda: rtc_desk.offers == 2)
    here.state("phase", "live")
    rtc_desk.heard_frames = 0
    rtc_desk.wait(lambda: rtc_desk.heard_frames > 5 and rtc_desk.loudness > 0.01)
    rtc_desk.speak(True)
    here.state("speaker", "playing")
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    assert len(rtc_desk.placed) == 1


def test_a_call_the_server_has_forgotten_ends_in_words(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = call_over_webrtc(browser, rtc_desk)
    rtc_desk.tell(GREETING)
    expect(here.page.get_by_test_id("line")).to_have_count(1)
    rtc_desk.knows_call = False
    rtc_desk.lose_media()
    here.state("phase", "ended")
    expect(here.page.get_by_role("alert")).to_contain_text("What was said is kept on this page")
    expect(here.page.get_by_test_id("line")).to_have_count(1)


def test_a_network_without_a_way_falls_back_and_says_so(
    browser: Browser, rtc_desk: RtcDesk
) -> None:
    here = visit(browser, rtc_desk)
    rtc_desk.deaf = True
    here.page.get_by_role("button", name="Talk to Contoso Bank").click()
    here.state("phase", "live")
    here.state("way", "websocket")
    preface = here.page.get_by_text("Connected over WebSocket: this network blocks WebRTC.")
    expect(preface).to_be_visible()
    assert rtc_desk.of(End) == [End()], "the half-made call was ended"

    here.page.get_by_role("button", name="End", exact=True).click()
    here.page.get_by_role("button", name="Talk again").click()
    here.state("phase", "live")
    assert rtc_desk.placed[-1].offer is None, "what is known is not tried again"
    expect(preface).to_be_visible()


def test_who_chose_webrtc_is_asked_before_anything_else_is_tried(
    browser: Browser, rtc_desk: RtcDesk
) -> None:
    here = visit(browser, rtc_desk)
    choose(here, "WebRTC")
    rtc_desk.deaf = True
    here.page.get_by_role("button", name="Talk to Contoso Bank").click()
    alert = here.page.get_by_role("alert")
    expect(alert).to_contain_text("This network blocks WebRTC")
    here.state("phase", "idle")
    assert rtc_desk.joins == 0
    alert.get_by_role("button", name="Use WebSocket").click()
    here.state("phase", "live")
    here.state("way", "websocket")
    here.page.reload()
    here.page.get_by_role("button", name="Settings").click()
    expect(here.page.get_by_label("Connection")).to_have_value("websocket")


def test_an_offer_that_is_not_taken_is_no_reason_to_give_up(
    browser: Browser, rtc_desk: RtcDesk
) -> None:
    here = visit(browser, rtc_desk)
    choose(here, "WebRTC")
    rtc_desk.problem = (502, Problem(code="model_unavailable", text="It takes no offers."))
    here.page.get_by_role("button", name="Talk to Contoso Bank").click()
    alert = here.page.get_by_role("alert")
    expect(alert).to_contain_text("It takes no offers.")
    rtc_desk.problem = None
    alert.get_by_role("button", name="Use WebSocket").click()
    here.state("phase", "live")


def test_a_model_without_webrtc_says_so_in_the_settings_and_in_the_call(
    browser: Browser, rtc_desk: RtcDesk
) -> None:
    here = visit(browser, rtc_desk)
    choose(here, "WebRTC")
    here.page.get_by_role("button", name="Settings").click()
    here.page.get_by_label("Model").select_option(label="Voice Live")
    expect(here.page.get_by_text("Voice Live can be talked to over WebSocket only")).to_be_visible()
    here.page.keyboard.press("Escape")
    here.call()
    here.state("way", "websocket")
    expect(here.page.get_by_text("this model cannot be talked to over WebRTC")).to_be_visible()


@pytest.mark.parametrize("connection", ["WebRTC", "WebSocket"])
def test_another_microphone_is_used_without_ending_the_call(
    browser: Browser, rtc_desk: RtcDesk, connection: str
) -> None:
    here = visit(browser, rtc_desk)
    choose(here, connection)
    here.call()
    here.state("microphone", "on")
    here.page.get_by_role("button", name="Settings").click()
    field = here.page.get_by_label("Microphone")
    expect(field.locator("option")).not_to_have_count(1)
    field.select_option(index=1)
    here.state("microphone", "on")
    here.state("phase", "live")
    if connection == "WebRTC":
        rtc_desk.heard_frames = 0
        rtc_desk.wait(lambda: rtc_desk.heard_frames > 5 and rtc_desk.loudness > 0.01)
        assert rtc_desk.offers == 1
    assert here.wrongs() == []


@pytest.mark.timeout(300)
def test_every_screen_of_a_call_is_accessible(browser: Browser, rtc_desk: RtcDesk) -> None:
    here = visit(browser, rtc_desk, still=True)
    look = Look(here)
    page = here.page
    choose(here, "WebRTC")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Connection").focus()
    look.at("rtc-1-settings")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    rtc_desk.deaf = True
    page.get_by_role("button", name="Talk to Contoso Bank").click()
    page.get_by_role("alert").wait_for()
    look.at("rtc-2-blocked")
    rtc_desk.deaf = False
    here.call()
    rtc_desk.speak(True)
    tell = rtc_desk.tell
    tell(Floor(floor="agent"), GREETING)
    here.state("speaker", "playing")
    page.get_by_test_id("way").get_by_role("button").focus()
    look.at("rtc-3-call")
    page.get_by_role("button", name="End", exact=True).click()
    choose(here, "Automatic")
    rtc_desk.deaf = True
    page.get_by_role("button", name="Talk again").click()
    here.state("way", "websocket")
    here.state("phase", "live")
    rtc_desk.say(Floor(floor="agent"), GREETING)
    expect(page.get_by_test_id("line")).to_have_count(1)
    look.at("rtc-4-fallback")
    assert here.wrongs() == []
