"""A real call, watched and helped from the console in Chromium: page, room, exchange and records
are the product's own; only the model is a script."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from switchboard.conversation import commands as c
from tests.browser.peers import FRAME
from tests.console.house import CARD, Served, next_line, open_house
from tests.page.conftest import CHROMIUM, FLAGS, WATCH

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(180)]

expect.set_options(timeout=20_000)


@asynccontextmanager
async def console(home: Served) -> AsyncGenerator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.add_init_script(WATCH)
        await page.goto(f"http://127.0.0.1:{home.port}/console")
        yield page
        assert await page.evaluate("window.wrongs") == []
        await browser.close()


async def test_a_call_is_watched_whispered_to_approved_and_ended(
    built_page: Path, tmp_path: Path
) -> None:
    async with open_house(tmp_path) as home, console(home) as operator:
        await expect(operator.get_by_text("Nobody is calling")).to_be_visible()
        async with home.caller() as (call_id, caller, model):
            await operator.get_by_test_id("call").click()
            lines = operator.get_by_test_id("line")
            await caller.say("text", id="t1", text="Hello, can you help me?")
            await expect(lines.last).to_contain_text("You said: Hello, can you help me?")
            await caller.say("played", item="item2", ms=20)

            await operator.get_by_label("What to whisper").fill("Be brief.")
            await operator.get_by_role("button", name="Whisper", exact=True).click()
            await expect(operator.get_by_text("The agent has it: “Be brief.”")).to_be_visible()
            notes = [command.text for command in model.told if isinstance(command, c.AddNote)]
            assert any("Be brief." in note for note in notes)
            await caller.say("played", item="item3", ms=20)

            model.wish = ("block_card", CARD)
            await caller.say("text", id="t2", text="Block my card")
            question = operator.get_by_text("Block the card ending in 4417?", exact=True)
            await expect(question).to_be_visible()
            model.wish = ("block_card", CARD)  # what a model does once it is told of the consent
            await operator.get_by_role("button", name="Approve").click()
            tool = operator.get_by_test_id("tool").first
            await expect(tool).to_have_attribute("data-state", "done", timeout=20_000)

            await operator.get_by_role("button", name="Listen in").click()
            ear = operator.get_by_test_id("ear")
            await expect(ear).to_have_attribute("data-state", "hearing")
            await caller.say("audio", audio=FRAME)

            await operator.get_by_role("button", name="End the call…").click()
            await operator.get_by_role("button", name="Cut it off now").click()
            _, said = await caller.closed()
            assert said[-1]["reason"] == "operator"
        await expect(operator.get_by_test_id("outcome")).to_contain_text("an operator ended it")
        await home.quiet()
        await operator.goto(f"http://127.0.0.1:{home.port}/console/#/history")
        await operator.get_by_test_id("past").click()
        await expect(operator.get_by_text("You approved")).to_be_visible()
        past = await home.detail(call_id)
        assert [(act["kind"], act["outcome"]) for act in past["actions"]] == [
            ("whisper", "taken"),
            ("approve", "taken"),
            ("listen", "taken"),
            ("cut", "taken"),
        ]


async def test_a_sentence_is_said_by_the_agent(built_page: Path, tmp_path: Path) -> None:
    async with (
        open_house(tmp_path) as home,
        console(home) as operator,
        home.caller() as (_, caller, _),
    ):
        await operator.get_by_test_id("call").click()
        await operator.get_by_text("Have it said").first.click()
        await operator.get_by_label("What to have said").fill("A colleague will ring you.")
        await operator.get_by_role("button", name="Have it said").click()
        line = await next_line(caller, "A colleague will ring you.")
        assert "Say exactly this" in line["text"]  # the script says what it is asked to
