"""Only tokens of the right signer, for us, now: everything else is refused in the same words."""

import base64
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import anyio
import jwt
import pytest

from switchboard.access import signed as signed_tokens
from switchboard.access.acs import AcsTokens, AcsTrust
from switchboard.access.keys import (
    COOL_S,
    FIRST_COOL_S,
    FRESH_S,
    STALE_S,
    Keys,
    KeysUnavailable,
    fetch_by,
)
from switchboard.access.refusals import CannotTell, NotIdentified
from switchboard.access.signed import LEEWAY_S, Expected, SignedTokens
from tests.access.signer import (
    AUDIENCE,
    ISSUER,
    METADATA,
    Signer,
    by_hand,
    claims,
    request,
    signed,
)


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Door:
    signer: Signer
    keys: Keys
    acs: AcsTokens
    tokens: SignedTokens
    """Likewise, by `keys`."""
    clock: Clock
    wall: Clock
    """By which `tokens` end."""


@pytest.fixture
async def door() -> AsyncGenerator[Door]:
    signer, clock, wall = Signer(), Clock(), Clock(time.time())
    async with signer.client() as client:
        fetch = fetch_by(client)
        trust = AcsTrust(AUDIENCE, ISSUER, METADATA)
        keys = Keys(METADATA, fetch, clock=clock)
        tokens = SignedTokens(keys, Expected([ISSUER], [AUDIENCE]), clock=wall)
        yield Door(signer, keys, AcsTokens(trust, fetch), tokens, clock, wall)


def with_claims_of_another() -> str:
    header, _, signature = signed().split(".")
    return ".".join([header, signed(claims(exp=now(9e6))).split(".")[1], signature])


def now(offset_s: float) -> int:
    return int(time.time() + offset_s)


async def test_acs_s_own_token_is_good(door: Door) -> None:
    said = await door.acs.check(request(f"Bearer {signed()}"))
    assert said["aud"] == AUDIENCE


async def test_clocks_may_differ_a_little(door: Door) -> None:
    for said in (claims(exp=now(-30)), claims(nbf=now(30), iat=now(30))):
        await door.acs.check(request(f"bearer {signed(said)}"))


