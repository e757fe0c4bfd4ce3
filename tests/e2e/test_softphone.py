"""What a newcomer does after `make run`: opens the softphone, rings the agent, and asks."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.town import ROOT, answering, until
from tests.ports import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(120),
]

BILL = re.compile(r"\b(bill|euros?|pounds?|dollars?)\b", re.IGNORECASE)


@contextmanager
def brought_up(place: Path) -> Generator[str]:
    """Everything, as `make run` brings it up; the softphone's address as it says it."""
    log = place / "up.log"
    environment = {
        "PORT": str(free_port()),
        "LOCAL_CLOUD_PORT": str(free_port()),
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
        answering(f"http://127.0.0.1:{environment['PORT']}/health", log)
        yield f"http://127.0.0.1:{environment['LOCAL_CLOUD_PORT']}/softphone/"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


async def test_the_agent_is_rung_from_the_page_and_answers_a_typed_question(
    tmp_path: Path,
) -> None:
    with brought_up(tmp_path) as softphone:
        log = tmp_path / "up.log"
        await until(lambda: "switchboard-local call" in log.read_text(), timeout_s=60)
        assert softphone in log.read_text()  # where to click is said
        async with async_playwright() as playwright:
            flags = [*FLAGS, "--use-fake-ui-for-media-stream=deny"]
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = await browser.new_page()
            await page.goto(softphone)
            await page.get_by_role("button", name="Call", exact=True).click()

            heard = page.locator(".heard li[data-who=other]")
            await expect(heard.first).to_be_visible(timeout=30_000)  # the greeting, in words
            greetings = await heard.count()

            await page.get_by_label("Your message").fill("How much is my bill?")
            await page.keyboard.press("Enter")
            answer = heard.nth(greetings)
            await expect(answer).to_contain_text(BILL, timeout=30_000)

            await page.keyboard.press("Escape")  # leaves the field
            await page.keyboard.press("Escape")
            await expect(page.locator(".display-more")).to_have_text("You hung up.")
            disconnected = page.locator(".passage-title", has_text="CallDisconnected")
            await expect(disconnected).to_be_visible()
            await browser.close()
