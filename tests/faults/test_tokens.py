"""Whoever gives us tokens and keys fails: Entra, for our own; Key Vault, for the one key."""

import time
from pathlib import Path
from typing import Any

import pytest

from switchboard.conversation.session import Service
from switchboard.model import credentials
from switchboard.model import vault as reading
from switchboard.model.keys import KeySource
from switchboard_local.vault import KEY_SECRET
from tests.browser.webrtc.peers import product
from tests.faults.proxy import Mode, fault_proxy
from tests.faults.scenes import DAY_S, FAILING, asks, paged, strike, until
from tests.local.realtime.doubles import Cloud
from tests.test_app_readiness import product as unready


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_without_a_token_at_the_start_no_call_is_taken_until_there_is_one(
    cloud: Cloud,
    tmp_path: Path,
    mode: Mode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(credentials, "_FETCH_TIMEOUT_S", 1.0)
    async with fault_proxy(cloud.port, mode) as proxy:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{proxy.address}/msi/token")
        service = f"http://127.0.0.1:{cloud.port}"
        async with unready(tmp_path, azure_openai_endpoint=service) as (house, http):
            await until(lambda: proxy.tried)
            health = await http.get("/health")
            assert (health.status_code, health.json()["model"]["token"]) == (503, "missing")
            await until(lambda: "token refresh failed" in caplog.text)
            proxy.turn(Mode.PASS)
            await until(lambda: house.shown[Service.AZURE_OPENAI].status.ok)
            assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_calls_go_on_and_begin_while_the_token_that_is_held_is_good(
    cloud: Cloud,
    tmp_path: Path,
    mode: Mode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(credentials, "_FETCH_TIMEOUT_S", 1.0)
    monkeypatch.setattr(credentials, "_REFRESH_AT", (1e-5, 1e-5))  # each second or so
    now = time.time
    async with fault_proxy(cloud.port) as proxy:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{proxy.address}/msi/token")
        async with product(tmp_path, f"http://127.0.0.1:{cloud.port}") as home:
            async with paged(home) as page:
                await asks(page, "Good day")
                caplog.clear()  # a busy machine may have been late with the first one
                strike(proxy, mode)
                # Past the half of a token's life, Azure's library does ask for another.
                monkeypatch.setattr(time, "time", lambda: now() + 0.7 * DAY_S)
                await until(lambda: "token refresh failed" in caplog.text)
                await asks(page, "And now?", "t2")
            async with paged(home) as page:
                await asks(page, "Good day")
            health = await home.http.get("/health")
            assert (health.status_code, health.json()["model"]["token"]) == (200, "ok")
            assert "the last refresh failed" in health.json()["model"]["detail"]


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_token_that_expires_while_entra_is_away_ends_no_call_but_begins_none(
    tmp_path: Path, cloud: Cloud, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    async with fault_proxy(cloud.port) as proxy:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{proxy.address}/msi/token")
        async with product(tmp_path, f"http://127.0.0.1:{cloud.port}") as home, paged(home) as page:
            await asks(page, "Good day")
            strike(proxy, mode)
            monkeypatch.setattr(time, "time", lambda: now() + 2 * DAY_S)
            await asks(page, "And now?", "t2")
            health = await home.http.get("/health")
            assert (health.status_code, health.json()["model"]["token"]) == (503, "missing")
            async with paged(home) as late:
                _, said = await late.closed()
            assert "voice service" in said[-1]["text"]


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_key_that_cannot_be_read_at_the_start_is_read_later(
    cloud: Cloud,
    tmp_path: Path,
    mode: Mode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reading, "_READ_TIMEOUT_S", 1.0)
    service = f"http://127.0.0.1:{cloud.port}"
    async with fault_proxy(cloud.port, mode) as proxy:
        secret = f"{proxy.address}/secrets/{KEY_SECRET}"
        given = {"azure_voicelive_endpoint": service, "voicelive_key_secret_uri": secret}
        async with unready(tmp_path, **given) as (house, http):
            await until(lambda: proxy.tried)
            await until(lambda: "key not read" in caplog.text)
            health = await http.get("/health")
            told = health.json()["model"]
            assert (health.status_code, told["token"]) == (503, "missing")
            assert "Key Vault" in told["detail"] or "no secret" in told["detail"]
            proxy.turn(Mode.PASS)
            await until(lambda: house.shown[Service.VOICE_LIVE].status.ok)


@pytest.mark.parametrize("mode", [*FAILING, Mode.SLOW])
async def test_a_key_that_was_read_serves_while_the_vault_is_away(
    cloud: Cloud,
    tmp_path: Path,
    mode: Mode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reading, "_READ_TIMEOUT_S", 1.0)
    monkeypatch.setitem(KeySource.__init__.__kwdefaults__ or {}, "read_every_s", 1.0)
    service = f"http://127.0.0.1:{cloud.port}"
    async with fault_proxy(cloud.port) as proxy:
        secret = f"{proxy.address}/secrets/{KEY_SECRET}"
        given: dict[str, Any] = {
            "azure_voicelive_endpoint": service,
            "voicelive_key_secret_uri": secret,
        }
        async with product(tmp_path, None, **given) as home:
            async with paged(home, model="voice-live") as page:
                await asks(page, "Good day")
                strike(proxy, mode)
                await until(lambda: "key not read" in caplog.text)  # it is asked again
                await asks(page, "And now?", "t2")
            async with paged(home, model="voice-live") as page:
                await asks(page, "Good day")
            health = await home.http.get("/health")
            assert (health.status_code, health.json()["model"]["token"]) == (200, "ok")
            assert "the last reading failed" in health.json()["model"]["detail"]
