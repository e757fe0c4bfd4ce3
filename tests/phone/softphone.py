"""The softphone page in a real browser, in front of the town that it rings."""

import math
import wave
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from switchboard_local.softphone.routes import BUILT
from tests.e2e.town import until
from tests.local.acs.softphones import Softphones
from tests.page.conftest import CHROMIUM, FLAGS, WATCH
from tests.phone.ringing import Town

WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)
_RATE = 48_000


@dataclass
class Visit:
    """One softphone page, the agent's town behind it, and what went wrong on it."""

    page: Page
    there: Town
    errors: list[str] = field(default_factory=list[str])

    async def line(self, state: str) -> None:
        """Until the line in the hand is in that state."""
        await self.attribute("line", state)

    async def attribute(self, name: str, value: str) -> None:
        place = self.page.locator(f"html[data-{name}='{value}']")
        await place.wait_for(state="attached", timeout=WAIT_MS)

    async def click(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def say(self, text: str) -> None:
        """By the local voice, which hums: the model's ears are told what to make of it."""
        self.there.cloud.doubles.ears.words = [text.lower().rstrip(".?!")]
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")

    async def rings_the_agent(self) -> None:
        """Until its greeting has been heard."""
        await self.click("Call")
        await self.line("talking")
        await self.attribute("ear", "sounding")
        await self.there.quiet()

    def a_line(self, number: int) -> Locator:
        """That one in the list of them, from 1."""
        return self.page.locator(".line").nth(number - 1)

    @property
    def heard(self) -> Locator:
        """What the line in the hand has caught of the other side, piece by piece."""
        return self.page.locator(".heard li[data-who=other]")

    def passages(self, title: str) -> Locator:
        titled = self.page.locator(".passage-title", has_text=title)
        return self.page.locator(".flow li").filter(has=titled)

    async def wrongs(self) -> list[str]:
        blocked: list[str] = await self.page.evaluate("window.wrongs")
        return self.errors + blocked


@asynccontextmanager
async def chromium(mouth: Path | None = None) -> AsyncGenerator[Browser]:
    """`mouth`: a WAV that its microphone hears, from the start whenever it is opened. Without one
    it is denied."""
    if mouth is None:
        allows = ["--use-fake-ui-for-media-stream=deny"]
    else:
        allows = [
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={mouth}",
        ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *allows])
        yield browser
        await browser.close()


@asynccontextmanager
async def visited(place: Softphones, there: Town, browser: Browser) -> AsyncGenerator[Visit]:
    """A page with both its lines plugged in."""
    assert (BUILT / "index.html").is_file(), "run: scripts/page.sh"
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(WATCH)
    here = Visit(await context.new_page(), there)
    here.page.on("pageerror", lambda error: here.errors.append(str(error)))
    here.page.on(
        "console",
        lambda message: here.errors.append(message.text) if message.type == "error" else None,
    )
    await here.page.goto(f"http://127.0.0.1:{place.port}/softphone")
    await expect(here.page.get_by_role("list", name="Lines")).to_contain_text("+44 20 7946 0122")
    yield here
    await context.close()
    await until(lambda: not place.room.tabs)  # its numbers are free for the next


def write_mouth(path: Path, *, hum_s: float, silence_s: float) -> None:
    """Something like speech, which swells, then silence."""
    swell = (math.sin(i * 0.0004) ** 2 + 0.05 for i in range(int(_RATE * hum_s)))
    hum = array("h", (int(8_000 * s * math.sin(i * 0.05)) for i, s in enumerate(swell)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(hum.tobytes() + bytes(2 * int(_RATE * silence_s)))
