"""What the scenes share: faults, a product on a service that may fail, and a page at it."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager

import anyio
import pytest

from switchboard.doctor.patience import Patience
from switchboard.records.history import history
from switchboard_local.vault import Vault
from tests.browser.peers import House as Door
from tests.browser.peers import Page
from tests.browser.webrtc.peers import Product, clerk
from tests.faults.proxy import FaultProxy, Mode
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.identity import SECRET_HEADER

FAILING = [Mode.REFUSE, Mode.HOLE, Mode.NOISE, Mode.GONE]
PATIENCE_S = 60
DAY_S = 86_400


def strike(proxy: FaultProxy, mode: Mode) -> None:
    """The upstream fails from now on. What is open breaks at one that refuses, too."""
    if mode is Mode.REFUSE:
        proxy.refuse()
    else:
        proxy.turn(mode)


async def until(fact: Callable[[], object]) -> None:
    """Wait for a fact without an event."""
    with anyio.fail_after(PATIENCE_S):
        while not fact():  # noqa: ASYNC110
            await anyio.sleep(0.02)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud with a clerk in it, which gives this machine its identity."""
    doubles = Doubles(vault=Vault.with_key("a-key"))
    doubles.mind.script = clerk
    # A token's life as in Azure: the libraries ask for another after half of it.
    given = {"identity_header": SECRET_HEADER, "local_token_seconds": DAY_S}
    with local_cloud(doubles, **given) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield cloud


@asynccontextmanager
async def paged(home: Product, **wish: str) -> AsyncGenerator[Page]:
    """A page on a new call over a WebSocket."""
    placed = await home.http.post("/api/calls", json={"agent": "banking", **wish})
    assert placed.status_code == 201, placed.text
    port = home.house.settings.port
    way_in = Door(port, exchange=None, tickets=home.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
    async with way_in.dial(placed.json()) as opened:
        page = Page(opened)
        page.ready = await page.next("ready")
        yield page


async def asks(page: Page, text: str, item: str = "t1") -> str:
    """A typed turn; the agent's whole line in answer to it."""
    await page.say("text", id=item, text=text)
    asked = False
    while True:
        line = await page.next("line")
        asked = asked or (line["speaker"] == "caller" and line["text"] == text)
        if asked and line["speaker"] == "agent" and line["state"] == "final":
            return line["text"]


async def end_reason(home: Product, call_id: str) -> str | None:
    """Why a call ended, as the records have it."""
    await home.house.recorder.flush()
    known = await history(home.house.store, call_id)
    return None if known is None else known.call.end_reason


async def looked(home: Product) -> dict[str, str]:
    """What `/readyz` says of each part, after a round that waits for nobody long."""
    home.house.watch.patience = Patience(connect_s=1.0, local_s=5.0)
    await home.house.watch.look()
    return (await home.http.get("/readyz")).json()["checks"]
