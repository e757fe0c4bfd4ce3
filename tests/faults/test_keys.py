"""Whoever publishes the keys that sign tokens fails: Entra (people, Event Grid) and ACS."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest
from aiohttp import web

from switchboard.access import keys as fetching
from switchboard.access.keys import STALE_S, Keys, KeysUnavailable, fetch_by
from tests.access.signer import public_jwk
from tests.faults.proxy import FaultProxy, Mode, fault_proxy
from tests.faults.scenes import FAILING, strike
from tests.local.realtime.doubles import local_cloud
from tests.test_app import open_house
from tests.test_app_people import bearer, sign_in


async def metadata(request: web.Request) -> web.Response:
    return web.json_response({"issuer": "us", "jwks_uri": f"http://{request.host}/keys"})


async def keys(_: web.Request) -> web.Response:
    return web.Response(text=json.dumps({"keys": [public_jwk("k1")]}))


@pytest.fixture
async def proxy() -> AsyncGenerator[FaultProxy]:
    app = web.Application()
    app.router.add_get("/metadata", metadata)
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with fault_proxy(runner.addresses[0][1]) as proxy:
        yield proxy
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def at(proxy: FaultProxy, client: httpx.AsyncClient, clock: Callable[[], float]) -> Keys:
    return Keys(f"{proxy.address}/metadata", fetch_by(client), clock=clock)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_S", 1.0)


@pytest.mark.parametrize("mode", FAILING)
async def test_without_keys_nobody_is_let_in_and_all_are_told_when_to_come_again(
    proxy: FaultProxy, client: httpx.AsyncClient, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    published = at(proxy, client, lambda: now)
    strike(proxy, mode)
    with pytest.raises(KeysUnavailable) as away:
        await published.get("k1")
    assert "signing keys not fetched" in caplog.text
    assert away.value.retry_after_s <= 30
    proxy.turn(Mode.PASS)
    now += away.value.retry_after_s
    assert await published.get("k1") is not None


@pytest.mark.parametrize("mode", FAILING)
async def test_a_person_whose_keys_are_out_of_reach_is_asked_to_come_again(
    tmp_path: Path, mode: Mode
) -> None:
    with local_cloud() as cloud:
        assert cloud.issuer is not None
        async with fault_proxy(cloud.port, mode) as proxy:
            door = {**sign_in(cloud), "sign_in_authority": proxy.address}
            async with open_house(tmp_path, **door) as home:
                issuer = replace(cloud.issuer, address=proxy.address)
                shown = bearer(issuer, "caller")
                answer = await home.http.get("/api/config", headers=shown, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (503, "cannot_tell")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_keys_that_are_held_are_believed_for_a_day(
    proxy: FaultProxy, client: httpx.AsyncClient, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    published = at(proxy, client, lambda: now)
    assert await published.get("k1") is not None
    strike(proxy, mode)
    now = STALE_S - 1
    assert await published.get("k1") is not None
    if mode is not Mode.SLOW:  # then they come, late
        assert "signing keys not fetched" in caplog.text


@pytest.mark.parametrize("mode", FAILING)
async def test_and_no_longer(proxy: FaultProxy, client: httpx.AsyncClient, mode: Mode) -> None:
    now = 0.0
    published = at(proxy, client, lambda: now)
    assert await published.get("k1") is not None
    strike(proxy, mode)
    now = 2 * STALE_S
    with pytest.raises(KeysUnavailable):
        await published.get("k1")


async def test_keys_that_come_slowly_come_or_are_given_up(
    proxy: FaultProxy, client: httpx.AsyncClient
) -> None:
    now = 0.0
    published = at(proxy, client, lambda: now)
    proxy.turn(Mode.SLOW)
    with anyio.fail_after(30), suppress(KeysUnavailable):
        await published.get("k1")
    proxy.turn(Mode.PASS)
    now = 60.0
    assert await published.get("k1") is not None
