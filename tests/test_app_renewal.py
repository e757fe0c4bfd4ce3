"""The whole house, where people's tokens run out: sockets and streams ask for fresh ones."""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from switchboard.browser.proxy import closing
from switchboard_local.entra.issuer import Issuer
from tests.browser.proxy.peers import voice_live
from tests.browser.webrtc.peers import LONG, Product, RtcPage, clerk, product
from tests.browser.webrtc.test_calls import line
from tests.console.house import Served as Console
from tests.console.house import open_house as open_console
from tests.console.test_desk import desk, says
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.test_app import Served, open_house, say
from tests.test_app_people import CLIENT, sign_in

ADA = "0b000000-3333-4333-8333-0000000000ad"
SHORT_S = 6
NEARLY_S = -55
"""Ran out so long ago that it counts for five seconds more."""


@pytest.fixture(scope="module")
def cloud() -> Generator[Cloud]:
    with local_cloud(identity_header=SECRET_HEADER) as cloud:
        yield cloud


@pytest.fixture
def issuer(cloud: Cloud) -> Issuer:
    assert cloud.issuer is not None
    return cloud.issuer


def token(issuer: Issuer, *roles: str, oid: str = ADA, ttl_s: int = 600) -> str:
    return issuer.issue(CLIENT, oid=oid, roles=roles, scp="access_as_user", ttl_s=ttl_s).text


def shows(home: Served | Console, text: str) -> None:
    home.http.headers["Authorization"] = f"Bearer {text}"


@pytest.fixture
async def home(tmp_path: Path, cloud: Cloud) -> AsyncGenerator[Served]:
    async with open_house(tmp_path, reattach_seconds=1, **sign_in(cloud)) as served:
        yield served


async def test_a_page_is_asked_for_a_fresh_token_and_talks_on(home: Served, issuer: Issuer) -> None:
    shows(home, token(issuer, "caller", ttl_s=SHORT_S))
    placed = await home.place()
    async with home.dial(placed) as page:
        await page.next("tokenWanted")
        await page.say("renew", token=token(issuer, "caller"))
        until = (await page.next("tokenTaken"))["until"]
        assert until > time.time() + 300
        await say(page, "Still here")
        page.socket.transport.abort()
    # The ticket to come back knows of the fresh token.
    async with home.dial(placed, page.ready["resume"]) as again:
        await say(again, "And again", "t2")
        await again.say("end")
        await again.closed()


async def test_a_page_that_shows_nothing_loses_its_line_and_then_its_call(
    home: Served, issuer: Issuer
) -> None:
    shows(home, token(issuer, "caller", ttl_s=NEARLY_S))
    placed = await home.place()
    async with home.dial(placed) as page:
        await page.next("tokenWanted")
        code, said = await page.closed()
    assert code == 4401
    assert (said[-1]["type"], said[-1]["code"], said[-1]["fatal"]) == (
        "refused",
        "signed_out",
        True,
    )
    with pytest.raises(ConnectionClosed, match="4401"):
        async with home.dial(placed, page.ready["resume"]):
            pass
    await home.quiet()


LEFT_BEHIND = [
    ((), ADA, "no role"),
    (("caller",), "0b000000-3333-4333-8333-0000000000ff", "somebody else"),
]


@pytest.mark.parametrize(
    ("roles", "oid", "words"), LEFT_BEHIND, ids=["the role was taken", "another person"]
)
async def test_who_may_not_call_any_more_is_cut_off_at_once(
    home: Served, issuer: Issuer, roles: tuple[str, ...], oid: str, words: str
) -> None:
    shows(home, token(issuer, "caller"))
    placed = await home.place()
    async with home.dial(placed) as page:
        await page.say("renew", token=token(issuer, *roles, oid=oid))
        code, said = await page.closed()
    assert (code, said[-1]["code"]) == (4401, "signed_out")
    assert words in said[-1]["text"]
    with pytest.raises(ConnectionClosed, match="4401"):
        async with home.dial(placed, page.ready["resume"]):
            pass


