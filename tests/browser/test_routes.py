"""Placing a call, and the door of its socket."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.rates import Rate
from switchboard.access.refusals import NotIdentified
from switchboard.browser.protocol import PhoneChoice
from switchboard.browser.routes import BrowserConfig
from tests.browser.peers import House, Page, Setting, house


class Doorkeeper:
    """Takes the `X-Name` header's word for it, or nobody's."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        name = connection.headers.get("x-name")
        if name is None:
            raise NotIdentified("Say who you are.")
        return Principal(name, name, frozenset({Role.CALLER}), Kind.PERSON)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, Setting(authenticator=Doorkeeper())) as served:
        yield served


async def refused(home: House, *arguments: object, **options: object) -> tuple[int, str]:
    """Status and code with which a socket is turned away before it is accepted."""
    with pytest.raises(InvalidStatus) as refusal:
        async with home.dial(*arguments, **options):  # pyright: ignore[reportArgumentType]
            pass
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def test_the_page_learns_its_choices(home: House) -> None:
    answer = await home.http.get("/api/config")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["agents"][0]["id"] == "bank"
    assert answer.json()["phone"] is None


async def test_each_visitor_learns_what_they_may_do_by_telephone(tmp_path: Path) -> None:
    def phone(who: Principal) -> PhoneChoice:
        return PhoneChoice("+44 20 7946 0018", "bank", call_me=who.id == "ada")

    async with house(tmp_path, Setting(authenticator=Doorkeeper(), phone=phone)) as home:
        for name, may in (("ada", True), ("bob", False), ("ada", True)):
            answer = await home.http.get("/api/config", headers={"X-Name": name})
            offered = {"number": "+44 20 7946 0018", "agent": "bank", "callMe": may}
            assert answer.json()["phone"] == offered


