"""Finds out who a request or socket belongs to. The one door every route has."""

import ipaddress
import logging
from typing import Protocol

from starlette.requests import HTTPConnection

from switchboard.access.principal import ANONYMOUS, LOCAL, Principal
from switchboard.access.refusals import NotIdentified
from switchboard.errors import ConfigurationError

logger = logging.getLogger(__name__)


class Authenticator(Protocol):
    """One way of finding out. An identity provider's tokens will be another."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        """Who this is. Raises `NotIdentified`."""
        ...


class LocalOnly:
    """Whoever reaches a server bound to loopback sits at the machine."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        peer = connection.client
        if peer is None or not is_loopback(peer.host):
            raise NotIdentified("This server answers only on its own machine.")
        return LOCAL


class Anybody:
    """The owner has said that anybody may call."""

    async def identify(self, connection: HTTPConnection) -> Principal:  # noqa: ARG002  (the protocol's)
        return ANONYMOUS


class Identify:
    """The dependency of every route: `Annotated[Principal, Depends(identify)]`."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def __call__(self, connection: HTTPConnection) -> Principal:
        return await self._authenticator.identify(connection)


def choose_authenticator(host: str, *, allow_anonymous: bool) -> Authenticator:
    """How callers are told apart on a server bound to `host`.

    Raises `ConfigurationError` when strangers could reach a server that asks nobody's name.
    """
    if allow_anonymous:
        logger.warning("anybody may call", extra={"setting": "ALLOW_ANONYMOUS", "host": host})
        return Anybody()
    if is_loopback(host):
        return LocalOnly()
    raise ConfigurationError(
        f"HOST={host} would let other machines call, and nothing here asks who they are. "
        "Set HOST=127.0.0.1 to serve this machine only, or ALLOW_ANONYMOUS=true if anybody may."
    )


def address_of(connection: HTTPConnection) -> str:
    """Where a request or socket comes from."""
    return connection.client.host if connection.client else "unknown"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than `localhost` is not trusted."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
