"""Where a webhook may lead. A profile's owner writes the address, not this machine's: it is looked
at before anything is sent, and what was looked at is what is connected to."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import anyio

RESOLVE_S: Final = 5.0

type Address = IPv4Address | IPv6Address


class Barred(Exception):
    """Nothing is sent there. The message says why."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which addresses that are not the Internet's may be posted to."""

    private: bool = False
    """Those of private networks, and this machine's."""
    loopback: bool = False
    """This machine's only."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect, and as whom to greet."""

    url: str
    """With the address in the host's place: no second look-up can lead elsewhere."""
    host: str
    authority: str
    """For the `Host` header."""


async def target_of(url: str, allowed: Allowed) -> Destination:
    """Raises `Barred`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = await _resolved(host, port)
    for address in addresses:
        if why := _barred(address, parts.scheme, allowed):
            raise Barred(why)
    return Destination(_at(parts, addresses[0]), host, parts.netloc)


def _barred(address: Address, scheme: str, allowed: Allowed) -> str | None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        if allowed.private or allowed.loopback:
            return None
        return "It leads to this machine."
    if scheme != "https":
        return "Plain http is for loopback."
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return "It leads to no host's address."  # among them where clouds hand out tokens
    if not address.is_global and not allowed.private:
        return "It leads into a private network; WEBHOOK_PRIVATE allows that."
    return None


async def _resolved(host: str, port: int) -> Sequence[Address]:
    try:
        with anyio.fail_after(RESOLVE_S):
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        raise Barred("Its host is not found.") from None
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise Barred("Its host is not found.")
    return addresses


def _at(parts: SplitResult, address: Address) -> str:
    literal = f"[{address}]" if address.version == 6 else str(address)
    netloc = literal if parts.port is None else f"{literal}:{parts.port}"
    return parts._replace(netloc=netloc).geturl()