REFUSED: dict[str, Callable[[], tuple[str, ...]]] = {
    "no token": lambda: (),
    "two tokens": lambda: (f"Bearer {signed()}", f"Bearer {signed()}"),
    "no scheme": lambda: (signed(),),
    "another scheme": lambda: (f"Basic {signed()}",),
    "an empty token": lambda: ("Bearer ",),
    "no JWT": lambda: ("Bearer abc",),
    "two parts": lambda: ("Bearer " + signed().rpartition(".")[0],),
    "no signature": lambda: ("Bearer " + signed().rpartition(".")[0] + ".",),
    "another's signature": lambda: (f"Bearer {signed(with_key='k2')}",),
    "an unknown key": lambda: (f"Bearer {signed(key_id='k2')}",),
    "no key id": lambda: ("Bearer " + by_hand({"alg": "RS256"}, claims()),),
    "a key id that is no text": lambda: (
        "Bearer " + by_hand({"alg": "RS256", "kid": 1}, claims()),
    ),
    "algorithm none": lambda: ("Bearer " + by_hand({"alg": "none", "kid": "k1"}, claims(), b""),),
    "algorithm None": lambda: ("Bearer " + by_hand({"alg": "None", "kid": "k1"}, claims(), b""),),
    "HS256 with any secret": lambda: (
        "Bearer " + jwt.encode(claims(), "s" * 32, "HS256", {"kid": "k1"}),
    ),
    "RS512": lambda: ("Bearer " + by_hand({"alg": "RS512", "kid": "k1"}, claims()),),
    "changed claims": lambda: (f"Bearer {with_claims_of_another()}",),
    "wrong issuer": lambda: (f"Bearer {signed(claims(iss='https://evil.example'))}",),
    "issuer with a slash": lambda: (f"Bearer {signed(claims(iss=ISSUER + '/'))}",),
    "no issuer": lambda: (f"Bearer {signed(claims(iss=None))}",),
    "another resource": lambda: (f"Bearer {signed(claims(aud=AUDIENCE[:-1] + '6'))}",),
    "no audience": lambda: (f"Bearer {signed(claims(aud=None))}",),
    "other audiences": lambda: (f"Bearer {signed(claims(aud=['a', 'b']))}",),
    "expired": lambda: (f"Bearer {signed(claims(exp=now(-90)))}",),
    "without an end": lambda: (f"Bearer {signed(claims(exp=None))}",),
    "an end that is no number": lambda: (f"Bearer {signed(claims(exp='never'))}",),
    "not yet good": lambda: (f"Bearer {signed(claims(nbf=now(90)))}",),
    "issued in the future": lambda: (f"Bearer {signed(claims(iat=now(90)))}",),
    "oversized": lambda: (f"Bearer {signed(claims(padding='x' * 20_000))}",),
    "not ASCII": lambda: ("Bearer é.é.é",),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_everything_else_is_refused_and_not_written_down(
    door: Door, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = REFUSED[name]()
    with pytest.raises(NotIdentified) as refusal:
        await door.acs.check(request(*shown))
    for value in shown:
        secret = value.removeprefix("Bearer ")
        assert not secret or secret not in f"{refusal.value} {caplog.text}"


@dataclass
class Counted:
    """`jwt.decode`, and how often it was asked."""

    decode: Callable[..., object]
    asked: int = 0

    def __call__(self, *args: object, **options: object) -> object:
        self.asked += 1
        return self.decode(*args, **options)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(jwt.decode)
    monkeypatch.setattr(jwt, "decode", counted)
    return counted


async def test_a_token_that_was_good_is_taken_apart_once(door: Door, counted: Counted) -> None:
    first, second = signed(), signed(claims(jti="2"))
    said = [await door.tokens.check(token) for token in (first, second, first, second)]
    assert said[0] == said[2] != said[1] == said[3]
    assert counted.asked == 2
    with pytest.raises(TypeError):
        said[0]["aud"] = "another"  # pyright: ignore[reportIndexIssue]


async def test_a_token_that_was_refused_is_checked_each_time(door: Door, counted: Counted) -> None:
    for _ in range(2):
        with pytest.raises(NotIdentified):
            await door.tokens.check(signed(claims(aud="another")))
    assert counted.asked == 2


async def test_a_token_that_was_good_ends_all_the_same(door: Door) -> None:
    token = signed(claims(exp=now(300)))
    await door.tokens.check(token)
    door.wall.now += 300 + LEEWAY_S - 5
    await door.tokens.check(token)
    door.wall.now += 10
    with pytest.raises(NotIdentified):
        await door.tokens.check(token)


async def test_an_end_beyond_every_float_is_a_late_one(door: Door) -> None:
    token = signed(claims(exp=10**400))
    for _ in range(2):
        assert (await door.tokens.check(token))["exp"] == 10**400


async def test_a_token_that_was_good_ends_with_its_key(door: Door) -> None:
    token = signed()
    await door.tokens.check(token)
    door.signer.published = ["k2"]
    door.clock.now += FRESH_S + 1
    with pytest.raises(NotIdentified):
        await door.tokens.check(token)


async def test_a_key_that_is_replaced_under_its_id_ends_its_tokens(door: Door) -> None:
    token = signed()
    await door.tokens.check(token)
    door.signer.published, door.signer.named = ["k2"], {"k2": "k1"}
    door.clock.now += FRESH_S + 1
    with pytest.raises(NotIdentified):
        await door.tokens.check(token)
    await door.tokens.check(signed(with_key="k2"))


async def test_a_token_that_was_good_is_no_good_while_there_are_no_keys(door: Door) -> None:
    token = signed()
    await door.tokens.check(token)
    door.signer.status = 503
    door.clock.now += STALE_S + 1
    with pytest.raises(CannotTell):
        await door.tokens.check(token)


async def test_of_many_good_tokens_the_latest_are_remembered(
    door: Door, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_tokens, "MOST_REMEMBERED", 2)
    first, *others = (signed(claims(jti=jti)) for jti in "123")
    for token in (first, *others, *others):
        await door.tokens.check(token)
    assert counted.asked == 3
    await door.tokens.check(first)
    assert counted.asked == 4


async def test_the_public_key_is_no_secret_to_sign_with(door: Door) -> None:
    public = json.dumps(door.signer.published)
    token = by_hand({"alg": "HS256", "kid": "k1"}, claims(), public.encode())
    with pytest.raises(NotIdentified):
        await door.acs.check(request(f"Bearer {token}"))


async def test_fifty_at_once_cause_one_fetch_and_all_get_the_key(door: Door) -> None:
    found: list[object] = []

    async def ask() -> None:
        found.append(await door.keys.get("k1"))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask)
    assert len(door.signer.asked) == 2
    assert len(found) == 50
    assert all(found)


async def test_a_new_key_is_found_and_the_old_one_serves_while_it_is_published(door: Door) -> None:
    await door.keys.get("k1")
    door.signer.published = ["k1", "k2"]
    door.clock.now += COOL_S
    assert await door.keys.get("k2")
    assert await door.keys.get("k1")
    door.signer.published = ["k2"]
    door.clock.now += FRESH_S + 1
    assert await door.keys.get("k1") is None
    assert await door.keys.get("k2")


async def test_unknown_key_ids_do_not_have_us_ask_all_day(door: Door) -> None:
    for number in range(100):
        assert await door.keys.get(f"made-up-{number}") is None
    assert len(door.signer.asked) == 2
    assert await door.keys.get("k1")


async def test_while_the_signer_is_away_its_keys_serve_for_a_day(door: Door) -> None:
    await door.keys.get("k1")
    door.signer.status = 503
    door.clock.now += FRESH_S + 1
    assert await door.keys.get("k1")
    door.clock.now += STALE_S
    with pytest.raises(KeysUnavailable):
        await door.keys.get("k1")
    door.signer.status = 200
    door.clock.now += COOL_S
    assert await door.keys.get("k1")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signer: setattr(signer, "status", 404),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        lambda signer: setattr(signer, "padding", 300_000),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        lambda signer: setattr(signer, "jwks_uri", "https://evil.example/keys"),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        lambda signer: setattr(signer, "jwks_uri", "https://signer.example.evil/keys"),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    ],
)
async def test_without_keys_nobody_comes_in(door: Door, spoil: Callable[[Signer], None]) -> None:
    spoil(door.signer)
    with pytest.raises(CannotTell):
        await door.acs.check(request(f"Bearer {signed()}"))


