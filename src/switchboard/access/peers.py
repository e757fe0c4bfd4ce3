"""Where other servers of ours may be spoken to."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from switchboard.access.identity import is_loopback


def is_fit(url: str) -> bool:
    """Whether a server may be spoken to there: by https, or in the open on loopback and at an
    address that is private by itself, for a name may lead anywhere."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        whole = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
        _ = parts.port
    except ValueError:
        return False
    if not whole or not host:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and (is_loopback(host) or _is_private(host))


def private_address() -> str | None:
    """The IPv4 address by which this machine's own network knows it, if that is a private one."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return None
    addresses = [str(each[4][0]) for each in found]
    return next((each for each in addresses if _is_private(each) and not is_loopback(each)), None)


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified and not address.is_link_local
