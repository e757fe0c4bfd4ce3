"""Whether it is Event Grid that tells of a call: by Entra's token, or by a secret it was given.

The token is one that Entra issues to Event Grid for our own application ("secure WebHook delivery
with Microsoft Entra ID"): that application's role `AzureEventGridSecureWebhookSubscriber` is given
to Event Grid, so whoever else of the tenant gets a token for it does not have the role.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection

from switchboard.access.keys import Fetch, Keys
from switchboard.access.refusals import NotIdentified
from switchboard.access.signed import Claims, Expected, SignedTokens, bearer_of
from switchboard.errors import ConfigurationError

ROLE: Final = "AzureEventGridSecureWebhookSubscriber"
SECRET_PARAMETER: Final = "secret"  # noqa: S105  (its name, not itself)
"""Of the query: the address that Event Grid was given ends in `?secret=…`."""
SHORTEST_SECRET: Final = 32
ORIGIN: Final = "eventgrid.azure.net"
"""Who asks, in the CloudEvents handshake."""


@dataclass(frozen=True, slots=True)
class EventGridTrust:
    """Whom to believe. At least one way; where both are given, both must hold."""

    tenant_id: str | None = None
    audiences: Collection[str] = ()
    """Our application: its id, its id URI."""
    secrets: Collection[str] = field(default=(), repr=False)
    """Any of them: two while one replaces the other."""
    authority: str = "https://login.microsoftonline.com"

    def __post_init__(self) -> None:
        if not self.secrets and not self.tenant_id:
            raise ConfigurationError(
                "Nothing says how to tell Event Grid from others. Set EVENT_GRID_TENANT_ID and "
                "EVENT_GRID_AUDIENCE, or EVENT_GRID_SECRET."
            )
        if self.tenant_id and not self.audiences:
            raise ConfigurationError("EVENT_GRID_TENANT_ID is set, so set EVENT_GRID_AUDIENCE too.")
        if any(len(secret) < SHORTEST_SECRET for secret in self.secrets):
            raise ConfigurationError(
                f"EVENT_GRID_SECRET is short: use {SHORTEST_SECRET} characters or more."
            )


class EventGridDoor:
    """The one check of deliveries and of the handshakes before them."""

    def __init__(self, trust: EventGridTrust, fetch: Fetch) -> None:
        self._secrets = [secret.encode() for secret in trust.secrets]
        self._tokens = _tokens(trust, fetch) if trust.tenant_id else None

    async def check(self, connection: HTTPConnection) -> None:
        """Raises `NotIdentified` unless this is a delivery of our Event Grid subscription."""
        self._check_secret(connection)
        if self._tokens is not None:
            claims = await self._tokens.check(bearer_of(connection))
            if not _has_role(claims):
                raise NotIdentified("This token is not good here.")

    def check_handshake(self, connection: HTTPConnection) -> str:
        """The origin that a CloudEvents handshake (`OPTIONS`) asks for, to be allowed.

        It carries no token, and grants nothing: each delivery is checked by itself. Raises
        `NotIdentified` for the wrong secret, or for anybody but Event Grid.
        """
        self._check_secret(connection)
        origin = connection.headers.get("webhook-request-origin", "")
        if origin != ORIGIN:
            raise NotIdentified("Only Event Grid delivers here.")
        return origin

    def _check_secret(self, connection: HTTPConnection) -> None:
        if not self._secrets:
            return
        shown = connection.query_params.getlist(SECRET_PARAMETER)
        given = shown[0].encode() if len(shown) == 1 else b""
        # Every one is compared, so that the time taken tells nothing.
        if not sum([hmac.compare_digest(given, secret) for secret in self._secrets]):
            raise NotIdentified("Only Event Grid delivers here.")


def _tokens(trust: EventGridTrust, fetch: Fetch) -> SignedTokens:
    tenant = f"{trust.authority.rstrip('/')}/{trust.tenant_id}"
    # An application may ask for tokens of either version: each has its own issuer.
    issuers = [f"{tenant}/v2.0", f"https://sts.windows.net/{trust.tenant_id}/"]
    keys = Keys(f"{tenant}/v2.0/.well-known/openid-configuration", fetch)
    return SignedTokens(keys, Expected(issuers, trust.audiences))


def _has_role(claims: Claims) -> bool:
    roles = claims.get("roles")
    return isinstance(roles, list) and ROLE in roles
