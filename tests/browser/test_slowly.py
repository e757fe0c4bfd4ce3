"""Refusals at one address slow down; whoever is served there, or elsewhere, does not."""

import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from switchboard.access.rates import Rate
from switchboard.browser.slowly import RefusedSlowly
from tests.test_app import open_house
from tests.test_app_limits import PROXY, behind, socket

WAIT_S = 0.2
BAD = {"socket": "/api/calls/none/audio", "ticket": "a-guess"}


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what its path says."""
    await send({"type": "http.response.start", "status": int(scope["path"][1:])})


async def receive() -> Message:
    return {"type": "http.request"}


async def asked(house: RefusedSlowly, status: int, address: str | None) -> float:
    """How long the answer took, in seconds."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    client = None if address is None else (address, 4_000)
    scope: dict[str, Any] = {"type": "http", "path": f"/{status}", "client": client}
    began = time.monotonic()
    await house(scope, receive, send)
    assert [message["status"] for message in said] == [status]
    return time.monotonic() - began


async def test_after_a_few_refusals_each_further_one_waits() -> None:
    house = RefusedSlowly(answering, rate=Rate(0.001, 3), wait_s=WAIT_S)
    assert [await asked(house, status, "203.0.113.1") > WAIT_S for status in (401, 503, 429)] == [
        False
    ] * 3
    assert await asked(house, 403, "203.0.113.1") >= WAIT_S


@pytest.mark.parametrize(
    ("status", "address"),
    [(200, "203.0.113.1"), (500, "203.0.113.1"), (401, "203.0.113.2"), (401, "127.0.0.1"),
     (401, None)],
)  # fmt: skip
async def test_nobody_else_waits(status: int, address: str | None) -> None:
    house = RefusedSlowly(answering, rate=Rate(0.001, 1), wait_s=60.0)
    with anyio.fail_after(30):
        await asked(house, 401, "203.0.113.1")
        await asked(house, status, address)


async def test_so_many_wait_and_further_ones_go_out() -> None:
    house = RefusedSlowly(answering, rate=Rate(0.001, 1), wait_s=60.0, waiting=2)
    await asked(house, 401, "203.0.113.1")
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(asked, house, 401, "203.0.113.1")
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(30):
            await asked(house, 401, "203.0.113.1")
        tasks.cancel_scope.cancel()
    with anyio.move_on_after(0.05) as waited:  # those who gave up have left their room
        await asked(house, 401, "203.0.113.1")
    assert waited.cancelled_caught


async def test_the_house_refuses_guesses_slowly_by_request_and_by_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All that is faked: how long one waits.
    monkeypatch.setattr(RefusedSlowly.__init__, "__kwdefaults__", {
        **(RefusedSlowly.__init__.__kwdefaults__ or {}), "wait_s": WAIT_S,
    })  # fmt: skip
    settings: dict[str, Any] = {"refusals_address_per_minute": 3, "allow_anonymous": True, **PROXY}
    async with open_house(tmp_path, **settings) as home:
        ours = behind("203.0.113.1")
        for _ in range(2):
            assert (await home.http.get("/api/nothing", headers=ours)).status_code == 404
        began = time.monotonic()
        assert (await home.http.get("/api/nothing", headers=ours)).status_code == 404
        assert time.monotonic() - began >= WAIT_S
        began = time.monotonic()
        with pytest.raises(InvalidStatus):
            await socket(home, BAD, ours).__aenter__()
        assert time.monotonic() - began >= WAIT_S
        placed = {"socket": f"/api/calls/{'c' * 32}/audio", "ticket": "A" * 43}
        began = time.monotonic()
        async with socket(home, placed, ours) as spent:  # accepted, and told why
            assert "ticket_spent" in str(await spent.recv())
        assert time.monotonic() - began >= WAIT_S
        assert (await home.http.get("/api/config", headers=ours)).status_code == 200