async def test_who_comes_while_keys_are_fetched_waits_for_them() -> None:
    signer, begun, go_on = Signer(), anyio.Event(), anyio.Event()
    found: list[bool] = []
    async with signer.client() as client:

        async def slowly(url: str) -> bytes:
            begun.set()
            await go_on.wait()
            return await fetch_by(client)(url)

        keys = Keys(METADATA, slowly)

        async def ask() -> None:
            found.append(await keys.get("k1") is not None)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await begun.wait()
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            go_on.set()
    assert found == [True, True]
    assert len(signer.asked) == 2


async def test_while_no_keys_are_held_they_are_soon_asked_for_again_then_less_often(
    door: Door,
) -> None:
    door.signer.status = 503
    waits: list[float] = []
    for _ in range(8):
        with pytest.raises(KeysUnavailable) as failed:
            await door.keys.get("k1")
        waits.append(failed.value.retry_after_s)
        with pytest.raises(KeysUnavailable):
            await door.keys.get("k1")  # which asks nobody
        door.clock.now += waits[-1]
    assert len(door.signer.asked) == 8
    assert waits[:3] == [FIRST_COOL_S, 2 * FIRST_COOL_S, 4 * FIRST_COOL_S]
    assert waits[-1] == COOL_S
    door.signer.status = 200
    assert await door.keys.get("k1")


async def test_those_who_waited_for_a_failed_fetch_do_not_each_try_again() -> None:
    tries: list[str] = []
    clock = Clock()

    async def late(url: str) -> bytes:
        tries.append(url)
        await anyio.wait_all_tasks_blocked()
        clock.now += 10
        raise TimeoutError

    keys = Keys(METADATA, late, clock=clock)

    async def ask() -> None:
        with pytest.raises(KeysUnavailable):
            await keys.get("k1")

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
    assert len(tries) == 1


async def test_an_id_that_may_be_new_is_not_called_bad_while_nobody_answers(door: Door) -> None:
    await door.keys.get("k1")
    door.signer.status = 503
    door.clock.now += COOL_S
    with pytest.raises(KeysUnavailable):
        await door.keys.get("k2")
    assert await door.keys.get("k1")


async def test_a_header_nested_without_end_is_refused_in_words(door: Door) -> None:
    head = base64.urlsafe_b64encode(b"[" * 12_000).rstrip(b"=").decode()
    with pytest.raises(NotIdentified):
        await door.acs.check(request(f"Bearer {head}.e30.AAAA"))
