"""The softphone page in a real browser rings the agent, is rung, and plays a second person."""

# pyright: reportUnknownMemberType=false
# (the SDK leaves its keyword arguments untyped)

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from azure.communication.callautomation import PhoneNumberIdentifier
from azure.communication.callautomation.aio import CallAutomationClient
from playwright.async_api import Browser, expect

from tests.local.acs.peers import RESOURCE, Application, client, served_app
from tests.local.acs.softphones import HUMAN, YOU, softphones
from tests.page.conftest import FRONTEND
from tests.phone.ringing import AGENT, Town
from tests.phone.softphone import WAIT_MS, Visit, chromium, visited

pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.timeout(300),
]

VIOLATIONS = """
async () => (await axe.run()).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def the_sdk(there: Town) -> AsyncGenerator[CallAutomationClient]:
    assert there.cloud.issuer is not None
    async with client(there.served, there.cloud.issuer.issue(RESOURCE).text) as sdk:
        yield sdk


async def test_a_newcomer_rings_the_agent_asks_presses_a_key_and_hangs_up(
    there: Town, browser: Browser
) -> None:
    there.cloud.doubles.ears.words = ["what is my balance", "block my card"]
    async with softphones(there.acs) as place, visited(place, there, browser) as here:
        await here.click("Call")
        await here.line("talking")
        await here.attribute("ear", "sounding")
        await expect(here.page.locator(".heard")).to_contain_text("good day", timeout=WAIT_MS)
        await there.quiet()

        await here.say("What is my balance?")
        output = await there.told("conversation.item.create")
        assert "balance" in output["item"]["output"]
        await there.said("response.done", 3)
        await there.quiet()

        await here.say("Block my card.")
        await there.told("conversation.item.create", 2)
        await there.quiet()
        await here.page.locator("body").click()
        await here.page.keyboard.press("1")  # the agent asks whether it may
        await there.told("conversation.item.create", 3)
        await there.told("conversation.item.create", 4)  # what came of it
        await there.quiet()
        await expect(here.passages("DtmfData 1")).to_be_visible()

        call_id = there.call_id
        await here.page.keyboard.press("Escape")
        await here.line("ended")
        await expect(here.page.locator(".display-more")).to_have_text("You hung up.")
        await there.empty()
        account = await there.account(call_id)
        assert [each.name for each in account.tool_calls][:1] == ["get_balance"]
        assert account.tool_calls[-1].state == "done"
        for title in ("IncomingCall", "POST callConnections:answer", "CallConnected"):
            await expect(here.passages(title).first).to_be_visible()
        await expect(here.passages("media socket")).to_contain_text("closed")
        await here.passages("IncomingCall").locator("summary").click()
        body = here.passages("IncomingCall").locator("pre")
        await expect(body).to_contain_text('"incomingCallContext": "…"')
        assert await here.wrongs() == []


async def test_it_is_rung_by_a_call_that_is_placed_declines_one_and_takes_the_next(
    there: Town, browser: Browser
) -> None:
    caller = Application()  # another than the product, which hangs up what it has not placed
    async with (
        served_app(caller),
        softphones(there.acs) as place,
        visited(place, there, browser) as here,
        the_sdk(there) as sdk,
    ):
        for button, state in (("Decline", "ended"), ("Answer", "talking")):
            placed = await sdk.create_call(
                PhoneNumberIdentifier(YOU),
                f"http://127.0.0.1:{caller.port}/events",
                source_caller_id_number=PhoneNumberIdentifier(AGENT),
            )
            await here.line("ringing")
            await here.attribute("bell", "in")
            await expect(here.page.locator(".display-head")).to_have_text("The agent is calling")
            await here.click(button)
            await here.line(state)
            await here.attribute("bell", "silent")
        assert placed.call_connection_id is not None
        await sdk.get_call_connection(placed.call_connection_id).hang_up(True)
        await here.line("ended")
        await expect(here.page.locator(".display-more")).to_have_text("The other side hung up.")
        assert await here.wrongs() == []


async def test_its_second_line_is_the_human_who_declines_a_transfer_then_takes_it(
    there: Town, browser: Browser
) -> None:
    async with (
        softphones(there.acs) as place,
        visited(place, there, browser) as here,
        the_sdk(there) as sdk,
    ):
        await here.click("Call")
        await here.line("talking")
        call = sdk.get_call_connection(there.line.id)
        human = here.page.locator(".line").nth(1)

        await call.transfer_call_to_participant(PhoneNumberIdentifier(HUMAN))
        await expect(human).to_contain_text("Line 1 is calling")
        await here.click("Decline line 2")
        await expect(here.passages("CallTransferFailed")).to_be_visible()
        await here.line("talking")  # the caller is still with the agent

        await call.transfer_call_to_participant(PhoneNumberIdentifier(HUMAN))
        await here.click("Answer line 2")
        await expect(here.passages("CallTransferAccepted")).to_be_visible()
        await expect(here.page.locator(".line").nth(0)).to_contain_text("In a call")
        await here.say("I am the human.")
        await expect(here.page.locator(".heard")).to_contain_text("I am the human.")
        await there.empty()  # the agent is out of it
        await here.click("Hang up")
        await expect(here.page.locator(".line").nth(0)).to_contain_text("Call ended")
        assert await here.wrongs() == []


async def test_every_screen_is_accessible_and_fits(there: Town, browser: Browser) -> None:
    async with (
        softphones(there.acs) as place,
        visited(place, there, browser) as here,
        the_sdk(there) as sdk,
    ):
        await here.page.evaluate((FRONTEND / "node_modules/axe-core/axe.min.js").read_text())
        await judge(here, "idle")
        await sdk.create_call(
            PhoneNumberIdentifier(YOU),
            f"{there.home.http.base_url}/api/phone/events/nobodys",
            source_caller_id_number=PhoneNumberIdentifier(AGENT),
        )
        await here.line("ringing")
        await judge(here, "ringing")
        await here.click("Decline")
        await here.line("ended")
        await there.empty()
        await here.click("Call")
        await here.line("talking")
        await here.attribute("ear", "sounding")
        await sdk.get_call_connection(there.line.id).add_participant(
            PhoneNumberIdentifier(HUMAN), source_caller_id_number=PhoneNumberIdentifier(AGENT)
        )
        await expect(here.page.locator(".line").nth(1)).to_contain_text("calling")
        await here.say("What is on my account?")
        await judge(here, "talking")
        await here.click("Answer line 2")
        await sdk.get_call_connection(there.line.id).hold(PhoneNumberIdentifier(YOU))
        await expect(here.a_line(1)).to_contain_text("On hold with the agent")
        await here.a_line(1).get_by_role("button").click()
        await judge(here, "on-hold")
        for line in 2, 1:
            await here.a_line(line).get_by_role("button").click()
            await here.click("Hang up")
            await here.line("ended")
        await there.empty()
        await here.passages("CallConnected").locator("summary").click()
        await judge(here, "ended")
        assert await here.wrongs() == []


async def judge(here: Visit, screen: str) -> None:
    """In both widths and schemes: no violation, and nothing wider than the screen. Pictures are
    kept where `PICTURES` names a folder.
    """
    for width in (1440, 390):
        await here.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            # Without motion: a colour on its way to another has no contrast to judge.
            await here.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            name = f"{screen}-{width}-{scheme}"
            if folder := os.environ.get("PICTURES"):
                await here.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
            assert await here.page.evaluate(VIOLATIONS) == [], name
            assert await here.page.evaluate(TOO_WIDE) <= 0, name
