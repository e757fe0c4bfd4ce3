"""Event Grid is known by Entra's token and its role, or by its secret; strangers are not."""

from collections.abc import AsyncGenerator, Callable

import httpx
import pytest
from starlette.requests import HTTPConnection

from switchboard.access.eventgrid import ORIGIN, ROLE, EventGridDoor, EventGridTrust
from switchboard.access.keys import fetch_by
from switchboard.access.refusals import NotIdentified
from switchboard.errors import ConfigurationError
from tests.access.signer import AUDIENCE, ISSUER, Signer, claims, request, signed

TENANT = "99999999-2222-3333-4444-555555555555"
V1 = f"https://sts.windows.net/{TENANT}/"
V2 = f"{ISSUER}/{TENANT}/v2.0"
SECRET = "correct-horse-battery-staple-and-more"
NEXT = "another-secret-that-replaces-the-first"


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    signer = Signer(jwks_uri=f"{ISSUER}/discovery/v2.0/keys")
    async with signer.client() as client:
        yield client


def by_token(http: httpx.AsyncClient) -> EventGridDoor:
    trust = EventGridTrust(tenant_id=TENANT, audiences=[AUDIENCE], authority=ISSUER)
    return EventGridDoor(trust, fetch_by(http))


def by_secret(http: httpx.AsyncClient) -> EventGridDoor:
    return EventGridDoor(EventGridTrust(secrets=[SECRET, NEXT]), fetch_by(http))


def shown(**changed: object) -> HTTPConnection:
    return request(f"Bearer {signed(claims(iss=V2, roles=[ROLE], **changed))}")


@pytest.mark.parametrize("issuer", [V1, V2])
async def test_entra_s_token_for_event_grid_is_good(http: httpx.AsyncClient, issuer: str) -> None:
    token = signed(claims(iss=issuer, roles=["Other", ROLE]))
    await by_token(http).check(request(f"Bearer {token}"))


@pytest.mark.parametrize(
    "connection",
    [
        lambda: request(),
        lambda: request(f"Bearer {signed()}"),
        lambda: request(f"Bearer {signed(claims(iss=V2))}"),  # anybody of the tenant has such a one
        lambda: request(f"Bearer {signed(claims(iss=V2, roles=[]))}"),
        lambda: request(f"Bearer {signed(claims(iss=V2, roles=ROLE))}"),
        lambda: request(f"Bearer {signed(claims(iss=V2, roles=['Caller']))}"),
        lambda: request(f"Bearer {signed(claims(iss=V2, scp=ROLE))}"),
        lambda: request(f"Bearer {signed(claims(iss=V2 + '/', roles=[ROLE]))}"),
        lambda: request(f"Bearer {signed(claims(iss=V1.replace('9', '8'), roles=[ROLE]))}"),
        lambda: shown(aud="api://another"),
        lambda: shown(exp=1),
        lambda: request(query=f"secret={SECRET}"),
    ],
)
async def test_no_other_token_is(
    http: httpx.AsyncClient, connection: Callable[[], HTTPConnection]
) -> None:
    with pytest.raises(NotIdentified):
        await by_token(http).check(connection())


@pytest.mark.parametrize("secret", [SECRET, NEXT])
async def test_either_secret_is_good_while_one_replaces_the_other(
    http: httpx.AsyncClient, secret: str
) -> None:
    await by_secret(http).check(request(query=f"secret={secret}"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "secret=",
        "secret=wrong",
        f"secret={SECRET[:-1]}",
        f"secret={SECRET}x",
        f"Secret={SECRET}",
        f"secret={SECRET}&secret={SECRET}",
        f"secret={SECRET}&secret=wrong",
        "secret=%C3%A9%00",
    ],
)
async def test_no_other_secret_is(http: httpx.AsyncClient, query: str) -> None:
    with pytest.raises(NotIdentified):
        await by_secret(http).check(request(query=query))


async def test_where_both_are_set_both_must_hold(http: httpx.AsyncClient) -> None:
    trust = EventGridTrust(
        tenant_id=TENANT, audiences=[AUDIENCE], secrets=[SECRET], authority=ISSUER
    )
    door = EventGridDoor(trust, fetch_by(http))
    token = f"Bearer {signed(claims(iss=V2, roles=[ROLE]))}"
    await door.check(request(token, query=f"secret={SECRET}"))
    for half in (request(token), request(query=f"secret={SECRET}")):
        with pytest.raises(NotIdentified):
            await door.check(half)


async def test_event_grid_may_ask_whether_it_may_deliver(http: httpx.AsyncClient) -> None:
    asks = request(headers={"webhook-request-origin": ORIGIN})
    assert by_token(http).check_handshake(asks) == ORIGIN


@pytest.mark.parametrize(
    "origin", ["", "evil.example", f"{ORIGIN}.evil.example", f"https://{ORIGIN}"]
)
async def test_others_may_not(http: httpx.AsyncClient, origin: str) -> None:
    with pytest.raises(NotIdentified):
        by_token(http).check_handshake(request(headers={"webhook-request-origin": origin}))
    with pytest.raises(NotIdentified):
        by_secret(http).check_handshake(request(headers={"webhook-request-origin": ORIGIN}))


@pytest.mark.parametrize(
    ("trust", "setting"),
    [
        (lambda: EventGridTrust(), "EVENT_GRID_SECRET"),
        (lambda: EventGridTrust(tenant_id=TENANT), "EVENT_GRID_AUDIENCE"),
        (lambda: EventGridTrust(secrets=["short"]), "EVENT_GRID_SECRET"),
    ],
)
def test_a_door_without_a_lock_is_not_built(
    trust: Callable[[], EventGridTrust], setting: str
) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        trust()


def test_a_secret_is_not_in_what_is_printed() -> None:
    assert SECRET not in repr(EventGridTrust(secrets=[SECRET]))
