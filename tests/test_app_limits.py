"""The whole house within its limits: lines, shares of them, and what a day may cost."""

from collections.abc import Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from switchboard.access.rates import Rate
from switchboard.browser.crowd import SocketsPerAddress
from switchboard.browser.protocol import SUBPROTOCOL, TICKET_PREFIX
from switchboard.errors import ConfigurationError
from switchboard.settings import Settings
from switchboard_local.entra.issuer import Issuer
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.test_app import Served, open_house, say
from tests.test_app_people import bearer, sign_in

ADA = "0b000000-3333-4333-8333-0000000000ad"
BEN = "0b000000-3333-4333-8333-0000000000be"
PROXY = {"trusted_proxies": "127.0.0.1"}


@pytest.fixture(scope="module")
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
def issuer(cloud: Cloud) -> Issuer:
    assert cloud.issuer is not None
    return cloud.issuer


async def asked(home: Served, headers: dict[str, str], agent: str = "telecom") -> httpx.Response:
    return await home.http.post("/api/calls", json={"agent": agent}, headers=headers)


async def statuses(home: Served, headers: dict[str, str], times: int) -> list[int]:
    return [(await asked(home, headers)).status_code for _ in range(times)]


def behind(address: str, **headers: str) -> dict[str, str]:
    """Somebody whom the proxy speaks for."""
    return {"X-Forwarded-For": address, **headers}


