"""People come in with an access token of their tenant, for us, with a role: nobody else does."""

import base64
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass

import httpx
import jwt
import pytest

from switchboard.access.identity import Anybody, Identify, OrAnybody, choose_authenticator
from switchboard.access.keys import fetch_by
from switchboard.access.people import People, SignInTrust, person_id
from switchboard.access.platform import Platform
from switchboard.access.principal import ANONYMOUS, Kind, Role
from switchboard.access.refusals import CannotTell, NotIdentified
from switchboard.errors import ConfigurationError, NotAllowed
from switchboard.turns import Turns
from tests.access.signer import ISSUER as AUTHORITY
from tests.access.signer import Signer, by_hand, request, signed

CLIENT = "c11e0000-1111-4111-8111-000000000001"
TENANT = "7e000000-2222-4222-8222-000000000002"
GUEST_TENANT = "7e000000-2222-4222-8222-000000000003"
OTHER_TENANT = "7e000000-2222-4222-8222-00000000000f"
OID = "0b000000-3333-4333-8333-000000000004"
PAGE = "9a9e0000-4444-4444-8444-000000000005"
TRUST = SignInTrust(CLIENT, [TENANT, GUEST_TENANT], AUTHORITY)


def issuer_of(tenant: str) -> str:
    return f"{AUTHORITY}/{tenant}/v2.0"


def said(**changed: object) -> dict[str, object]:
    """What a person's good token says; `None` leaves something out."""
    now = int(time.time())
    claims: dict[str, object] = {
        "ver": "2.0",
        "iss": issuer_of(TENANT),
        "aud": CLIENT,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "tid": TENANT,
        "oid": OID,
        "sub": "pairwise",
        "azp": PAGE,
        "name": "Ada Lovelace",
        "scp": "access_as_user",
        "roles": ["caller"],
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def program(**changed: object) -> dict[str, object]:
    """What a program's token says: no scope, and of nobody but itself."""
    return said(**{"scp": None, "name": None, "sub": OID, "roles": ["operator"], **changed})


def later(offset_s: float) -> int:
    return int(time.time() + offset_s)


@dataclass
class Door:
    signer: Signer
    people: People


@pytest.fixture
async def door() -> AsyncGenerator[Door]:
    signer = Signer()
    async with signer.client() as client:
        yield Door(signer, People(TRUST, fetch_by(client)))


def shown(claims: Mapping[str, object]) -> str:
    return f"Bearer {signed(claims)}"


async def test_a_caller_comes_in_under_a_name_and_an_id_that_tells_nothing(door: Door) -> None:
    who = await door.people.identify(request(shown(said())))
    assert (who.kind, who.name, who.roles) == (Kind.PERSON, "Ada Lovelace", {Role.CALLER})
    assert OID not in who.id
    assert TENANT not in who.id
    assert len(who.id) <= 64
    again = await door.people.identify(request(shown(said(name="Ada King", sub="other"))))
    assert again.id == who.id


async def test_the_same_object_id_in_another_tenant_is_somebody_else(door: Door) -> None:
    guest = said(iss=issuer_of(GUEST_TENANT), tid=GUEST_TENANT)
    one = await door.people.identify(request(shown(said())))
    other = await door.people.identify(request(shown(guest)))
    assert one.id != other.id


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        (lambda: said(roles=["operator"]), {Role.OPERATOR, Role.CALLER}),
        (lambda: said(roles=["caller", "unheard of"]), {Role.CALLER}),
        (lambda: said(aud=f"api://{CLIENT}"), {Role.CALLER}),
        (lambda: said(scp="profile access_as_user"), {Role.CALLER}),
        (lambda: said(idtyp="user"), {Role.CALLER}),
        (lambda: said(exp=later(-30)), {Role.CALLER}),
        (lambda: said(nbf=later(30), iat=later(30)), {Role.CALLER}),
        (lambda: program(), {Role.OPERATOR, Role.CALLER}),
        (lambda: program(sub="other", idtyp="app"), {Role.OPERATOR, Role.CALLER}),
    ],
)
async def test_what_is_good_in_another_form_is_good(
    door: Door, claims: Callable[[], dict[str, object]], roles: set[Role]
) -> None:
    assert (await door.people.identify(request(shown(claims())))).roles == roles


async def test_a_program_has_no_person_s_name(door: Door) -> None:
    assert (await door.people.identify(request(shown(program())))).name == "Program"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ada\nLovelace\x1b[2J", "AdaLovelace[2J"),
        ("x" * 500, "x" * 100),
        (7, "Caller"),
        (" ", "Caller"),
    ],
)
async def test_a_name_is_one_short_line(door: Door, name: object, kept: str) -> None:
    assert (await door.people.identify(request(shown(said(name=name))))).name == kept


