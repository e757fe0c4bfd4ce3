"""At no level and in no format does a log repeat a secret, a token, or a word that was said."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from switchboard_local.faults.kinds import Refuse
from tests.browser.proxy.peers import closed, jwt
from tests.secrecy.peers import (
    ARGUMENT,
    FAULT,
    HEADER,
    KEY,
    PROMPT,
    RESULT,
    SPOKEN,
    TYPED,
    Product,
    Upstream,
    product,
    upstream,
    with_key,
)
from tests.secrecy.talk import HUM, proxied, spoken, typed


@pytest.fixture
def there() -> Iterator[Upstream]:
    with upstream() as there:
        yield there


async def refused(served: Product, query: str, *protocols: str) -> None:
    """A socket that is not opened, or is closed at once."""
    try:
        async with connect(
            f"ws://127.0.0.1:{served.port}{query}",
            origin=served.origin,  # pyright: ignore[reportArgumentType]  (text will do)
            subprotocols=protocols or None,  # pyright: ignore[reportArgumentType]
            proxy=None,
        ) as client:
            await closed(client)
    except InvalidStatus:
        pass


async def a_day(served: Product, there: Upstream) -> set[str]:
    """Calls that go well and calls that do not; what nobody may read about them."""
    good, expired, another = there.user_token(), jwt(-60), jwt(name="another")
    odd = "no.token.at-all-9c8b7a6f5e4d3c2b1a"
    secrets = {good, expired, another, odd}
    for model in ("gpt-realtime", "live"):
        async with served.talking(model=model) as (page, placed):
            secrets |= {placed["ticket"], page.ready["resume"]}
            await typed(page)
            await spoken(page)
            await page.say("nonsense", audio=HUM, text=TYPED)
            await page.say("end")
            await closed(page.socket)
    await proxied(served)
    await proxied(served, good)
    for token in (expired, odd):
        await refused(served, f"/ws?model=m&token={token}")
        await refused(served, "/ws?model=m", "switchboard.proxy.v1", f"token.{token}")
    async with served.talking() as (page, placed):
        secrets.add(placed["ticket"])
        used = f"ticket.{placed['ticket']}"
        await refused(served, placed["socket"], "switchboard.v1", used)
        await page.say("end")
    for status in (401, 503):
        there.doubles.faults.arm(Refuse(status=status, times=None))
        async with served.talking(model="live") as (page, placed):
            secrets |= {placed["ticket"], page.ready["resume"]}
            await closed(page.socket)
        await refused(served, f"/ws?model=m&token={another}")
        there.doubles.faults.disarm()
    await served.http.post("/api/calls", json={"agent": TYPED, "voice": SPOKEN})
    return secrets | there.values(b"authorization") | there.values(b"x-identity-header")


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_a_day_at_debug_level_repeats_nothing(
    there: Upstream, tmp_path: Path, log_format: str
) -> None:
    settings = {**with_key(there), "LOG_LEVEL": "DEBUG", "LOG_FORMAT": log_format}
    async with product(tmp_path, there, **settings) as served:
        with anyio.fail_after(90):
            secrets = await a_day(served, there)
        logged = await served.stop()

    # It was a full day.
    assert logged.count("call ended") == 5
    assert logged.count("proxied connection ended") == 4
    assert logged.count("tool answered") == 4
    assert "tool raised" in logged
    assert "model unavailable" in logged
    assert KEY in there.values(b"api-key")
    assert len(there.values(b"authorization")) >= 4  # two audiences' and two users'
    if log_format == "json":
        assert all(json.loads(line)["message"] for line in logged.splitlines())

    for secret in secrets | {KEY, HEADER}:
        for part in {secret, *secret.split(".")} - {""}:
            assert len(part) < 12 or part not in logged
    for words in (TYPED, SPOKEN, ARGUMENT, RESULT, FAULT, PROMPT):
        for way in (words, base64.b64encode(words.encode()).decode(), words.split()[-1]):
            assert way not in logged
    assert HUM[:40] not in logged
