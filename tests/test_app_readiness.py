"""What the probes are told: whether calls should come here, and nothing a stranger could use."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from switchboard.app import create_app
from switchboard.conversation.session import Service
from switchboard.doctor.patience import Patience
from switchboard.doctor.watch import DATA_DIRECTORY, RECORDS, Pace, State, Watch
from switchboard.health import Verdict, judge
from switchboard.house import PROBES, House
from switchboard.settings import Settings
from switchboard_local.vault import KEY_SECRET, Vault
from tests.browser.peers import serving
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.identity import SECRET_HEADER
from tests.model.peer import eventually

ROOT = Path(__file__).parents[1]
NOBODY = "http://127.0.0.1:9"
HASTY = Patience(connect_s=0.5, local_s=2.0)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    doubles = Doubles(vault=Vault.with_key("a-key"))
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        yield cloud


def settings(data_dir: Path, **given: Any) -> Settings:  # noqa: ANN401  (any setting)
    usual = {"data_dir": data_dir, "session_config": ROOT / "session_config.json"}
    return Settings.model_validate({**usual, **given})


@asynccontextmanager
async def product(
    data_dir: Path,
    **given: Any,  # noqa: ANN401  (any setting)
) -> AsyncGenerator[tuple[House, httpx.AsyncClient]]:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    app = create_app(settings(data_dir, port=port, **given))
    async with (
        serving(app, door),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        yield app.state.house, http


async def until_looked(house: House) -> None:
    await eventually(lambda: house.watch.state(RECORDS) is not State.WAITING)


async def held(house: House) -> None:
    await eventually(lambda: all(source.status.ok for source in house.shown.values()))


async def test_a_house_with_all_it_needs_is_ready(cloud: Cloud, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    both = {"azure_openai_endpoint": endpoint, "azure_voicelive_endpoint": endpoint}
    async with product(tmp_path, **both) as (house, http):
        await until_looked(house)
        await held(house)
        await eventually(lambda: house.readiness()[0] == 200)
        answer = await http.get("/readyz", headers={"Host": "10.0.0.1"})
        assert (await http.get("/livez")).json() == {"status": "alive"}
        assert (await http.get("/health")).json()["status"] == "ready"
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "status": "ready",
        "checks": {
            "exchange": "ok",
            "data_directory": "ok",
            "records": "ok",
            "azure_openai": "ok",
            "voice_live": "ok",
        },
    }


async def test_where_one_of_two_services_cannot_be_had_it_is_degraded(
    cloud: Cloud, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{cloud.port}"
    vault = cloud.doubles.vault
    assert vault is not None
    vault.forbidden = "ForbiddenByRbac"
    async with product(
        tmp_path,
        azure_openai_endpoint=endpoint,
        azure_voicelive_endpoint=endpoint,
        voicelive_key_secret_uri=f"{endpoint}/secrets/{KEY_SECRET}",
    ) as (house, http):
        await until_looked(house)
        await eventually(lambda: house.shown[Service.AZURE_OPENAI].status.ok)
        await eventually(lambda: house.readiness()[0] == 200)
        ready, health = await http.get("/readyz"), await http.get("/health")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["voice_live"] == "not ok"
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    model = health.json()["model"]
    assert model["token"] == "missing"
    assert model["services"] == {"azure_openai": "ok", "voice_live": "missing"}
    assert "Key Vault Secrets User" in model["detail"]  # on loopback: the owner reads it


async def test_a_service_that_cannot_be_reached_keeps_calls_away(
    cloud: Cloud, tmp_path: Path
) -> None:
    async with product(tmp_path, azure_openai_endpoint=NOBODY) as (house, http):
        await eventually(lambda: house.watch.state("azure_openai") is State.NOT_OK)
        await held(house)  # a token alone answers no call
        answer = await http.get("/readyz")
        assert (await http.get("/livez")).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["checks"]["azure_openai"] == "not ok"


async def test_strangers_learn_no_name_and_no_address(cloud: Cloud, tmp_path: Path) -> None:
    async with product(
        tmp_path,
        azure_openai_endpoint="http://localhost:9",
        allow_anonymous=True,
        public_url="https://talk.example.com",
    ) as (house, http):
        await until_looked(house)
        said = [(await http.get(path)).text for path in PROBES]
    for private in ("localhost", "127.0.0.1", "example", str(tmp_path), "records.sqlite3"):
        assert not [text for text in said[1:] if private in text]


# -- the watch ----------------------------------------------------------------------------------


async def answers() -> None:
    return None


async def test_a_store_that_hangs_or_fails_is_not_ok(tmp_path: Path) -> None:
    async def fails() -> None:
        raise OSError("disk")

    for store in (anyio.sleep_forever, fails):
        watch = Watch(settings(tmp_path), store, patience=Patience(local_s=0.5))
        assert not await watch.look()
        assert (watch.state(RECORDS), watch.state(DATA_DIRECTORY)) == (State.NOT_OK, State.OK)


async def test_a_round_that_takes_too_long_is_cut_short_and_tells_what_it_found(
    tmp_path: Path,
) -> None:
    watch = Watch(settings(tmp_path), anyio.sleep_forever, Pace(round_s=0.5))
    assert not await watch.look()
    assert (watch.state(RECORDS), watch.state(DATA_DIRECTORY)) == (State.WAITING, State.OK)


async def test_nobody_is_ready_before_somebody_has_looked_nor_long_after(tmp_path: Path) -> None:
    now = 0.0
    watch = Watch(settings(tmp_path), answers, Pace(every_s=10, round_s=5), clock=lambda: now)
    assert watch.state(RECORDS) is State.WAITING
    assert await watch.look()
    assert watch.state(RECORDS) is State.OK
    now = 31.0
    assert watch.state(RECORDS) is State.WAITING


async def test_it_looks_again_soon_after_bad_news(tmp_path: Path) -> None:
    looked = 0

    async def comes_back() -> None:
        nonlocal looked
        looked += 1
        if looked < 3:
            raise OSError

    watch = Watch(settings(tmp_path), comes_back, Pace(every_s=60, again_s=0.01), HASTY)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run)
        await eventually(lambda: watch.state(RECORDS) is State.OK)
        tasks.cancel_scope.cancel()
    assert looked == 3


@pytest.mark.parametrize(
    ("exchange", "stores", "services", "verdict"),
    [
        ("ok", ["ok"], ["ok", "ok"], Verdict.READY),
        ("ok", ["ok"], [], Verdict.READY),
        ("ok", ["ok"], ["ok", "not ok"], Verdict.DEGRADED),
        ("ok", ["ok"], ["waiting", "ok"], Verdict.DEGRADED),
        ("ok", ["ok"], ["not ok"], Verdict.UNREADY),
        ("ok", ["waiting"], ["ok"], Verdict.UNREADY),
        ("not ok", ["ok"], ["ok"], Verdict.UNREADY),
    ],
)
def test_a_call_needs_the_exchange_the_stores_and_one_service(
    exchange: str, stores: list[str], services: list[str], verdict: Verdict
) -> None:
    assert judge(State(exchange), map(State, stores), map(State, services)) is verdict
