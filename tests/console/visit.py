"""A page of the console in Debian's Chromium, and what is wrong with how it looks.

`CONSOLE_SHOTS=docs/screenshots` keeps pictures of the main pages.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.console.day import NOW
from tests.console.gallery import Gallery
from tests.page.conftest import WATCH

expect.set_options(timeout=20_000)

SHOTS = os.environ.get("CONSOLE_SHOTS")
PICTURED = frozenset(
    {
        "live",
        "call",
        "past",
        "heard",
        "history",
        "overview",
        "agents",
        "agent",
        "ringing",
        "taken",
        "replayed",
        "unread",
        "live-empty",
        "history-empty",
        "overview-empty",
        "unknown",
        "evals",
        "eval",
    }
)


@dataclass
class Visit:
    page: Page
    gallery: Gallery
    look: str
    errors: list[str] = field(default_factory=list[str])

    def go(self, hash_: str) -> None:
        self.page.goto(self.gallery.address + hash_)

    def wrongs(self) -> list[str]:
        blocked: list[str] = self.page.evaluate("window.wrongs")
        return self.errors + blocked

    def looks_well(self, name: str) -> None:
        """Axe finds nothing, nothing scrolls sideways; keep a picture where that is asked."""
        page = self.page
        page.mouse.move(0, 0)
        page.wait_for_timeout(200)  # what moves, moves for 120 ms
        if SHOTS is not None and name in PICTURED:
            where = Path(SHOTS)
            where.mkdir(parents=True, exist_ok=True)
            page.screenshot(
                path=where / f"console-{name}-{self.look}.png",
                full_page=name not in ("live", "history", "ringing"),
            )
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(url="/axe.js")
        found: list[str] = page.evaluate(
            """async () => (await axe.run()).violations.flatMap((violation) =>
                 violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)}`))"""
        )
        assert found == [], (name, found)
        overflow: int = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} scrolls sideways"


@contextmanager
def visit(
    browser: Browser, gallery: Gallery, *, width: int = 1440, dark: bool = False
) -> Generator[Visit]:
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": 844 if width < 640 else 900},
        color_scheme=scheme,
        timezone_id="UTC",
        locale="en-GB",
    )
    context.add_init_script(WATCH)
    context.clock.set_fixed_time(datetime.fromtimestamp(NOW, UTC))
    here = Visit(context.new_page(), gallery, f"{width}-{scheme}")
    here.page.on("pageerror", lambda error: here.errors.append(str(error)))
    here.page.on(
        "console",
        lambda message: here.errors.append(message.text) if message.type == "error" else None,
    )
    try:
        yield here
    finally:
        context.close()
