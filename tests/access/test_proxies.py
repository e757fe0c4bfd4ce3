"""Who the client is: whom a trusted proxy speaks for, else whoever holds the other end."""

from ipaddress import ip_network

import pytest
from starlette.types import Receive, Scope, Send

from switchboard.access.proxies import TrustedProxies

INGRESS = "10.0.0.4"
HOUSE = ("10.0.0.0/24", "2001:db8:1::/64", "192.0.2.9")
"""Our proxies: a network of each family, and one alone."""


async def client(peer: str | None, *forwarded: str, kind: str = "http") -> str | None:
    """Whom the house sees when `peer` sends these `X-Forwarded-For` headers."""
    seen: list[tuple[str, int] | None] = []

    async def house(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"])
        assert [value.decode("latin1") for _, value in scope["headers"]] == list(forwarded)
        assert not any("peer" in key for key in scope)

    async def receive() -> dict[str, str]:
        return {}

    async def send(_: object) -> None: ...

    headers = [(b"x-forwarded-for", value.encode("latin1")) for value in forwarded]
    scope = {"type": kind, "headers": headers, "client": peer and (peer, 4711)}
    await TrustedProxies(house, map(ip_network, HOUSE))(scope, receive, send)
    return seen[0] and seen[0][0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_trusted_proxy_is_believed(kind: str) -> None:
    assert await client(INGRESS, "203.0.113.7", kind=kind) == "203.0.113.7"


@pytest.mark.parametrize("stranger", ["10.0.1.4", "203.0.113.66", "127.0.0.1", "2001:db8:2::1"])
async def test_nobody_else_is(stranger: str) -> None:
    assert await client(stranger, "203.0.113.7") == stranger
    assert await client(stranger, INGRESS) == stranger


async def test_a_proxy_that_says_nothing_is_the_client() -> None:
    assert await client(INGRESS) == INGRESS
    assert await client(INGRESS, "") == INGRESS
    assert await client(None, "203.0.113.7") is None


@pytest.mark.parametrize(
    "forwarded",
    [
        ("198.51.100.1, 203.0.113.7",),
        ("127.0.0.1, 203.0.113.7",),
        ("10.0.0.4, 203.0.113.7",),  # an address of ours, sent by whoever is behind it
        ("198.51.100.1", "203.0.113.7"),  # two headers are one list
        ("203.0.113.7 , 10.0.0.5",),  # two hops
        ("198.51.100.1, 203.0.113.7, 192.0.2.9", "10.0.0.5"),
        ("198.51.100.1, 203.0.113.7, 2001:db8:1::5, 10.0.0.5",),
        ("203.0.113.7:50123",),
        ("::ffff:203.0.113.7",),
        ("spoofed, 203.0.113.7:50123, [2001:db8:1::5]:443",),
    ],
)
async def test_what_a_caller_wrote_is_left_of_what_our_proxies_saw(
    forwarded: tuple[str, ...],
) -> None:
    assert await client(INGRESS, *forwarded) == "203.0.113.7"


@pytest.mark.parametrize(
    "forwarded",
    ["2001:db8:2::7", "2001:DB8:2:0:0:0:0:7", "[2001:db8:2::7]", "[2001:db8:2::7]:50123"],
)
@pytest.mark.parametrize("peer", ["2001:db8:1::4", "2001:db8:1:0:0::4", "::ffff:10.0.0.4"])
async def test_addresses_of_six_are_one_however_they_are_written(peer: str, forwarded: str) -> None:
    assert await client(peer, forwarded) == "2001:db8:2::7"


@pytest.mark.parametrize(
    "word",
    [
        "unknown",
        "_hidden",
        "localhost",
        "203.0.113.7:port",
        "[2001:db8:2::7",
        "203.0.113.700",
        "x" * 4_000,
        "203.0.113.7,",
        "\xff",
    ],
)
async def test_what_is_no_address_is_not_taken_for_one(word: str) -> None:
    assert await client(INGRESS, word) == INGRESS
    assert await client(INGRESS, f"203.0.113.7, {word}") == INGRESS


async def test_a_request_of_our_own_house_is_the_farthest_proxy_s() -> None:
    assert await client(INGRESS, "10.0.0.7, 10.0.0.5") == "10.0.0.7"