async def test_one_person_holds_so_many_lines_wherever_they_are(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    settings = {"calls_user_at_once": 2, **PROXY, **sign_in(cloud)}
    async with open_house(tmp_path, **settings) as home:
        ada, ben = bearer(issuer, "caller", oid=ADA), bearer(issuer, "caller", oid=BEN)
        assert await statuses(home, behind("203.0.113.1", **ada), 1) == [201]
        assert await statuses(home, behind("203.0.113.2", **ada), 2) == [201, 503]
        refused = await asked(home, behind("203.0.113.3", **ada))
        assert "End one first" in refused.json()["text"]
        assert await statuses(home, behind("203.0.113.1", **ben), 2) == [201, 201]


async def test_strangers_of_one_address_hold_so_many_lines_and_others_do_not_suffer(
    tmp_path: Path, cloud: Cloud
) -> None:
    settings: dict[str, Any] = {
        "calls_address_at_once": 2,
        "call_stranger_per_minute": 60,
        "allow_anonymous": True,
        **PROXY,
        **sign_in(cloud),
    }
    async with open_house(tmp_path, **settings) as home:
        assert await statuses(home, behind("203.0.113.1"), 3) == [201, 201, 503]
        assert await statuses(home, behind("203.0.113.2"), 2) == [201, 201]


async def test_a_share_of_the_lines_is_for_people(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    settings: dict[str, Any] = {
        "max_calls": 4,
        "lines_for_people": 2,
        "allow_anonymous": True,
        **sign_in(cloud),
    }
    async with open_house(tmp_path, **settings) as home:
        assert await statuses(home, {}, 3) == [201, 201, 503]
        assert await statuses(home, bearer(issuer, "caller"), 3) == [201, 201, 503]


async def test_one_agent_is_on_so_many_calls_and_is_called_so_often(tmp_path: Path) -> None:
    settings = {"calls_agent_at_once": 1, "call_agent_per_minute": 1}
    async with open_house(tmp_path / "lines", **settings) as home:
        assert await statuses(home, {}, 2) == [201, 503]
        assert (await asked(home, {}, "banking")).status_code == 201
    async with open_house(tmp_path / "rates", call_agent_per_minute=1) as home:
        assert await statuses(home, {}, 2) == [201, 429]
        assert (await asked(home, {}, "banking")).status_code == 201


async def test_one_address_calls_so_often_whoever_is_there(
    tmp_path: Path, cloud: Cloud, issuer: Issuer
) -> None:
    settings = {"call_address_per_minute": 3, **PROXY, **sign_in(cloud)}
    async with open_house(tmp_path, **settings) as home:
        ada, ben = bearer(issuer, "caller", oid=ADA), bearer(issuer, "caller", oid=BEN)
        assert await statuses(home, behind("203.0.113.1", **ada), 2) == [201, 201]
        assert await statuses(home, behind("203.0.113.1", **ben), 1) == [429]
        assert await statuses(home, behind("203.0.113.2", **ben), 1) == [201]


async def test_one_address_holds_so_many_sockets_before_anybody_asks_who_it_is(
    tmp_path: Path,
) -> None:
    settings = {"sockets_per_address": 2, "allow_anonymous": True, **PROXY}
    async with open_house(tmp_path, **settings) as home, AsyncExitStack() as stack:
        ours = behind("203.0.113.1")
        for _ in range(2):
            placed = (await asked(home, ours)).json()
            await stack.enter_async_context(socket(home, placed, ours))
        third = (await asked(home, ours)).json()
        with pytest.raises(InvalidStatus) as refused:
            await stack.enter_async_context(socket(home, third, ours))
        assert refused.value.response.status_code == 429
        assert b"your address" in refused.value.response.body
        # Its ticket is as good as before, and other addresses have sockets of their own.
        await stack.enter_async_context(socket(home, third, behind("203.0.113.2")))


async def sockets_before_a_refusal(home: Served, most: int) -> int:
    """How many one address may try to open, each with a bad ticket."""
    placed = {"socket": "/api/calls/none/audio", "ticket": "a-guess"}
    for count in range(most):
        with pytest.raises(InvalidStatus) as refused:
            await socket(home, placed, behind("203.0.113.1")).__aenter__()
        if refused.value.response.status_code == 429:
            assert b"Too many tries" in (refused.value.response.body or b"")
            return count
        assert refused.value.response.status_code == 401
    return most


async def test_who_may_place_more_calls_may_open_more_sockets(tmp_path: Path) -> None:
    """A hundred at once, usually; as many as its calls, and a quarter, where these are raised."""
    quick = {"refusals_address_per_minute": 60_000}
    given: dict[str, Any] = {"allow_anonymous": True, **quick, **PROXY}
    async with open_house(tmp_path / "usual", **given) as home:
        usual = await sockets_before_a_refusal(home, 180)
    assert 100 <= usual < 180
    async with open_house(tmp_path / "more", call_address_per_minute=600, **given) as home:
        assert await sockets_before_a_refusal(home, 180) == 180


async def test_a_flood_of_handshakes_is_refused_at_the_door() -> None:
    came: list[str] = []

    async def house(scope: Scope, receive: Receive, send: Send) -> None:
        came.append(scope["path"])

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    said: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401  (any message)
        said.append(message)

    door = SocketsPerAddress(house, limit=9, rate=Rate(0.001, 3), except_below=("/api/phone/",))
    for path in ["/ws"] * 5 + ["/api/phone/media/c"] * 2:
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "client": ("203.0.113.1", 1),
            "headers": [],
            "extensions": {"websocket.http.response": {}},
        }
        await door(scope, receive, send)
    assert came == ["/ws"] * 3 + ["/api/phone/media/c"] * 2
    assert [message.get("status") for message in said if "status" in message] == [429, 429]


def socket(home: Served, placed: dict[str, Any], headers: dict[str, str]) -> connect:
    return connect(
        f"ws://127.0.0.1:{home.port}{placed['socket']}",
        origin=f"http://127.0.0.1:{home.port}",  # pyright: ignore[reportArgumentType]  (a text)
        subprotocols=[Subprotocol(SUBPROTOCOL), Subprotocol(TICKET_PREFIX + placed["ticket"])],
        additional_headers=headers,
        proxy=None,
    )


# -- the day's budget -----------------------------------------------------------------------------


async def test_a_call_that_uses_the_day_up_is_told_goodbye_and_the_next_is_refused_in_words(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, budget_minutes_a_day=1) as home:
        purse = home.house.purse
        assert purse is not None
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "Hello")
            now = purse.clock()
            purse.clock = lambda: now + 45
            await purse.tick()
            # The parrot says what it was told last, in the goodbye as well.
            for item in ("item1", "item2", "item3"):
                await page.say("played", item=item, ms=20)
            code, said = await page.closed()
        assert code == 1000
        assert (said[-1]["type"], said[-1]["reason"]) == ("ended", "day_budget")
        assert "used up" in said[-1]["text"]
        await home.quiet()
        refused = await asked(home, {})
    assert (refused.status_code, refused.json()["code"]) == (429, "budget_spent")
    assert "midnight UTC" in refused.json()["text"]
    assert int(refused.headers["retry-after"]) > 0


async def test_without_a_budget_nothing_is_counted(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home:
        assert home.house.purse is None


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"MAX_CALLS": "4", "LINES_FOR_PEOPLE": "4"}, "LINES_FOR_PEOPLE"),
        ({"BUDGET_USER_USD_A_DAY": "5", "BUDGET_USD_A_DAY": "4"}, "BUDGET_USER_USD_A_DAY"),
        ({"BUDGET_USER_MINUTES_A_DAY": "0"}, "BUDGET_USER_MINUTES_A_DAY"),
        ({"BUDGET_USD_A_DAY": "-1"}, "BUDGET_USD_A_DAY"),
        ({"CALLS_USER_AT_ONCE": "0"}, "CALLS_USER_AT_ONCE"),
        ({"CALL_AGENT_PER_MINUTE": "often"}, "CALL_AGENT_PER_MINUTE"),
    ],
)
def test_limits_that_make_no_sense_refuse_to_start(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        Settings.read()