async def test_a_bad_token_changes_nothing_and_many_are_not_looked_at(
    home: Served, issuer: Issuer
) -> None:
    shows(home, token(issuer, "caller"))
    async with home.dial(await home.place()) as page:
        await page.say("renew", token=token(issuer, "caller")[:-9] + "forgeries")
        assert (await page.next("refused"))["code"] == "token"
        for _ in range(8):
            await page.say("renew", token="x")
        with anyio.fail_after(20):
            while (await page.next("refused"))["code"] != "too_fast":
                pass
        await say(page, "Still here")


# -- operators ------------------------------------------------------------------------------------


async def operators(console: Console, issuer: Issuer, ttl_s: int = 600) -> None:
    shows(console, token(issuer, "operator", ttl_s=ttl_s))


async def test_an_operator_s_stream_asks_to_come_back_with_a_fresh_token(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    async with open_console(tmp_path, **sign_in(cloud)) as console:
        await operators(console, issuer, ttl_s=2)
        async with console.stream("/api/console/live") as stream:
            assert (await stream.next())["type"] == "live"
            assert (await stream.next())["type"] == "comeBack"
            assert await stream.over()
        await operators(console, issuer)
        async with console.stream("/api/console/live") as stream:
            assert (await stream.next())["type"] == "live"


async def test_who_listens_in_shows_a_fresh_token_or_hears_no_more(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    async with open_console(tmp_path, **sign_in(cloud)) as console:
        await operators(console, issuer, ttl_s=SHORT_S)
        async with console.caller() as (call_id, _, _), await _ear(console, call_id) as ear:
            await _heard(ear, "tokenWanted")
            await ear.send(f'{{"type": "renew", "token": "{token(issuer, "operator")}"}}')
            await _heard(ear, "tokenTaken")
            await ear.send(f'{{"type": "renew", "token": "{token(issuer, "caller")}"}}')
            await _heard(ear, "tokenRefused")
            with anyio.fail_after(20), pytest.raises(ConnectionClosed, match="4401"):
                while True:
                    await ear.recv()


async def _ear(console: Console, call_id: str) -> connect:
    """Of a browser, which shows its ticket only."""
    answer = await console.http.post(f"/api/console/calls/{call_id}/listeners", json={})
    assert answer.status_code == 201, answer.text
    return console.ear(call_id, answer.json()["ticket"])


async def _heard(ear: Any, type_: str) -> None:  # noqa: ANN401  (a socket)
    with anyio.fail_after(20):
        while f'"type":"{type_}"' not in await ear.recv():
            pass


@pytest.mark.parametrize("wanted", ["listeners", "desk"])
async def test_at_a_call_of_another_server_tokens_are_shown_to_the_server_that_was_asked(
    shared_url: str, tmp_path: Path, cloud: Cloud, issuer: Issuer, wanted: str
) -> None:
    known = sign_in(cloud)
    async with (
        open_console(tmp_path / "a", database_url=shared_url, linked=True, **known) as there,
        open_console(tmp_path / "b", database_url=shared_url, linked=True, **known) as here,
    ):
        await operators(there, issuer)
        await operators(here, issuer, ttl_s=SHORT_S)
        async with there.caller() as (call_id, _, _):
            await there.house.recorder.flush()
            asked = await here.http.post(f"/api/console/calls/{call_id}/{wanted}", json={})
            ticket = asked.json()["ticket"]
            way = desk(here, call_id, ticket) if wanted == "desk" else here.ear(call_id, ticket)
            async with way as socket:
                await _heard(socket, "tokenWanted")
                await says(socket, "renew", token=token(issuer, "operator"))
                await _heard(socket, "tokenTaken")
                await says(socket, "renew", token=token(issuer, "caller"))
                await _heard(socket, "tokenRefused")
                with anyio.fail_after(20), pytest.raises(ConnectionClosed, match="4401"):
                    while True:
                        await socket.recv()


# -- over WebRTC ----------------------------------------------------------------------------------


@pytest.fixture
async def rtc(
    tmp_path: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Product]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
    cloud.doubles.mind.script = clerk
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, endpoint, reattach_seconds=1, **sign_in(cloud)) as served:
        yield served


@asynccontextmanager
async def calling(rtc: Product, text: str) -> AsyncGenerator[RtcPage]:
    """A page on a call that this token has bought; its requests show their ticket only."""
    rtc.http.headers["Authorization"] = f"Bearer {text}"
    async with rtc.calling() as page:
        del rtc.http.headers["Authorization"]
        yield page


async def test_a_page_over_webrtc_shows_a_fresh_token_by_post_and_talks_on(
    rtc: Product, issuer: Issuer
) -> None:
    shown = token(issuer, "caller", ttl_s=SHORT_S)
    async with calling(rtc, shown) as page, page.stream() as stream:
        await stream.until("tokenWanted")
        await page.say("renew", token=token(issuer, "caller")[:-9] + "forgeries")
        assert (await stream.until("refused"))["code"] == "token"
        await page.say("renew", token=token(issuer, "caller"))
        assert (await stream.until("tokenTaken"))["until"] > time.time() + 300
        await page.say("text", id="t1", text="Still here")
        await stream.until(line("agent", LONG))
        await page.say("end")
        await stream.until("ended")
    await rtc.quiet()


async def test_a_call_over_webrtc_without_one_ends_after_its_grace(
    rtc: Product, issuer: Issuer
) -> None:
    async with calling(rtc, token(issuer, "caller", ttl_s=NEARLY_S)) as page:
        async with page.stream() as stream:
            await stream.until("tokenWanted")
            last = (await stream.ended())[-1]
        assert (last["type"], last["code"], last["fatal"]) == ("refused", "signed_out", True)
        said = await page.post("messages", type="text", id="t1", text="Are you there?")
        assert (said.status_code, said.json()["code"]) == (401, "not_identified")
        came = await rtc.http.get(page.placed["events"], headers=page.ticket)
        assert came.status_code == 401
        await page.media_gone()  # the service hangs up, too
        await rtc.quiet()


@pytest.mark.parametrize(
    ("roles", "oid", "words"), LEFT_BEHIND, ids=["the role was taken", "another person"]
)
async def test_who_may_not_call_any_more_is_cut_off_over_webrtc_too(
    rtc: Product, issuer: Issuer, roles: tuple[str, ...], oid: str, words: str
) -> None:
    async with calling(rtc, token(issuer, "caller")) as page, page.stream() as stream:
        await stream.until("ready")
        await page.say("renew", token=token(issuer, *roles, oid=oid))
        last = (await stream.ended())[-1]
        assert (last["code"], words in last["text"]) == ("signed_out", True)
        assert (await page.post("messages", type="end")).status_code == 401
        await page.media_gone()


# -- the proxy ------------------------------------------------------------------------------------


async def test_a_proxied_connection_ends_with_the_grace_of_its_user_s_token(
    tmp_path: Path, cloud: Cloud, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voice_live() as service, identity_endpoint() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        settings = {"voice_live_proxy": True, "azure_voicelive_endpoint": service.endpoint}
        async with open_house(tmp_path, **settings, **sign_in(cloud)) as home:
            origin = f"http://127.0.0.1:{home.port}"
            shown = token(issuer, "caller", ttl_s=NEARLY_S)
            socket = connect(
                f"ws://127.0.0.1:{home.port}/ws?model=gpt-4.1",
                origin=origin,  # pyright: ignore[reportArgumentType]  (a text)
                additional_headers={"Authorization": f"Bearer {shown}"},
                proxy=None,
            )
            async with socket as client:
                await client.send("hello")
                with anyio.fail_after(20), pytest.raises(ConnectionClosed) as closed:
                    assert await client.recv() == "hello"
                    await client.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == closing.TOKEN_OVER
