"""Whoever is not Event Grid or ACS, or shows what is not theirs to show, is refused at each door.

One table for each door. Nothing happens, and what is written down says which door it was and why,
and nothing of what was shown.
"""

import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from switchboard.phone import routes
from tests.access.signer import by_hand, claims, private_key, signed
from tests.phone.house import CONNECTION, SECRET, House, house

WORD = "pineapple"
"""Stands in every body: it must stand in no log."""
NUMBER = "+447400123456"
CALL = "call-0"


@pytest.fixture
async def home(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncGenerator[House]:
    caplog.set_level(logging.INFO)
    async with house(tmp_path) as served:
        yield served


def now(offset_s: float) -> int:
    return int(time.time() + offset_s)


def by_public_key() -> str:
    """HS256, with the public key as its secret."""
    numbers = private_key("k1").public_key().public_numbers()
    return jwt.encode(claims(), f"{numbers.n}-{numbers.e}", "HS256", {"kid": "k1"})


TOKENS: Mapping[str, Callable[[], str | None]] = {
    "no token": lambda: None,
    "another scheme": lambda: f"Basic {signed()}",
    "no JWT": lambda: "Bearer abc",
    "wrong issuer": lambda: f"Bearer {signed(claims(iss='https://evil.example'))}",
    "wrong audience": lambda: f"Bearer {signed(claims(aud='another'))}",
    "wrong key": lambda: f"Bearer {signed(with_key='k2')}",
    "unknown key id": lambda: f"Bearer {signed(key_id='k2')}",
    "algorithm none": lambda: f"Bearer {by_hand({'alg': 'none', 'kid': 'k1'}, claims(), b'')}",
    "HS256": lambda: f"Bearer {jwt.encode(claims(), 's' * 32, 'HS256', {'kid': 'k1'})}",
    "HS256 by the public key": lambda: f"Bearer {by_public_key()}",
    "expired": lambda: f"Bearer {signed(claims(exp=now(-90)))}",
    "not yet valid": lambda: f"Bearer {signed(claims(nbf=now(90)))}",
    "without an end": lambda: f"Bearer {signed(claims(exp=None))}",
    "an oversized token": lambda: f"Bearer {'x' * 16_400}",
}
"""What a request may show in place of ACS's token."""


def callback(**changed: object) -> dict[str, object]:
    data = {"callConnectionId": CONNECTION, "operationContext": WORD}
    return {
        "id": "cb1",
        "type": "Microsoft.Communication.CallDisconnected",
        "time": "2026-11-26T10:00:00Z",
        "data": data,
        **changed,
    }


def call(**changed: object) -> dict[str, object]:
    data = {
        "to": {"rawId": "4:+442079460000"},
        "from": {"rawId": f"4:{NUMBER}"},
        "incomingCallContext": WORD,
        "correlationId": "cor1",
    }
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kind = "Microsoft.Communication.IncomingCall"
    return {"id": "e1", "eventType": kind, "eventTime": when, "data": data, **changed}


async def endless() -> AsyncIterator[bytes]:
    for _ in range(40):
        yield WORD.encode() * 1_000


@dataclass(frozen=True)
class Post:
    """A request that is refused with `status`."""

    status: int
    content: Callable[[], bytes | AsyncIterator[bytes]]
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def says(said: object) -> Callable[[], bytes]:
    return json.dumps(said).encode


BODIES: Mapping[str, Callable[[Callable[..., dict[str, object]]], Post]] = {
    "empty": lambda event: Post(400, lambda: b""),
    "no JSON": lambda event: Post(400, lambda: WORD.encode()),
    "not UTF-8": lambda event: Post(400, lambda: b"\xff\xfe" + WORD.encode()),
    "half of it": lambda event: Post(400, lambda: says([event()])()[:-9]),
    "deep": lambda event: Post(400, lambda: b"[" * 9_000 + b"]" * 9_000),
    "another schema": lambda event: Post(400, says([{"text": WORD}])),
    "no data": lambda event: Post(400, says([event(data=None)])),
    "data of another shape": lambda event: Post(400, says([event(data=[WORD])])),
    "an id too long": lambda event: Post(400, says([event(id=WORD * 100)])),
    "a batch too large": lambda event: Post(400, says([event()] * 65)),
    "oversized": lambda event: Post(413, lambda: WORD.encode() * 40_000),
    "oversized in pieces": lambda event: Post(413, endless),
    "a form": lambda event: Post(415, says([event()]), "application/x-www-form-urlencoded"),
    "plain text": lambda event: Post(415, says([event()]), "text/plain"),
}
"""What may come in an event's place, to either address."""


@pytest.mark.parametrize("name", TOKENS)
async def test_a_callback_needs_acs_s_token(
    home: House, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    await home.rings()
    shown = TOKENS[name]()
    headers = {} if shown is None else {"Authorization": shown}
    answer = await home.http.post(f"/api/phone/events/{CALL}", json=[callback()], headers=headers)
    assert answer.status_code == 401
    nothing_happened(home)
    noted(caplog, "events", shown)


@pytest.mark.parametrize(
    "name", sorted(TOKENS.keys() - {"an oversized token"})
)  # no head is so long
async def test_a_media_socket_needs_acs_s_token(
    home: House, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    await home.rings()
    shown = TOKENS[name]()
    assert await refused(home, Media(token=shown)) == 401
    nothing_happened(home)
    noted(caplog, "media", shown, home.ticket)


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_of_a_delivery_is_checked(
    home: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    post = BODIES[name](call)
    answer = await sent(home, monkeypatch, f"/api/phone/incoming?secret={SECRET}", post)
    assert answer == post.status
    assert home.exchange.placed == home.carrier.answered == []
    noted(caplog, "incoming", WORD, NUMBER)


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_of_a_callback_is_checked(
    home: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await home.rings()
    post = BODIES[name](callback)
    answer = await sent(home, monkeypatch, f"/api/phone/events/{CALL}", post)
    assert answer == post.status
    nothing_happened(home)
    noted(caplog, "events", WORD)


@pytest.mark.parametrize(
    ("door", "path"),
    [
        ("incoming", f"/api/phone/incoming?secret={SECRET}"),
        ("events", f"/api/phone/events/{CALL}"),
    ],
)
async def test_a_body_that_does_not_end_is_not_waited_for(
    home: House,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    door: str,
    path: str,
) -> None:
    monkeypatch.setattr(routes, "BODY_S", 0.3)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {signed()}\r\n"
        f"Content-Length: 1000\r\n\r\n{WORD}"
    )
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", home.port) as stream:
            await stream.send(head.encode())
            assert (await stream.receive()).startswith(b"HTTP/1.1 408")
    noted(caplog, door, WORD)


@pytest.mark.parametrize(
    ("changed", "happens"),
    [
        ({"eventTime": "yesterday"}, 400),
        ({"eventTime": None}, 400),
        ({"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}, 400),
        ({"data": {"incomingCallContext": ""}}, 400),
    ],
)
async def test_a_call_says_when_and_which_it_is(
    home: House, caplog: pytest.LogCaptureFixture, changed: dict[str, Any], happens: int
) -> None:
    answer = await home.rings(call(**changed))
    assert answer.status_code == happens
    assert home.carrier.answered == []
    noted(caplog, "incoming", WORD)


@pytest.mark.parametrize(
    "query",
    ["", "?secret=", "?secret=wrong", f"?secret={SECRET[:-1]}", f"?secret={SECRET}&secret="],
)
async def test_a_delivery_needs_the_secret_once(
    home: House, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    answer = await home.http.post(f"/api/phone/incoming{query}", json=[call()])
    assert answer.status_code == 401
    assert home.exchange.placed == []
    noted(caplog, "incoming", SECRET[:-1], WORD, NUMBER)


@pytest.mark.parametrize(
    ("query", "origin"),
    [
        (f"?secret={SECRET}", "evil.example"),
        (f"?secret={SECRET}", ""),
        ("?secret=wrong", "eventgrid.azure.net"),
    ],
)
async def test_only_event_grid_shakes_hands(
    home: House, caplog: pytest.LogCaptureFixture, query: str, origin: str
) -> None:
    headers = {"WebHook-Request-Origin": origin}
    answer = await home.http.options(f"/api/phone/incoming{query}", headers=headers)
    assert answer.status_code == 401
    noted(caplog, "handshake", SECRET, "evil.example")


# -- media sockets --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Media:
    """What a socket shows; by default all that is right."""

    token: str | None = field(default_factory=lambda: f"Bearer {signed()}")
    call_id: str = CALL
    query: Callable[[str], str] = lambda good: f"?ticket={good}"
    """Made of what is good."""
    connections: Sequence[str] = (CONNECTION,)


SOCKETS: Mapping[str, Media] = {
    "no ticket": Media(query=lambda _: ""),
    "an empty ticket": Media(query=lambda _: "?ticket="),
    "a made-up ticket": Media(query=lambda _: f"?ticket={'A' * 43}"),
    "two tickets": Media(query=lambda good: f"?ticket={good}&ticket={good}"),
    "a ticket too long": Media(query=lambda _: f"?ticket={'A' * 900}"),
    "a ticket and more": Media(query=lambda good: f"?ticket={good}A"),
    "another call": Media(call_id="call-1"),
    "a call of the browser": Media(call_id="browser-call"),
    "no connection id": Media(connections=()),
    "two connection ids": Media(connections=(CONNECTION, "cc2")),
    "an odd connection id": Media(connections=("a b",)),
    "a connection id too long": Media(connections=("c" * 300,)),
}


@pytest.mark.parametrize("name", SOCKETS)
async def test_a_media_socket_shows_its_own_call_s_ticket(
    home: House, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    await home.rings()
    await home.rings(correlation="cor2")  # so that there is a call-1
    good = home.carrier.answered[0][1].media_url.partition("ticket=")[2]
    assert await refused(home, SOCKETS[name], good) == 401
    nothing_happened(home)
    noted(caplog, "media", good, "a b")


async def test_a_ticket_that_a_connection_has_shown_is_no_other_s(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    await home.rings()
    async with home.media():
        await home.until(lambda: home.exchange.legs)
        assert await refused(home, Media(connections=("cc2",))) == 401
        assert len(home.exchange.legs) == 1
    noted(caplog, "media", home.ticket)


async def test_a_ticket_of_a_call_that_is_over_opens_nothing(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    await home.rings()
    await home.told("CallDisconnected")
    assert await refused(home, Media()) == 401
    assert home.exchange.legs == []
    noted(caplog, "media", home.ticket)


# -- what is authentic, and none of this call's ---------------------------------------------------


@pytest.mark.parametrize(
    ("how", "call_id"),
    [
        ({"data": {"callConnectionId": "cc2"}}, CALL),
        ({"type": "Microsoft.Communication.Unheard"}, CALL),
        ({"type": "CallDisconnected"}, CALL),
        ({}, "browser-call"),
        ({}, "call-77"),
    ],
)
async def test_what_acs_tells_of_other_calls_does_nothing(
    home: House, caplog: pytest.LogCaptureFixture, how: dict[str, Any], call_id: str
) -> None:
    await home.rings()
    answer = await home.http.post(
        f"/api/phone/events/{call_id}",
        json=[callback(**how)],
        headers={"Authorization": f"Bearer {signed()}"},
    )
    assert answer.status_code == 200
    nothing_happened(home)
    quiet(caplog, WORD)


async def test_what_comes_twice_or_too_late_does_nothing_more(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert (await home.rings(call())).status_code == 200
    await home.rings(call(id="e2", eventTime="2020-01-01T00:00:00Z"))
    assert len(home.carrier.answered) == 1
    quiet(caplog, WORD, NUMBER)


# -- the judges -----------------------------------------------------------------------------------


async def sent(home: House, monkeypatch: pytest.MonkeyPatch, address: str, post: Post) -> int:
    monkeypatch.setattr(routes, "BODY_S", 0.3)
    headers = {"Content-Type": post.kind, "Authorization": f"Bearer {signed()}"}
    answer = await home.http.post(address, content=post.content(), headers=headers)
    return answer.status_code


async def refused(home: House, shown: Media, good: str | None = None) -> int:
    """The status that a socket is refused with."""
    headers = [("x-ms-call-connection-id", each) for each in shown.connections]
    if shown.token is not None:
        headers.append(("Authorization", shown.token))
    query = shown.query(good or home.ticket)
    address = f"ws://127.0.0.1:{home.port}/api/phone/media/{shown.call_id}{query}"
    with pytest.raises(InvalidStatus) as refusal:
        await connect(address, additional_headers=headers, proxy=None)
    return refusal.value.response.status_code


def nothing_happened(home: House) -> None:
    assert home.exchange.legs == home.exchange.ended == home.carrier.hung_up == []


def noted(caplog: pytest.LogCaptureFixture, door: str, *shown: str | None) -> None:
    """It is written down at which door, and nothing of what was shown there."""
    assert [each for each in caplog.records if getattr(each, "door", None) == door]
    quiet(caplog, *shown)


def quiet(caplog: pytest.LogCaptureFixture, *shown: str | None) -> None:
    """Nothing of it is in what the product wrote."""
    ours = [each for each in caplog.records if each.name.startswith("switchboard")]
    written = " ".join(str(vars(each)) for each in ours)
    for each in (*shown, SECRET):
        bare = (each or "").removeprefix("Bearer ")
        assert not bare or bare not in written
