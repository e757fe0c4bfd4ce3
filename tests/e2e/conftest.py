"""The town is built once; each visit has its own tap, product, browser and microphone."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect

from switchboard_local.engine.load import Engine, EngineChoice, load_engine
from tests.e2e.caller import Ear
from tests.e2e.caller import microphone as record
from tests.e2e.recorder import RECORD_VOICES, Recorder
from tests.e2e.town import Tap, Town, answering, running
from tests.ports import free_port

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
    "--allow-loopback-in-peer-connection",
]
expect.set_options(timeout=20_000)
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
"""A network that lets no packet of WebRTC through."""

CHOOSE = """
localStorage.getItem('switchboard.settings') ??
  localStorage.setItem('switchboard.settings', JSON.stringify({ connection: '%s' }));
"""

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

MICROPHONES = ("Fake Audio Input 1", "Fake Audio Input 2")
"""Chromium's, beside its default one."""
LEAD_S = 1.0
"""Silence before the words: a microphone that was just opened is no judge of loudness yet."""


@dataclass
class Visit:
    """A person in front of the page."""

    page: Page
    ear: Ear
    tap: Tap
    """Between the product and the service, where the call is over a WebSocket."""
    recorder: Recorder
    address: str
    log: Path
    """What the product logs."""
    microphone: Path
    """What the browser's microphones hear, from its beginning each time one of them is opened."""
    cloud: str

    async def call(self, agent: str) -> None:
        """Choose the agent, and click once."""
        await self.page.get_by_label("Who you talk to").select_option(label=agent)
        await self.page.get_by_role("button", name=f"Talk to {agent}").click()

    async def state(self, name: str, value: str, timeout_s: float = 20) -> None:
        """Wait until the document's `data-name` is `value`."""
        place = self.page.locator(f"html[data-{name}='{value}']")
        await place.wait_for(state="attached", timeout=timeout_s * 1000)

    async def choose(self, **settings: str) -> None:
        """Open the settings, choose each of these by its label and title, and close them."""
        await self.page.get_by_role("button", name="Settings").click()
        panel = self.page.get_by_role("region", name="Settings")
        for label, title in settings.items():
            await panel.get_by_label(label, exact=True).select_option(label=title)
        await panel.get_by_role("button", name="Close").click()

    async def type(self, text: str) -> None:
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")

    async def say(self, pcm: bytes, device: str) -> None:
        """Take up another of the browser's microphones, and say `pcm` into it."""
        fresh = record(self.microphone.with_suffix(".fresh"), (LEAD_S, pcm), length_s=300)
        fresh.replace(self.microphone)
        await self.choose(Microphone=device)

    def lines(self, speaker: str, text: str) -> Locator:
        """The lines of the transcript in which `speaker` said something like `text`."""
        line = f"[data-testid=line][data-speaker={speaker}]"
        return self.page.locator(line).filter(has_text=text)

    def live_calls(self) -> int:
        count: int = httpx.get(f"{self.address}/health", timeout=5).json()["calls"]["live"]
        return count

    async def fault(self, **fault: object) -> None:
        """Have the local cloud break something on purpose."""
        async with httpx.AsyncClient() as client:
            armed = await client.post(f"{self.cloud}/local/faults", json=fault)
            assert armed.status_code == 201, armed.text


class Visiting(Protocol):
    """Opens the page of a fresh product, in a fresh browser whose microphone is a file."""

    def __call__(
        self, microphone: Path, *flags: str, connection: str = ...
    ) -> AbstractAsyncContextManager[Visit]: ...


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The local cloud with its real engine."""
    logs = tmp_path_factory.mktemp("town")
    town = Town(free_port(), "not-a-secret-in-a-test", logs)
    environment = {
        "LOCAL_CLOUD_PORT": str(town.cloud_port),
        "LOCAL_VOICE_STEADY": "true",
        "IDENTITY_HEADER": town.header,
    }
    log = logs / "cloud.log"
    with running("switchboard_local", log, environment):
        answering(f"{town.cloud}/health", log)
        yield town


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncGenerator[Engine]:
    """Ears to check what the page was sent, and the caller's voice."""
    engine = await load_engine(EngineChoice(voice_programs=1, voice_steady=True))
    yield engine
    await engine.aclose()


@pytest.fixture
def visiting(town: Town, tmp_path: Path) -> Visiting:
    return partial(_visit, town, tmp_path)


@asynccontextmanager
async def _visit(
    town: Town, place: Path, microphone: Path, *flags: str, connection: str = "websocket"
) -> AsyncGenerator[Visit]:
    tap = Tap(town.cloud_port)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = place / "product.log"
    async with tap.open() as server, async_playwright() as playwright:
        tapped = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        environment = {
            "PORT": str(port),
            # The tap carries sockets only; WebRTC begins with requests.
            "AZURE_OPENAI_ENDPOINT": tapped if connection == "websocket" else town.cloud,
            "AZURE_VOICELIVE_ENDPOINT": tapped,
            "AFTER_CALLS": "false",  # only calls come by the tap
            "IDENTITY_ENDPOINT": f"{town.cloud}/msi/token",
            "IDENTITY_HEADER": town.header,
            "DATA_DIR": str(place / "data"),
        }
        with running("switchboard", log, environment):
            answering(f"{address}/health", log)
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, *flags, f"--use-file-for-fake-audio-capture={microphone}"],
            )
            page = await browser.new_page()
            ear = Ear()
            ear.listen(page)
            recorder = Recorder()
            recorder.listen(page)
            for script in (WATCH_SPEAKER, RECORD_VOICES, CHOOSE % connection):
                await page.add_init_script(script)
            await page.goto(address)
            yield Visit(page, ear, tap, recorder, address, log, microphone, town.cloud)
            await browser.close()
