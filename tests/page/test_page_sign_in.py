"""People sign in on the page, by MSAL, at the local tenant; nothing behind it is replaced."""

import base64
import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, expect

from switchboard.app import create_app
from switchboard.settings import Settings
from switchboard_local.entra.issuer import TENANT
from switchboard_local.entra.people import APPLICATION
from tests.local.realtime.doubles import Cloud, local_cloud, served_where
from tests.model.identity import SECRET_HEADER
from tests.page.conftest import FRONTEND, WATCH

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Its tokens last less than MSAL's margin, so each is renewed before it is shown."""
    with local_cloud(identity_header=SECRET_HEADER, local_token_seconds=240) as cloud:
        yield cloud


@pytest.fixture
def brief() -> Iterator[Cloud]:
    """Its tokens last some seconds."""
    with local_cloud(identity_header=SECRET_HEADER, local_token_seconds=6) as cloud:
        yield cloud


@contextmanager
def office(cloud: Cloud, data_dir: Path, **settings: Any) -> Generator[str]:  # noqa: ANN401  (any setting)
    """The address of a server where people sign in."""
    here = f"http://127.0.0.1:{cloud.port}"
    given: dict[str, Any] = {
        "data_dir": data_dir,
        "session_config": ROOT / "session_config.json",
        "azure_openai_endpoint": here,
        "webrtc": False,
        "sign_in_client_id": APPLICATION,
        "sign_in_tenant_id": TENANT,
        "sign_in_authority": here,
        **settings,
    }
    with served_where(
        lambda port: create_app(Settings.model_validate({**given, "port": port}))
    ) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def identity(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")


@pytest.fixture
def server(cloud: Cloud, built_page: Path, tmp_path: Path) -> Iterator[str]:
    with office(cloud, tmp_path) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Page:
    return opened(browser)


def opened(browser: Browser, *, width: int = 1440, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    return context.new_page()


def sign_in(page: Page, person: str) -> None:
    with page.expect_popup() as window:
        page.get_by_role("button", name="Sign in").click()
    window.value.get_by_role("button", name=person).click()
    _until_closed(window.value)


def blocked(page: Page) -> list[str]:
    """What the page's own policy forbade."""
    return page.evaluate("window.wrongs")


def test_somebody_signs_in_talks_and_signs_out(page: Page, server: str) -> None:
    shown: list[str] = []
    page.on("request", lambda request: shown.extend(_bearers(request.all_headers(), request.url)))
    page.goto(server)
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()
    sign_in(page, "Carla Caller")
    expect(page.get_by_text("Carla Caller")).to_be_visible()
    assert page.url == f"{server}/"

    page.get_by_role("button", name="Talk to").click()
    page.locator("html[data-phase='live']").wait_for(state="attached")
    assert {url.removeprefix(server) for url in shown} >= {"/api/config", "/api/calls"}
    kept: str = page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")
    assert "eyJ" not in kept
    expect(page.get_by_role("button", name="Sign out")).to_be_disabled()
    page.get_by_role("button", name="End", exact=True).click()

    with page.expect_popup() as window:
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()
    asked = page.request.get(f"{server}/api/config")
    assert asked.status == 401, "no cookie stands for anybody"
    _until_closed(window.value)
    assert blocked(page) == []


def _until_closed(window: Page) -> None:
    if not window.is_closed():
        window.wait_for_event("close")


def _bearers(headers: dict[str, str], url: str) -> list[str]:
    return [url] if headers.get("authorization", "").startswith("Bearer ey") else []


def test_a_token_that_is_about_to_end_is_renewed_without_leaving(page: Page, server: str) -> None:
    page.goto(server)
    sign_in(page, "Otto Operator")
    expect(page.get_by_role("button", name="Talk to")).to_be_visible()
    with page.expect_request(lambda request: "/oauth2/v2.0/token" in request.url) as renewed:
        page.get_by_role("button", name="Talk to").click()
    assert "grant_type=refresh_token" in (renewed.value.post_data or "")
    page.locator("html[data-phase='live']").wait_for(state="attached")
    expect(page.locator(".you-name")).to_have_attribute("title", "Otto Operator, operator")


def test_a_call_outlives_the_token_that_it_began_with(
    page: Page, cloud: Cloud, brief: Cloud, built_page: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    page.on("websocket", lambda socket: _listen(socket, said))
    tenant = f"http://127.0.0.1:{brief.port}"
    with office(cloud, tmp_path, sign_in_authority=tenant) as address:
        page.goto(address)
        sign_in(page, "Carla Caller")
        page.get_by_role("button", name="Talk to").click()
        page.locator("html[data-phase='live']").wait_for(state="attached")
        # Twice, so that the second token is one that came in-band, too.
        deadline = time.monotonic() + PATIENCE_MS / 1_000
        while said.count("tokenTaken") < 2 and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        assert (said.count("renew"), said.count("tokenTaken")) >= (2, 2)
        expect(page.locator("html[data-phase='live']")).to_be_attached()
        page.get_by_role("button", name="End", exact=True).click()
    assert blocked(page) == []


def _listen(socket: WebSocket, said: list[str]) -> None:
    def hear(frame: str | bytes) -> None:
        kind = re.match(r'{"type":"(\w+)"', str(frame))
        if kind:
            said.append(kind[1])

    socket.on("framesent", hear)
    socket.on("framereceived", hear)


def test_a_page_that_is_loaded_anew_knows_nobody(page: Page, server: str) -> None:
    page.goto(server)
    sign_in(page, "Carla Caller")
    expect(page.get_by_text("Carla Caller")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()


def test_an_answer_that_nobody_asked_for_signs_nobody_in(page: Page, server: str) -> None:
    page.goto(server)
    stray = page.context.new_page()
    state = base64.b64encode(b'{"id":"made-up","meta":{"interactionType":"popup"}}').decode()
    stray.goto(f"{server}/signed-in.html#code=stolen&state={quote(state)}")
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()


def test_who_is_known_and_may_not_call_is_told_so(page: Page, server: str) -> None:
    page.goto(server)
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()
    no_role = {"code": "not_allowed", "text": "Your account has no role here."}
    page.route("**/api/config", lambda route: route.fulfill(status=403, json=no_role))
    sign_in(page, "Carla Caller")
    expect(page.get_by_text("Your account has no role here.")).to_be_visible()
    page.unroute("**/api/config")
    with page.expect_popup():
        page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_role("heading", name="Sign in to talk")).to_be_visible()


def test_an_operator_signs_in_to_the_console_and_follows_it(page: Page, server: str) -> None:
    bare: list[str] = []
    page.on("request", lambda request: bare.extend(_without_bearer(request)))
    page.goto(f"{server}/console/#/history")
    expect(page.get_by_role("heading", name="Sign in to the console")).to_be_visible()
    bare.clear()
    sign_in(page, "Otto Operator")
    expect(page.get_by_text("No calls yet")).to_be_visible()
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_text("Nobody is calling")).to_be_visible()
    page.get_by_role("link", name="Agents").click()
    page.get_by_role("link", name="Contoso Bank").click()
    expect(page.locator(".agent-prompt")).to_be_visible()
    assert bare == [], "every question of the console's shows who asks it"
    with page.expect_popup():
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to the console")).to_be_visible()
    assert blocked(page) == []


def test_a_caller_is_told_calmly_that_the_console_is_for_operators(page: Page, server: str) -> None:
    page.goto(f"{server}/console/")
    sign_in(page, "Carla Caller")
    expect(page.get_by_text("You may not use the console")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    _look(page, "console-no-role")
    with page.expect_popup():
        page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_role("heading", name="Sign in to the console")).to_be_visible()


def _without_bearer(request: Request) -> list[str]:
    asks = "/api/console/" in request.url
    return [request.url] if asks and not _bearers(request.all_headers(), request.url) else []


def test_a_stranger_may_talk_and_may_sign_in(
    page: Page, cloud: Cloud, built_page: Path, tmp_path: Path
) -> None:
    with office(cloud, tmp_path, allow_anonymous=True) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Talk to")).to_be_visible()
        sign_in(page, "Carla Caller")
        expect(page.get_by_text("Carla Caller")).to_be_visible()
        expect(page.get_by_role("button", name="Sign in")).to_have_count(0)


def test_where_nobody_signs_in_nothing_of_it_is_loaded(
    page: Page, cloud: Cloud, built_page: Path, tmp_path: Path
) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    none = {"sign_in_client_id": None, "sign_in_tenant_id": ()}
    with office(cloud, tmp_path, **none) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Talk to")).to_be_visible()
        assert not [url for url in fetched if "entra" in url or "sign-in" in url]
        assert blocked(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_its_screens_are_for_everybody(
    browser: Browser, server: str, width: int, dark: bool
) -> None:
    page = opened(browser, width=width, dark=dark)
    page.goto(server)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    _look(page, f"sign-in-{width}-{'dark' if dark else 'light'}")
    sign_in(page, "Carla Caller")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    _look(page, f"signed-in-{width}-{'dark' if dark else 'light'}")
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def _look(page: Page, name: str) -> None:
    if shots := os.environ.get("PAGE_SHOTS"):
        page.screenshot(path=Path(shots) / f"{name}.png")
    page.evaluate((FRONTEND / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        "async () => (await axe.run()).violations.map((each) => each.id)"
    )
    assert found == []