REFUSED: dict[str, Callable[[], tuple[str, ...]]] = {
    "no scheme": lambda: (signed(said()),),
    "another scheme": lambda: (f"Basic {signed(said())}",),
    "two tokens": lambda: (shown(said()), shown(said())),
    "an empty token": lambda: ("Bearer ",),
    "no JWT": lambda: ("Bearer abc",),
    "not ASCII": lambda: ("Bearer é.é.é",),
    "oversized": lambda: (shown(said(padding="x" * 20_000)),),
    "no signature": lambda: (shown(said()).rpartition(".")[0] + ".",),
    "another's signature": lambda: (f"Bearer {signed(said(), with_key='k2')}",),
    "an unknown key": lambda: (f"Bearer {signed(said(), key_id='k2')}",),
    "algorithm none": lambda: ("Bearer " + by_hand({"alg": "none", "kid": "k1"}, said(), b""),),
    "HS256": lambda: ("Bearer " + jwt.encode(said(), "s" * 32, "HS256", {"kid": "k1"}),),
    "HS256 with the public key": lambda: (
        "Bearer " + by_hand({"alg": "HS256", "kid": "k1"}, said(), b"k1"),
    ),
    "RS512": lambda: ("Bearer " + by_hand({"alg": "RS512", "kid": "k1"}, said()),),
    "another issuer": lambda: (shown(said(iss="https://evil.example/v2.0")),),
    "an issuer that is a list": lambda: (
        "Bearer " + by_hand({"alg": "RS256", "kid": "k1"}, said(iss=[issuer_of(TENANT)])),
    ),
    "no issuer": lambda: (shown(said(iss=None)),),
    "a tenant that may not": lambda: (shown(said(iss=issuer_of(OTHER_TENANT), tid=OTHER_TENANT)),),
    "a tenant other than its issuer's": lambda: (shown(said(tid=GUEST_TENANT)),),
    "no tenant": lambda: (shown(said(tid=None)),),
    "another application": lambda: (shown(said(aud=PAGE)),),
    "the services' audience": lambda: (shown(said(aud="https://ai.azure.com")),),
    "no audience": lambda: (shown(said(aud=None)),),
    "expired": lambda: (shown(said(exp=later(-90))),),
    "without an end": lambda: (shown(said(exp=None)),),
    "not yet good": lambda: (shown(said(nbf=later(90))),),
    "issued in the future": lambda: (shown(said(iat=later(90))),),
    "version 1": lambda: (shown(said(ver="1.0")),),
    "no version": lambda: (shown(said(ver=None)),),
    "no object id": lambda: (shown(said(oid=None)),),
    "an object id that is none": lambda: (shown(said(oid="../../etc")),),
    "an ID token": lambda: (shown(said(scp=None, azp=None, nonce="n")),),
    "an ID token without a nonce": lambda: (shown(said(scp=None, azp=None)),),
    "an ID token that poses as a program": lambda: (shown(said(scp=None, nonce="n", sub=OID)),),
    "a program without an application": lambda: (shown(program(azp=None)),),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_everything_else_is_refused_with_a_challenge_and_not_written_down(
    door: Door, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = REFUSED[name]()
    with pytest.raises(NotIdentified) as refusal:
        await door.people.identify(request(*headers))
    assert refusal.value.challenge == 'Bearer error="invalid_token"'
    for value in headers:
        token = value.removeprefix("Bearer ")
        assert not token or token not in f"{refusal.value} {caplog.text}"


async def test_who_shows_nothing_is_asked_to_sign_in(door: Door) -> None:
    with pytest.raises(NotIdentified) as refusal:
        await door.people.identify(request())
    assert refusal.value.challenge == "Bearer"


@pytest.mark.parametrize(
    "claims",
    [
        lambda: said(roles=None),
        lambda: said(roles=[]),
        lambda: said(roles=["Caller", "admin", "operators"]),
        lambda: said(roles="operator"),
        lambda: said(roles={"operator": True}),
        lambda: said(roles=[["operator"]]),
        lambda: said(scp="User.Read"),
        lambda: said(scp=""),
        lambda: said(scp=["access_as_user"]),
        lambda: said(scp="access_as_user_too"),
        lambda: said(idtyp="app"),
        lambda: program(roles=None),
    ],
)
async def test_who_is_known_and_may_nothing_here_is_told_so(
    door: Door, claims: Callable[[], dict[str, object]]
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        await door.people.identify(request(shown(claims())))
    assert not isinstance(refusal.value, NotIdentified)


async def test_while_entra_s_keys_cannot_be_had_nobody_can_tell(door: Door) -> None:
    door.signer.status = 503
    with pytest.raises(CannotTell):
        await door.people.identify(request(shown(said())))


async def test_a_new_key_is_known_once_it_is_published() -> None:
    signer = Signer(published=["k1"])
    async with httpx.AsyncClient(transport=httpx.MockTransport(signer.answer)) as client:
        await People(TRUST, fetch_by(client)).identify(request(shown(said())))
        signer.published = ["k2"]
        fresh = People(TRUST, fetch_by(client))
        await fresh.identify(request(f"Bearer {signed(said(), key_id='k2')}"))
        with pytest.raises(NotIdentified):
            await fresh.identify(request(shown(said())))


async def test_strangers_may_be_let_in_beside_people_but_bad_tokens_are_not(door: Door) -> None:
    either = choose_authenticator("0.0.0.0", allow_anonymous=True, sign_in=door.people)
    assert isinstance(either, OrAnybody)
    assert await either.identify(request()) is ANONYMOUS
    assert (await either.identify(request(shown(said())))).kind is Kind.PERSON
    with pytest.raises(NotIdentified):
        await either.identify(request(shown(said(exp=later(-90)))))


def test_sign_in_is_enough_to_be_published(door: Door) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        chosen = choose_authenticator(
            host, allow_anonymous=False, published=["https://talk.example"], sign_in=door.people
        )
        assert chosen is door.people


async def test_where_tickets_speak_a_ticket_s_holder_need_show_nothing_else(door: Door) -> None:
    at_door = Identify(door.people, Turns(), tickets_speak=True)
    assert await at_door.holder(request()) is None
    who = await at_door.holder(request(shown(said())))
    assert who is not None
    with pytest.raises(NotIdentified):
        await at_door.holder(request("Bearer abc"))
    with pytest.raises(NotIdentified):
        await Identify(door.people, Turns()).holder(request())
    assert await Identify(Anybody(), Turns()).holder(request()) == ANONYMOUS


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        ((CLIENT, list[str]()), "SIGN_IN_TENANT_ID"),
        (("our-app", [TENANT]), "SIGN_IN_CLIENT_ID"),
        ((CLIENT, ["common"]), "SIGN_IN_TENANT_ID"),
        ((CLIENT, ["contoso.onmicrosoft.com"]), "SIGN_IN_TENANT_ID"),
        ((CLIENT, [TENANT], "http://login.example"), "SIGN_IN_AUTHORITY must be https"),
        ((CLIENT, [TENANT], "https://"), "SIGN_IN_AUTHORITY must be https"),
        ((CLIENT, [TENANT], "https://[::1"), "SIGN_IN_AUTHORITY must be https"),
        ((CLIENT, [TENANT], "https://login.example?x"), "SIGN_IN_AUTHORITY must be https"),
    ],
)
def test_a_door_that_could_not_tell_people_apart_is_not_built(
    trust: tuple[str, list[str], str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SignInTrust(*trust)


# -- the platform's door --------------------------------------------------------------------------

SCHEMA = "http://schemas.microsoft.com/identity/claims"


def header(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def told(*more: tuple[str, str], without: str = "", **changed: object) -> dict[str, object]:
    """What the platform's door says of somebody."""
    pairs = [
        ("aud", CLIENT),
        (f"{SCHEMA}/tenantid", TENANT),
        (f"{SCHEMA}/objectidentifier", OID),
        ("name", "Ada Lovelace"),
        ("roles", "operator"),
    ]
    claims = [{"typ": typ, "val": val} for typ, val in [*pairs, *more] if typ != without]
    return {"auth_typ": "aad", "name_typ": "n", "role_typ": "r", "claims": claims, **changed}


async def test_the_platform_s_word_makes_the_same_person_as_a_token(door: Door) -> None:
    by_word = await Platform(TRUST).identify(
        request(headers={"x-ms-client-principal": header(told())})
    )
    by_token = await door.people.identify(request(shown(said(roles=["operator"]))))
    assert by_word == by_token
    assert by_word.id == person_id(TENANT, OID)


async def test_the_platform_s_header_is_nothing_where_tokens_are_asked_for(door: Door) -> None:
    with pytest.raises(NotIdentified):
        await door.people.identify(request(headers={"x-ms-client-principal": header(told())}))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not base64!",
        base64.b64encode(b"[" * 9_000).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        header([]),
        header({"claims": []}),
        header(told(auth_typ="github")),
        header(told(claims=[{"typ": "roles", "val": 7}])),
        header(told(claims=[{"typ": "x", "val": "y"}] * 600)),
        header(told(("aud", PAGE))),
        header(told(("tid", OTHER_TENANT))),
        header(told(("tid", OTHER_TENANT), without=f"{SCHEMA}/tenantid")),
        header(told(without=f"{SCHEMA}/tenantid")),
        header(told(("oid", PAGE))),
        header(told(without=f"{SCHEMA}/objectidentifier")),
        header(told(("padding", "x" * 40_000))),
    ],
)
async def test_a_word_that_is_odd_or_of_others_lets_nobody_in(value: str) -> None:
    with pytest.raises(NotIdentified):
        await Platform(TRUST).identify(request(headers={"x-ms-client-principal": value}))


async def test_two_words_or_none_let_nobody_in() -> None:
    twice = [(b"x-ms-client-principal", header(told()).encode())] * 2
    connection = request()
    for headers in (twice, []):
        connection.scope["headers"] = headers
        with pytest.raises(NotIdentified):
            await Platform(TRUST).identify(type(connection)(connection.scope))


async def test_the_platform_s_people_need_a_role_too() -> None:
    word = header(told(without="roles"))
    with pytest.raises(NotAllowed, match="no role here"):
        await Platform(TRUST).identify(request(headers={"x-ms-client-principal": word}))
