"""Finds out who a request or socket belongs to. The one door every route has."""

import ipaddress
import logging
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from switchboard.access.principal import ANONYMOUS, LOCAL, Principal
from switchboard.access.refusals import NotIdentified
from switchboard.errors import ConfigurationError
from switchboard.turns import Turns

logger = logging.getLogger(__name__)

_BY_PROXY: Final = ("forwarded", "x-forwarded-")
"""How headers begin that a proxy adds (RFC 7239, and the custom before it)."""


class Authenticator(Protocol):
    """One way of finding out."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        """Who this is. Raises `NotIdentified`."""
        ...


class SignIn(Authenticator, Protocol):
    """One by which people say who they are."""

    header: ClassVar[str]
    """Where they say it; whoever has none is a stranger."""


class LocalOnly:
    """Whoever reaches a server bound to loopback sits at the machine, unless a proxy here speaks
    for somebody: then they came by another name, or the proxy says so."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        peer = connection.client
        if peer is None or not is_loopback(peer.host) or _is_passed_on(connection):
            raise NotIdentified("This server answers only on its own machine.")
        return LOCAL


class Anybody:
    """The owner has said that anybody may call."""

    async def identify(self, connection: HTTPConnection) -> Principal:  # noqa: ARG002  (the protocol's)
        return ANONYMOUS


class OrAnybody:
    """People sign in, or stay strangers; what is shown must be good."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    async def identify(self, connection: HTTPConnection) -> Principal:
        if self._sign_in.header not in connection.headers:
            return ANONYMOUS
        return await self._sign_in.identify(connection)


class Identify:
    """The dependency of every route: `Annotated[Principal, Depends(identify)]`.

    With `tickets_speak`, whoever shows a call's ticket need show nothing else: that was bought by
    somebody who did. A browser cannot show a token on a socket.
    """

    def __init__(
        self, authenticator: Authenticator, turns: Turns, *, tickets_speak: bool = False
    ) -> None:
        self._authenticator = authenticator
        self._turns = turns
        self._tickets_speak = tickets_speak

    async def __call__(self, connection: HTTPConnection) -> Principal:
        await self._turns.wait()  # half of a request's work is behind it
        who = await self._authenticator.identify(connection)
        return replace(who, address=address_of(connection))

    async def holder(self, connection: HTTPConnection) -> Principal | None:
        """For routes that need a ticket: who shows it, or nobody where it alone must do."""
        if self._tickets_speak and "authorization" not in connection.headers:
            await self._turns.wait()
            return None
        return await self(connection)


def choose_authenticator(
    host: str,
    *,
    allow_anonymous: bool,
    published: Collection[str] = (),
    sign_in: SignIn | None = None,
) -> Authenticator:
    """How callers are told apart on a server bound to `host`, whose pages are at the origins
    `published`.

    Raises `ConfigurationError` when strangers could reach a server that asks nobody's name.
    """
    if sign_in is not None:
        return OrAnybody(sign_in) if allow_anonymous else sign_in
    if allow_anonymous:
        logger.warning("anybody may call", extra={"setting": "ALLOW_ANONYMOUS", "host": host})
        return Anybody()
    if is_loopback(host):
        elsewhere = [origin for origin in published if is_elsewhere(origin)]
        if not elsewhere:
            return LocalOnly()
        raise ConfigurationError(
            f"HOST={host} is this machine only, but {elsewhere[0]} (PUBLIC_URL, ALLOWED_ORIGINS) "
            "is not: whoever comes by that name comes through a proxy on this machine, and nothing "
            "here asks who they are. Set SIGN_IN_CLIENT_ID and SIGN_IN_TENANT_ID, or "
            "ALLOW_ANONYMOUS=true if anybody may call or the proxy asks, or unset the name."
        )
    raise ConfigurationError(
        f"HOST={host} would let other machines call, and nothing here asks who they are. "
        "Set HOST=127.0.0.1 to serve this machine only, SIGN_IN_CLIENT_ID and SIGN_IN_TENANT_ID "
        "to have people sign in, or ALLOW_ANONYMOUS=true if anybody may call."
    )


def is_elsewhere(origin: str) -> bool:
    """Whether an origin is not this machine's own."""
    host = _host_of(origin)
    return host is not None and not is_loopback(host)  # one without a host, `Origins` refuses


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def _is_passed_on(connection: HTTPConnection) -> bool:
    """Whether a request went through a proxy: one says so, or it asks for another machine."""
    if any(name.startswith(_BY_PROXY) for name in connection.headers):
        return True
    named = connection.headers.getlist("host")
    return len(named) != 1 or not is_loopback(_host_of(f"//{named[0]}") or "")


def address_of(connection: HTTPConnection) -> str:
    """Where a request or socket comes from."""
    return connection.client.host if connection.client else "unknown"


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than `localhost` is not trusted."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
