"""What a newcomer does after `make run`: rings the agent by the page, and is rung by it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx import AsyncClient
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.town import ROOT, answering, until
from tests.ports import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(300),
]

BILL = re.compile(r"\b(bill|euros?|pounds?|dollars?)\b", re.IGNORECASE)
BYE = re.compile(r"\b(good ?bye|bye|thank)", re.IGNORECASE)


@dataclass(frozen=True)
class Up:
    """Everything, as `make run` brings it up."""

    product: str
    softphone: str
    """Both are addresses."""
    log: Path


@contextmanager
def brought_up(place: Path) -> Generator[Up]:
    log = place / "up.log"
    environment = {
        "PORT": str(free_port()),
        "LOCAL_CLOUD_PORT": str(free_port()),
        "LOCAL_VOICE_STEADY": "true",
        "DATA_DIR": str(place / "data"),
        "PUBLIC_URL": "",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "switchboard_local", "up"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        product = f"http://127.0.0.1:{environment['PORT']}"
        answering(f"{product}/health", log)
        cloud = f"http://127.0.0.1:{environment['LOCAL_CLOUD_PORT']}"
        yield Up(product, f"{cloud}/softphone/", log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Generator[Up]:
    with brought_up(tmp_path_factory.mktemp("up")) as up:
        yield up


@asynccontextmanager
async def page_of(up: Up) -> AsyncGenerator[Page]:
    """The softphone, with no microphone, once it may ring."""
    await until(lambda: "switchboard-local call" in up.log.read_text(), timeout_s=60)
    async with async_playwright() as playwright:
        flags = [*FLAGS, "--use-fake-ui-for-media-stream=deny"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        await page.goto(up.softphone)
        await expect(page.locator(".line")).to_have_count(2)
        yield page
        await browser.close()


async def answers(page: Page, text: str, words: re.Pattern[str]) -> None:
    """What is typed is spoken, and answered in these words."""
    heard = page.locator(".heard li[data-who=other]")
    before = await heard.count()
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")
    await expect(heard.nth(before)).to_contain_text(words, timeout=30_000)


async def test_the_agent_is_rung_from_the_page_and_answers_a_typed_question(up: Up) -> None:
    async with page_of(up) as page:
        assert up.softphone in up.log.read_text()  # where to click is said
        await page.get_by_role("button", name="Call", exact=True).click()
        heard = page.locator(".heard li[data-who=other]")
        await expect(heard.first).to_be_visible(timeout=30_000)  # the greeting, in words
        await answers(page, "How much is my bill?", BILL)

        await page.keyboard.press("Escape")  # leaves the field
        await page.keyboard.press("Escape")
        await expect(page.locator(".display-more")).to_have_text("You hung up.")
        disconnected = page.locator(".passage-title", has_text="CallDisconnected")
        await expect(disconnected).to_be_visible()


async def test_the_agent_rings_the_page_and_hangs_up_after_its_goodbye(up: Up) -> None:
    async with page_of(up) as page, AsyncClient(base_url=up.product, trust_env=False) as product:
        wish = {"to": "+442079460111", "agent": "telecom", "operation": "operation-1"}
        placed = await product.post("/api/phone/calls", json=wish, headers={"Origin": up.product})
        assert placed.status_code == 201, placed.text
        await page.get_by_role("button", name="Answer", exact=True).click()
        heard = page.locator(".heard li[data-who=other]")
        await expect(heard.first).to_be_visible(timeout=30_000)
        await answers(page, "How much is my bill?", BILL)

        await answers(page, "That is all, goodbye.", BYE)
        display = page.locator(".display-more")
        await expect(display).to_have_text("The other side hung up.")
