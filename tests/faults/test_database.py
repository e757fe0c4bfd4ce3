"""The database fails, at start and in the middle of calls; the calls go on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from switchboard.app import create_app
from switchboard.browser.routes import TRY_AGAIN
from switchboard.errors import ConfigurationError
from switchboard.records import postgres
from switchboard.records.history import CallHistory, history
from switchboard.records.spool import Spool
from switchboard.records.store import Store, sqlite_url
from switchboard.settings import Settings
from tests.browser.proxy.peers import voice_live
from tests.browser.webrtc.peers import LONG, product
from tests.browser.webrtc.test_calls import line
from tests.faults.proxy import FaultProxy, Mode, fault_proxy
from tests.faults.scenes import FAILING, strike, until
from tests.faults.test_carrier import town
from tests.local.realtime.doubles import Cloud
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.phone.house import SECRET, house
from tests.phone.ringing import clouded
from tests.test_app import ROOT, Served, open_house, say


@pytest.fixture
async def proxy(shared_url: str) -> AsyncGenerator[FaultProxy]:
    """Before the PostgreSQL that `shared_url` names."""
    port = int(shared_url.rpartition(":")[2].partition("/")[0])
    async with fault_proxy(port) as proxy:
        yield proxy


@pytest.fixture
def url(shared_url: str, proxy: FaultProxy) -> str:
    return shared_url.replace(f":{proxy.port}/", f":{proxy.door}/")


async def account(shared_url: str, call_id: str) -> CallHistory:
    """What the database itself knows of a call that has ended, once it does."""
    async with Store(shared_url).opened() as store:
        with anyio.fail_after(60):
            while True:
                known = await history(store, call_id)
                if known is not None and known.call.ended_at is not None:
                    return known
                await anyio.sleep(0.05)


@asynccontextmanager
async def struck_in_mid_call(
    tmp_path: Path, url: str, proxy: FaultProxy, mode: Mode
) -> AsyncGenerator[tuple[Served, str]]:
    """A house whose database fails during a call, which goes on and ends meanwhile."""
    async with open_house(tmp_path, database_url=url) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "Before")
            await home.house.recorder.flush()
            strike(proxy, mode)
            await say(page, "Meanwhile", "t2")
            await page.say("end")
            code, _ = await page.closed()
        assert code == 1000
        await home.quiet()
        yield home, placed["call"]


@pytest.mark.parametrize("mode", FAILING)
async def test_a_call_goes_on_and_is_written_once_the_database_is_back(
    tmp_path: Path,
    url: str,
    shared_url: str,
    proxy: FaultProxy,
    mode: Mode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with struck_in_mid_call(tmp_path, url, proxy, mode) as (home, call_id):
        await until(lambda: "database away or busy" in caplog.text)
        health = (await home.http.get("/health")).json()
        ready = await home.http.get("/readyz")
        assert health["records"]["database"] == "not ok"
        assert (ready.status_code, ready.json()["checks"]["records"]) == (503, "not ok")
        proxy.turn(Mode.PASS)
        known = await account(shared_url, call_id)
    assert (known.call.end_reason, home.house.recorder.dropped) == ("goodbye", 0)
    assert [item.text for item in known.items if item.typed] == ["Before", "Meanwhile"]


@pytest.mark.parametrize("mode", FAILING)
async def test_a_new_call_is_refused_in_words_and_the_probes_say_why(
    tmp_path: Path, url: str, proxy: FaultProxy, mode: Mode
) -> None:
    async with open_house(tmp_path, database_url=url, max_calls=1) as home:
        strike(proxy, mode)
        refused = await home.http.post("/api/calls", json={"agent": "telecom"}, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (503, "records_away")
        assert "Try again" in refused.json()["text"]
        assert int(refused.headers["retry-after"]) > 0
        health = (await home.http.get("/health")).json()
        ready = await home.http.get("/readyz")
        assert health["records"]["database"] == "not ok"
        assert (ready.status_code, ready.json()["checks"]["records"]) == (503, "not ok")
        proxy.turn(Mode.PASS)
        await home.house.replicas.beat()
        await home.place()  # its line, the only one, was given back


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_server_that_stops_meanwhile_leaves_the_rows_to_the_next(
    tmp_path: Path,
    url: str,
    shared_url: str,
    proxy: FaultProxy,
    mode: Mode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with struck_in_mid_call(tmp_path, url, proxy, mode) as (home, call_id):
        await until(lambda: home.house.store.away)
    assert Spool(tmp_path).size > 0
    assert "rows spooled" in caplog.text
    proxy.turn(Mode.PASS)
    async with open_house(tmp_path, database_url=url):
        known = await account(shared_url, call_id)
    assert (known.call.end_reason, Spool(tmp_path).size) == ("goodbye", 0)
    assert [item.text for item in known.items if item.typed] == ["Before", "Meanwhile"]


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_page_that_comes_back_meanwhile_is_told_to_try_again_and_finds_its_call(
    tmp_path: Path, url: str, proxy: FaultProxy, mode: Mode
) -> None:
    async with open_house(tmp_path, database_url=url, reattach_seconds=60) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "Before")
            resume = page.ready["resume"]
            strike(proxy, mode)
            page.socket.transport.abort()
        with anyio.fail_after(60), pytest.raises(ConnectionClosed) as closed:
            async with home.dial(placed, resume):
                pass
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == TRY_AGAIN
        proxy.turn(Mode.PASS)
        await home.house.replicas.beat()
        async with home.dial(placed, resume) as page:  # the same ticket
            assert page.ready["resumed"]
            await say(page, "And again", "t2")
            await page.say("end")
            await page.closed()
        await home.quiet()


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_call_over_webrtc_begins_and_ends_meanwhile_and_is_written_later(
    cloud: Cloud, tmp_path: Path, url: str, shared_url: str, proxy: FaultProxy, mode: Mode
) -> None:
    async with product(tmp_path, f"http://127.0.0.1:{cloud.port}", database_url=url) as home:
        strike(proxy, mode)
        async with home.calling() as page, page.stream() as stream:
            await page.say("text", id="t1", text="Good day")
            await stream.until(line("agent", LONG))
            await page.say("end")
            await stream.until("ended")
        await home.quiet()
        await until(lambda: home.house.store.away)
        proxy.turn(Mode.PASS)
        known = await account(shared_url, page.placed["call"])
    assert known.call.end_reason == "goodbye"
    assert [item.text for item in known.items if item.typed] == ["Good day"]


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
async def test_a_proxied_connection_is_opened_meanwhile(
    tmp_path: Path, url: str, proxy: FaultProxy, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voice_live() as live, identity_endpoint() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        given = {"voice_live_proxy": True, "azure_voicelive_endpoint": live.endpoint}
        async with open_house(tmp_path, database_url=url, **given) as home:
            strike(proxy, mode)
            here = f"127.0.0.1:{home.port}"
            origin = Origin(f"http://{here}")
            async with connect(f"ws://{here}/ws?model=m", origin=origin, proxy=None) as client:
                await client.send("hello")
                with anyio.fail_after(20):
                    assert await client.recv() == "hello"


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.GONE])
@pytest.mark.parametrize("whose", ["the caller", "the server"])
async def test_a_telephone_call_that_ends_meanwhile_is_hung_up_and_written_later(
    tmp_path: Path,
    url: str,
    shared_url: str,
    proxy: FaultProxy,
    mode: Mode,
    whose: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with clouded(monkeypatch) as cloud:
        async with town(cloud, tmp_path, database_url=url) as here:
            call = await here.ring()
            exchange = here.home.house.switchboard
            [call_id] = list(exchange._calls)  # pyright: ignore[reportPrivateUsage]
            strike(proxy, mode)
            await here.answers(call)
            if whose == "the caller":
                call.hang_up()
            else:
                await exchange.end(call_id, "operator")
            with anyio.fail_after(60):
                await call.ended.wait()
            await here.empty()
            proxy.turn(Mode.PASS)
            known = await account(shared_url, call_id)
    # A database that does not answer keeps the carrier's word waiting: the media are missed first.
    gone = "hung_up" if mode is Mode.REFUSE else "caller_lost"
    assert known.call.end_reason == ("operator" if whose == "the server" else gone)


async def test_a_slow_database_slows_no_call(
    tmp_path: Path, url: str, shared_url: str, proxy: FaultProxy
) -> None:
    async with struck_in_mid_call(tmp_path, url, proxy, Mode.SLOW) as (home, call_id):
        proxy.turn(Mode.PASS)
        known = await account(shared_url, call_id)
    assert (known.call.end_reason, home.house.recorder.dropped) == ("goodbye", 0)


@pytest.mark.parametrize("mode", FAILING)
async def test_a_server_does_not_start_on_a_database_that_fails(
    tmp_path: Path, url: str, proxy: FaultProxy, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "CONNECT_S", 1.0)
    strike(proxy, mode)
    settings = Settings(
        data_dir=tmp_path,
        session_config=ROOT / "session_config.json",
        database_url=url,
        azure_openai_endpoint="http://127.0.0.1:9",
    )
    app = create_app(settings)
    with anyio.fail_after(60), pytest.raises(ConfigurationError, match=r"database at 127\.0\.0\.1"):
        async with app.router.lifespan_context(app):
            pass


async def test_a_server_starts_on_a_slow_database(
    tmp_path: Path, url: str, proxy: FaultProxy
) -> None:
    proxy.turn(Mode.SLOW)
    with anyio.fail_after(100):
        async with open_house(tmp_path, database_url=url) as home:
            proxy.turn(Mode.PASS)
            await home.place()


async def test_a_phone_that_rings_meanwhile_is_not_answered_but_may_come_again(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        other = Store(sqlite_url(tmp_path))
        async with other.opened(), other.writing():  # one writes, and does not end
            late = await here.http.post(
                f"/api/phone/incoming?secret={SECRET}", json=[here.incoming()], timeout=60
            )
        assert (late.status_code, late.headers["retry-after"]) == (503, "5")
        assert here.carrier.answered == []
        with anyio.fail_after(60):
            while (await here.rings()).status_code != 200:  # noqa: ASYNC110  (as Event Grid does)
                await anyio.sleep(0.1)
        assert len(here.carrier.answered) == 1