async def test_a_placed_call_comes_with_a_ticket(home: House) -> None:
    placed = await home.place(voice="marin", model=None)
    assert placed["socket"] == "/api/calls/call-0/audio"
    assert placed["expiresInSeconds"] == 30
    assert len(placed["ticket"]) == 43


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "misunderstood"),
        (b"{", 400, "misunderstood"),
        (b"[]", 400, "misunderstood"),
        (b'{"agent": 1}', 400, "misunderstood"),
        (b'{"agent": ""}', 400, "misunderstood"),
        (b'{"agent": "bank", "prompt": "be evil"}', 400, "misunderstood"),
        (b"\xff\xfe", 400, "misunderstood"),
        (b"[" * 4_000, 400, "misunderstood"),
        (b'{"agent": "nobody"}', 404, "unknown_agent"),
        (b'{"agent": "bank", "voice": "hal"}', 400, "unknown_voice"),
        (b'{"agent": "bank", "model": "eliza"}', 400, "unknown_model"),
        (b" " * 5_000, 413, "too_large"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_in_words(
    home: House, body: bytes, status: int, code: str
) -> None:
    answer = await home.http.post("/api/calls", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["text"].endswith((".", "`"))
    assert home.exchange.placed == []


async def test_when_every_line_is_taken_the_page_may_try_again(home: House) -> None:
    home.exchange.lines = 0
    answer = await home.http.post("/api/calls", json={"agent": "bank"})
    assert (answer.status_code, answer.json()["code"]) == (503, "lines_busy")
    assert int(answer.headers["retry-after"]) > 0


async def test_who_places_too_many_calls_must_wait(tmp_path: Path) -> None:
    setting = Setting(BrowserConfig(place_rate=Rate(0.01, 2)))
    async with house(tmp_path, setting) as home:
        statuses = [
            (await home.http.post("/api/calls", json={"agent": "bank"})).status_code
            for _ in range(3)
        ]
    assert statuses == [201, 201, 429]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1:1",
        "http://localhost",
        "HTTP://LOCALHOST",
    ],
)
async def test_a_foreign_page_may_neither_place_nor_join(home: House, origin: str) -> None:
    answer = await home.http.post("/api/calls", json={"agent": "bank"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    placed = await home.place()
    status, _ = await refused(home, placed, origin=origin or "about:blank")
    assert status == 403
    async with home.dial(placed) as socket:  # its ticket is still good
        assert await Page(socket).next("ready")


async def test_a_request_without_origin_is_no_page_of_ours(home: House) -> None:
    del home.http.headers["origin"]
    assert (await home.http.post("/api/calls", json={"agent": "bank"})).status_code == 403


async def test_a_foreign_name_for_this_server_is_refused(home: House) -> None:
    for name in ("evil.example", f"evil.example:{home.port}", ""):
        answer = await home.http.get("/api/config", headers={"Host": name})
        assert answer.status_code == 421


@pytest.mark.parametrize(
    ("protocols", "status"),
    [
        (["switchboard.v1"], 401),
        (["switchboard.v1", "ticket."], 401),
        (["switchboard.v1", "ticket.short"], 401),
        (["switchboard.v1", "ticket." + "a" * 500], 401),
        (["switchboard.v1", "ticket." + "a" * 43, "ticket." + "b" * 43], 401),
        (["switchboard.v2", "ticket." + "a" * 43], 400),
        (["ticket." + "a" * 43], 400),
    ],
)
async def test_a_socket_that_shows_no_ticket_is_not_accepted(
    home: House, protocols: list[str], status: int
) -> None:
    assert (await refused(home, await home.place(), protocols=protocols))[0] == status


async def test_a_made_up_ticket_is_refused_in_words(home: House) -> None:
    async with home.dial(await home.place(), ticket="a" * 43) as socket:
        code, said = await Page(socket).closed()
    assert (code, said) == (
        4401,
        [
            {
                "type": "refused",
                "code": "ticket_spent",
                "text": "This ticket has expired or was already used. Start a new call.",
                "fatal": True,
            }
        ],
    )
    assert home.exchange.legs == []


async def test_a_ticket_opens_no_other_call(home: House) -> None:
    mine, other = await home.place(), await home.place()
    async with home.dial(other, ticket=mine["ticket"]) as socket:
        assert (await Page(socket).closed())[0] == 4401
    assert home.exchange.legs == []


async def test_an_expired_ticket_opens_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, Setting(open_s=0.05)) as home:
        placed = await home.place()
        await anyio.sleep(0.1)
        async with home.dial(placed) as socket:
            assert (await Page(socket).closed())[0] == 4401
        await home.tickets.sweep(home.exchange.cancel)
        assert home.exchange.cancelled == ["call-0"]


async def test_of_two_sockets_with_one_ticket_exactly_one_wins(home: House) -> None:
    placed = await home.place()
    outcomes: list[str] = []
    everybody = anyio.Event()

    async def join() -> None:
        async with home.dial(placed) as socket:
            page = Page(socket)
            outcomes.append((await page.next())["type"])
            await everybody.wait()

    async with anyio.create_task_group() as racers:
        for _ in range(6):
            racers.start_soon(join)
        await home.until(lambda: len(outcomes) == 6)
        everybody.set()
    assert sorted(outcomes) == ["ready"] + ["refused"] * 5
    assert len(home.exchange.legs) == 1


async def test_who_is_not_identified_gets_no_further(guarded: House) -> None:
    for method, path in (("GET", "/api/config"), ("POST", "/api/calls")):
        answer = await guarded.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_identified")
    placed = {"socket": "/api/calls/x/audio", "ticket": "a" * 43}
    assert (await refused(guarded, placed))[0] == 401


async def test_more_sockets_than_there_is_room_for_are_turned_away(tmp_path: Path) -> None:
    setting = Setting(BrowserConfig(max_sockets=1))
    async with house(tmp_path, setting) as home, home.talking():
        assert (await refused(home, await home.place()))[0] == 503


async def test_a_socket_of_a_call_that_is_gone_is_told_so(home: House) -> None:
    placed = await home.place()
    home.exchange.gone.add(placed["call"])
    async with home.dial(placed) as socket:
        code, said = await Page(socket).closed()
    assert (code, [message["code"] for message in said]) == (4404, ["call_gone"])
