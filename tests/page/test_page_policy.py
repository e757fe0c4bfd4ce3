"""The pages as the product itself serves them, in Chromium: strict, and none of them minds.

What is shown of a caller, a model or a tool is text, whatever is written in it.
"""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from switchboard.app import create_app
from switchboard.browser.protocol import Line, Notice, Tool
from switchboard.settings import Settings
from tests.browser.peers import serving
from tests.page.conftest import WATCH, visit
from tests.page.desk import Desk
from tests.test_app import ROOT, Parrots

pytestmark = [pytest.mark.browser, pytest.mark.node]

EVIL: Final = '<img src="x" onerror="window.hacked=1"><script>window.hacked=1</script>{{7*7}}'
PAGES: Final = ("/", "/console/", "/console/#/history", "/console/#/overview", "/signed-in.html")
POLICY: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=()",
}


@asynccontextmanager
async def _product(data_dir: Path) -> AsyncGenerator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    settings = Settings(port=port, data_dir=data_dir, session_config=ROOT / "session_config.json")
    async with serving(create_app(settings, dial=Parrots().dial), door):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def product(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_product(tmp_path_factory.mktemp("data"))) as address,
    ):
        yield address


def _opened(browser: Browser, address: str) -> tuple[Page, list[str]]:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page, wrongs = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on(
        "console",
        lambda message: wrongs.append(message.text) if "Content Security" in message.text else None,
    )
    page.goto(address)
    return page, wrongs


@pytest.mark.parametrize("path", PAGES)
def test_no_page_breaks_its_own_policy(browser: Browser, product: str, path: str) -> None:
    page, wrongs = _opened(browser, product + path)
    expect(page.locator("body > *").first).to_be_attached()
    page.wait_for_load_state("load")

    assert wrongs == []
    assert page.evaluate("window.wrongs") == []
    assert page.context.cookies() == []
    assert page.evaluate("document.cookie") == ""


def test_a_call_on_the_product_s_own_page_breaks_no_policy_and_repeats_markup_as_text(
    browser: Browser, product: str
) -> None:
    page, wrongs = _opened(browser, product)
    page.get_by_role("button", name="Talk to").first.click()
    page.locator("html[data-phase='live']").wait_for(state="attached", timeout=20_000)
    page.get_by_label("Your message").fill(EVIL)
    page.get_by_label("Your message").press("Enter")
    expect(page.get_by_text(EVIL).nth(1)).to_be_visible()  # the caller's line, and the agent's

    assert page.evaluate("window.hacked") is None
    assert wrongs == []
    assert page.evaluate("window.wrongs") == []


def test_markup_in_a_transcript_or_a_result_is_text(browser: Browser, desk: Desk) -> None:
    here = visit(browser, desk)
    here.call()
    desk.say(
        Line(id="i1", speaker="agent", text=EVIL, state="final", began_ms=100),
        Line(id="i2", speaker="caller", text=EVIL, state="final", began_ms=200),
        Tool(
            id="c1",
            name="get_bill",
            title=EVIL,
            state="done",
            began_ms=300,
            arguments={EVIL: EVIL},
            result={"say": EVIL, "deep": [{"x": EVIL}]},
            duration_ms=1.0,
        ),
        Tool(
            id="c2",
            name="pay_bill",
            title="Pay",
            state="asking",
            began_ms=400,
            arguments={},
            question=EVIL,
        ),
        Notice(code="x", text=EVIL),
    )
    here.page.get_by_test_id("tool").first.locator("summary").first.click()
    expect(here.page.get_by_text("window.hacked").first).to_be_visible()
    expect(here.page.get_by_text(EVIL).nth(2)).to_be_attached()

    assert here.page.evaluate("window.hacked") is None
    assert here.page.locator("img[src=x], main script").count() == 0
    assert here.wrongs() == []


def test_nothing_lets_a_page_be_framed_sniffed_or_followed(product: str) -> None:
    with httpx.Client(base_url=product, trust_env=False) as http:
        for path in ("/", "/console/", "/api/config", "/nowhere", "/api/nowhere"):
            headers = http.get(path).headers
            assert {name: headers.get(name) for name in POLICY} == POLICY, path
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert "strict-transport-security" not in headers  # plain http on this machine


def test_the_built_page_has_no_source_map_and_nothing_inline(built_page: Path) -> None:
    assert list(built_page.rglob("*.map")) == []
    for path in (*built_page.rglob("*.js"), *built_page.rglob("*.css")):
        assert "sourceMappingURL" not in path.read_text(encoding="utf-8"), path
    for path in built_page.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<style" not in text and " style=" not in text and " onclick=" not in text
        scripts = text.count("<script")
        assert scripts == text.count('<script type="module" crossorigin src="/') + text.count(
            '<script type="module" src="/'
        ), path
