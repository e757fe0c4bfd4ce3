"""The house behind a proxy: each page counted by itself, and nobody taken for the owner."""

from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.test_app import Served, open_house

TOO_OFTEN = 429
COUNTED = 401
"""Counted, then asked for the token that it does not show."""
ONE_A_MINUTE = {
    "allow_anonymous": True,
    "voice_live_proxy": True,
    "proxy_own_tokens_only": True,
    "proxy_address_per_minute": 1,
    "azure_voicelive_endpoint": "http://127.0.0.1:9",
}


async def knock(home: Served, forwarded: str | None) -> int:
    """The status with which a socket of this address is turned away."""
    said = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(
            f"ws://127.0.0.1:{home.port}/ws?model=m",
            origin=f"http://127.0.0.1:{home.port}",  # pyright: ignore[reportArgumentType]  (text will do)
            additional_headers=said,
            proxy=None,
        ):
            pass
    return refusal.value.response.status_code


async def test_behind_a_trusted_proxy_each_address_has_its_own_rate(tmp_path: Path) -> None:
    async with open_house(tmp_path, trusted_proxies="127.0.0.1", **ONE_A_MINUTE) as home:
        assert await knock(home, "203.0.113.7") == COUNTED
        assert await knock(home, "203.0.113.7") == TOO_OFTEN
        assert await knock(home, "203.0.113.8") == COUNTED
        assert await knock(home, "203.0.113.9, 203.0.113.7") == TOO_OFTEN
        assert await knock(home, "invented") == COUNTED  # the proxy's own
        assert await knock(home, "invented too") == TOO_OFTEN
        assert await knock(home, None) == TOO_OFTEN


async def test_without_one_what_a_header_says_is_nothing_to_the_rates(tmp_path: Path) -> None:
    async with open_house(tmp_path, trusted_proxies="10.0.0.0/8", **ONE_A_MINUTE) as home:
        assert await knock(home, "203.0.113.7") == COUNTED
        assert await knock(home, "203.0.113.8") == TOO_OFTEN
        assert await knock(home, "10.0.0.1") == TOO_OFTEN


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
@pytest.mark.parametrize("forwarded", ["203.0.113.7", "127.0.0.1", "::1", "localhost", ""])
async def test_who_comes_through_a_proxy_is_not_the_owner(
    tmp_path: Path, proxies: str, forwarded: str
) -> None:
    async with open_house(tmp_path, trusted_proxies=proxies) as home:
        said = {"X-Forwarded-For": forwarded}
        answer = await home.http.post("/api/calls", json={"agent": "telecom"}, headers=said)
        assert answer.status_code == 401
        await home.place()  # the owner, on the machine itself
