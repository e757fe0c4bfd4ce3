"""The town is built once; each visit has its own tap, product, browser and microphone."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.caller import Ear
from tests.e2e.town import Tap, Town, answering, free_port, running

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]

WATCH_SPEAKER = """
window.speaker = [];
new MutationObserver(() => {
  const now = document.documentElement.dataset.speaker;
  const last = window.speaker.at(-1);
  if (now && now !== last?.[0]) {
    window.speaker.push([now, (performance.timeOrigin + performance.now()) / 1000]);
  }
}).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-speaker'] });
"""
"""When the speaker began and stopped, in epoch seconds: the same clock as the tap's."""


@dataclass
class Visit:
    """A person in front of the page."""

    page: Page
    ear: Ear
    tap: Tap
    address: str

    async def call(self, agent: str) -> None:
        """Choose the agent, and click once."""
        await self.page.get_by_label("Who you talk to").select_option(label=agent)
        await self.page.get_by_role("button", name=f"Talk to {agent}").click()

    async def state(self, name: str, value: str, timeout_s: float = 20) -> None:
        """Wait until the document's `data-name` is `value`."""
        place = self.page.locator(f"html[data-{name}='{value}']")
        await place.wait_for(state="attached", timeout=timeout_s * 1000)


type Visiting = Callable[[Path], AbstractAsyncContextManager[Visit]]
"""Opens the page of a fresh product, in a fresh browser whose microphone is a file."""


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The local cloud with its real engine."""
    logs = tmp_path_factory.mktemp("town")
    town = Town(free_port(), "not-a-secret-in-a-test", logs)
    environment = {
        "LOCAL_CLOUD_PORT": str(town.cloud_port),
        "IDENTITY_HEADER": town.header,
    }
    log = logs / "cloud.log"
    with running("switchboard_local", log, environment):
        answering(f"{town.cloud}/health", log)
        yield town


@pytest.fixture
def visiting(town: Town, tmp_path: Path) -> Visiting:
    return partial(_visit, town, tmp_path)


@asynccontextmanager
async def _visit(town: Town, place: Path, microphone: Path) -> AsyncGenerator[Visit]:
    tap = Tap(town.cloud_port)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = place / "product.log"
    async with tap.open() as server, async_playwright() as playwright:
        environment = {
            "PORT": str(port),
            "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            "IDENTITY_ENDPOINT": f"{town.cloud}/msi/token",
            "IDENTITY_HEADER": town.header,
            "DATA_DIR": str(place / "data"),
        }
        with running("switchboard", log, environment):
            answering(f"{address}/health", log)
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"],
            )
            page = await browser.new_page()
            ear = Ear()
            ear.listen(page)
            await page.add_init_script(WATCH_SPEAKER)
            await page.goto(address)
            yield Visit(page, ear, tap, address)
            await browser.close()
