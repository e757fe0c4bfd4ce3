"""A page over WebRTC, or somebody who pretends to be one, at the product's door."""

import pytest

from switchboard.access.principal import Kind, Principal, Role
from tests.browser.webrtc.peers import Product, connection, offered

STRANGER = Principal("stranger", "Stranger", frozenset({Role.CALLER}), Kind.PERSON)


@pytest.mark.parametrize(
    ("offer", "status", "code"),
    [
        ("", 400, "misunderstood"),
        ("hello", 400, "misunderstood"),
        ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 400, "bad_offer"),
        ("v=0\r\n" + "x" * 70_000, 400, "misunderstood"),
        ("v=0\r\n" + "x" * 200_000, 413, "too_large"),
        (7, 400, "misunderstood"),
    ],
)
async def test_what_is_no_offer_begins_no_call(
    home: Product, offer: str, status: int, code: str
) -> None:
    refused = await home.place(offer)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert home.house.switchboard.live() == 0


async def test_only_its_own_caller_reaches_a_call(
    home: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.calling() as page:
        placed, http = page.placed, home.http
        everything = [("GET", placed["events"]), ("POST", placed["messages"])]
        everything.append(("POST", placed["offers"]))
        for method, where in everything:
            wrong = {"Switchboard-Ticket": "x" * 43}
            for headers in (wrong, {}):
                refused = await http.request(method, where, headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (401, "not_identified")
            unknown = where.replace(placed["call"], "nowhere")
            refused = await http.request(method, unknown, headers=page.ticket)
            assert (refused.status_code, refused.json()["code"]) == (404, "no_such_call")

        async def stranger(_: object) -> Principal:
            return STRANGER

        monkeypatch.setattr(home.house.authenticator, "identify", stranger)
        for method, where in everything:
            refused = await http.request(method, where, headers=page.ticket)
            assert (refused.status_code, refused.json()["code"]) == (404, "no_such_call")


async def test_a_foreign_page_reaches_no_call_even_with_its_ticket(home: Product) -> None:
    async with home.calling() as page:
        foreign = {**page.ticket, "Origin": "https://evil.example"}
        for method, what in (("GET", "events"), ("POST", "messages"), ("POST", "offers")):
            refused = await home.http.request(method, page.placed[what], headers=foreign)
            assert refused.status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 10_000, 400),
        (b'{"type": "dance"}', 400),
        (b'{"type": "text", "id": "t1", "text": " "}', 400),
        (b'{"type": "audio", "audio": "AAAA"}', 400),
        (b'{"type": "played", "item": "i", "ms": 5}', 400),
        (b'{"type": "human "}', 400),
        (b'{"type": "human"}', 204),
        (b'{"type": "ping", "at": 1}', 204),
        (b'"' + b"x" * 20_000 + b'"', 413),
    ],
)
async def test_a_message_is_checked_before_it_is_believed(
    home: Product, body: bytes, status: int
) -> None:
    async with home.calling() as page:
        where = page.placed["messages"]
        answer = await home.http.post(where, content=body, headers=page.ticket)
        assert answer.status_code == status


async def test_who_types_too_fast_is_held_back_and_can_still_hang_up(home: Product) -> None:
    async with home.calling() as page:
        answers = [
            (await page.post("messages", type="text", id=f"t{n}", text="hello")).status_code
            for n in range(12)
        ]
        assert answers[:8] == [204] * 8
        assert answers[-1] == 429
        await page.say("end")
        await page.media_gone()


async def test_offers_without_end_are_held_back(home: Product) -> None:
    async with home.calling() as page, connection() as (peer, _):
        offer = await offered(peer)
        bad = offer.replace("m=audio", "m=video")
        answers = [(await page.post("offers", offer=bad)).status_code for _ in range(7)]
        assert answers[0] == 400
        assert answers[-1] == 429
        assert home.house.switchboard.live() == 1  # what could not be agreed upon changed nothing


@pytest.mark.parametrize("number", ["-1", "x", "9" * 40, "999999"])
async def test_a_number_that_was_never_given_shows_the_whole_board(
    home: Product, number: str
) -> None:
    async with home.calling() as page:
        headers = {**page.ticket, "Last-Event-ID": number}
        async with page.stream() as stream:
            await stream.until("line")
        async with home.http.stream("GET", page.placed["events"], headers=headers) as answer:
            lines = answer.aiter_lines()
            seen: list[str] = []
            async for text in lines:
                seen.append(text)
                if '"type":"line"' in text:
                    break
        assert seen[0] == "id: 0"


async def test_every_line_is_taken_by_calls_of_either_kind(home: Product) -> None:
    limit = home.house.settings.max_calls
    for _ in range(limit - 1):
        placed = await home.http.post("/api/calls", json={"agent": "banking"})
        assert placed.status_code == 201
    async with home.calling(), connection() as (peer, _):
        refused = await home.place(await offered(peer))
        assert (refused.status_code, refused.json()["code"]) == (503, "lines_busy")
