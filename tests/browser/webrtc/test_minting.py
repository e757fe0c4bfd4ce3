"""A front end of one's own: it offers to the service by itself, the product steers beside it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.webrtc.peers import Product, RtcPage, connect, connection, offered, product
from tests.browser.webrtc.test_calls import greeted, line, tool
from tests.local.realtime.doubles import Cloud
from tests.local.webrtc.caller import Caller


@pytest.fixture
async def minting(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Product]:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, endpoint, session_minting=True) as served:
        yield served


async def mint(home: Product) -> dict[str, Any]:
    answer = await home.http.post("/api/session", json={"agent": "banking"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def attach(
    home: Product, minted: dict[str, Any], call_id: str, ticket: str | None = None
) -> httpx.Response:
    headers = {"Switchboard-Ticket": ticket or minted["ticket"]}
    return await home.http.post(minted["attach"], json={"callId": call_id}, headers=headers)


async def test_a_front_end_begins_the_call_and_our_tools_run_in_it(minting: Product) -> None:
    minted = await mint(minting)
    async with connection() as (peer, mouth), httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            minted["url"],
            content=await offered(peer),
            headers={
                "Authorization": f"Bearer {minted['secret']}",
                "Content-Type": "application/sdp",
            },
        )
        call_id = answer.headers["location"].rpartition("/")[2]
        caller = Caller(peer, call_id, mouth)
        listening = await connect(peer, caller, answer.text)
        attached = await attach(minting, minted, call_id)
        assert attached.status_code == 201, attached.text
        again = await attach(minting, minted, call_id)
        assert (again.status_code, again.json()["code"]) == (404, "no_such_session")
        elsewhere = await attach(minting, await mint(minting), call_id)
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "not_allowed")

        page = RtcPage(minting.http, attached.json(), caller, [])
        async with page.stream() as stream:
            await greeted(stream)
            await page.say("text", id="t1", text="what is my balance")
            await stream.until(tool("done"))
            await stream.until(line("agent", "It is done."))
            await page.say("end")
            await stream.ended()
            await page.media_gone()
        await listening
        late = await attach(minting, await mint(minting), call_id)
        assert (late.status_code, late.json()["code"]) == (403, "not_allowed")


async def test_attaching_needs_the_ticket_and_an_id_that_can_be_one(minting: Product) -> None:
    minted = await mint(minting)
    assert (await attach(minting, minted, "rtc_1", ticket="x" * 43)).status_code == 401
    assert (await attach(minting, minted, "../rtc")).status_code == 400
    assert (await attach(minting, minted, "")).status_code == 400
    unknown = {**minted, "attach": "/api/session/nowhere/attach"}
    assert (await attach(minting, unknown, "rtc_1")).status_code == 404


async def test_a_session_that_nobody_attaches_gives_its_line_back(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    settings: dict[str, Any] = {"session_minting": True, "ticket_seconds": 1, "max_calls": 1}
    settings |= {"session_minting_per_minute": 600}
    async with product(tmp_path, endpoint, **settings) as home:
        first = await mint(home)
        busy = await home.http.post("/api/session", json={"agent": "banking"})
        assert (busy.status_code, busy.json()["code"]) == (503, "lines_busy")
        async with asyncio.timeout(20):
            while (await home.http.post("/api/session", json={"agent": "banking"})).is_error:  # noqa: ASYNC110
                await asyncio.sleep(0.3)  # time is what it takes
        assert (await attach(home, first, "rtc_1")).status_code in (403, 404)


async def test_secrets_are_not_minted_without_end(cloud: Cloud, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    settings: dict[str, Any] = {"session_minting": True, "session_minting_per_minute": 2}
    async with product(tmp_path, endpoint, **settings) as home:
        await mint(home)
        too_often = await home.http.post("/api/session", json={"agent": "banking"})
        assert too_often.status_code == 429


async def test_minting_is_off_unless_asked_for(home: Product) -> None:
    assert (await home.http.post("/api/session", json={"agent": "banking"})).status_code == 404
    where = "/api/session/x/attach"
    assert (await home.http.post(where, json={"callId": "rtc_1"})).status_code == 404
