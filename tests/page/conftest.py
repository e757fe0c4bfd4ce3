"""The page, built from its source, in Debian's Chromium, in front of a scripted server."""

import math
import subprocess
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.page.desk import Desk
from tests.page.rtc import RtcDesk
from tests.page.telephones import TelephoneDesk

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
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
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]
WATCH = """
window.wrongs = [];
addEventListener('securitypolicyviolation',
  (e) => window.wrongs.push(`${e.violatedDirective} ${e.blockedURI}`));
window.been = [];
new MutationObserver((changes) => {
  for (const { attributeName, target } of changes) {
    window.been.push(`${attributeName}=${target.getAttribute(attributeName)}`);
  }
}).observe(document, {
  subtree: true, attributes: true, attributeFilter: ['data-phase', 'data-speaker'],
});
"""

expect.set_options(timeout=20_000)


@dataclass
class Visit:
    """One page, and what went wrong on it."""

    page: Page
    desk: Desk
    errors: list[str] = field(default_factory=list[str])

    def wrongs(self) -> list[str]:
        blocked: list[str] = self.page.evaluate("window.wrongs")
        return self.errors + blocked

    def state(self, name: str, value: str, timeout_ms: float = 20_000) -> None:
        """Wait until the document's `data-name` is `value`."""
        self.page.locator(f"html[data-{name}='{value}']").wait_for(
            state="attached", timeout=timeout_ms
        )

    def passed(self, name: str, value: str) -> None:
        """Wait until `data-name` has been `value`, for however short a while."""
        been = f"data-{name}={value}"
        self.desk.wait(lambda: been in self.page.evaluate("window.been"))

    def call(self) -> None:
        self.page.get_by_role("button", name="Talk to Contoso Bank").click()
        self.state("phase", "live")


def visit(browser: Browser, desk: Desk, *, still: bool = False) -> Visit:
    """`still`: nothing on the page moves."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        reduced_motion="reduce" if still else None,
        accept_downloads=True,
    )
    context.add_init_script(WATCH)
    here = Visit(context.new_page(), desk)
    here.page.on("pageerror", lambda error: here.errors.append(str(error)))
    here.page.on(
        "console",
        lambda message: here.errors.append(message.text) if message.type == "error" else None,
    )
    here.page.goto(desk.address)
    return here


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The page as it is in the source now: built anew where that has changed."""
    subprocess.run(["make", "--silent", "page"], cwd=ROOT, check=True, capture_output=True)
    page = ROOT / "src/switchboard/browser/page"
    assert (page / "index.html").is_file(), "Node 20 is needed to build the page"
    return page


@pytest.fixture(scope="session")
def open_desk(built_page: Path) -> Iterator[Desk]:
    desk = Desk(built_page, FRONTEND / "node_modules/axe-core/axe.min.js")
    with desk.serving():
        yield desk


@pytest.fixture
def desk(open_desk: Desk) -> Desk:
    open_desk.fresh()
    return open_desk


@pytest.fixture(scope="session")
def open_rtc_desk(built_page: Path) -> Iterator[RtcDesk]:
    desk = RtcDesk(built_page, FRONTEND / "node_modules/axe-core/axe.min.js")
    with desk.serving():
        yield desk


@pytest.fixture
def rtc_desk(open_rtc_desk: RtcDesk) -> RtcDesk:
    open_rtc_desk.fresh()
    return open_rtc_desk


@pytest.fixture(scope="session")
def open_tel_desk(built_page: Path) -> Iterator[TelephoneDesk]:
    desk = TelephoneDesk(built_page, FRONTEND / "node_modules/axe-core/axe.min.js")
    with desk.serving():
        yield desk


@pytest.fixture
def tel_desk(open_tel_desk: TelephoneDesk) -> TelephoneDesk:
    open_tel_desk.fresh()
    return open_tel_desk


@pytest.fixture(scope="module")  # while it is open its event loop runs, and others need theirs
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Browser]]:
    """One that allows the microphone, which hums; one that denies it."""
    hum = tmp_path_factory.mktemp("mic") / "hum.wav"
    write_hum(hum)
    with sync_playwright() as playwright:
        launched = {
            name: playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, f"--use-file-for-fake-audio-capture={hum}", answer],
            )
            for name, answer in {
                "allows": "--use-fake-ui-for-media-stream",
                "denies": "--use-fake-ui-for-media-stream=deny",
            }.items()
        }
        yield launched
        for browser in launched.values():
            browser.close()


@pytest.fixture
def browser(browsers: dict[str, Browser]) -> Iterator[Browser]:
    yield browsers["allows"]
    _close_pages(browsers["allows"])


@pytest.fixture
def deaf_browser(browsers: dict[str, Browser]) -> Iterator[Browser]:
    yield browsers["denies"]
    _close_pages(browsers["denies"])


def _close_pages(browser: Browser) -> None:
    for context in browser.contexts:
        context.close()


def write_hum(path: Path) -> None:
    swell = (math.sin(i * 0.0004) ** 2 + 0.05 for i in range(48_000 * 3))
    samples = array("h", (int(8_000 * s * math.sin(i * 0.05)) for i, s in enumerate(swell)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())
