"""Sign-in: builds the door that people come through, and owns the client that fetches keys."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from switchboard.access.identity import SignIn
from switchboard.access.keys import KeysUnavailable, fetch_by
from switchboard.access.people import SCOPE, People, SignInTrust
from switchboard.access.platform import Platform
from switchboard.access.standing import Verify, nobody_verifies
from switchboard.browser.protocol import SignInChoice
from switchboard.errors import ConfigurationError
from switchboard.settings import Settings


class Door:
    """How people say who they are: `by` is nothing where they need not.

    Raises `ConfigurationError` for a door that is set up by halves.
    """

    def __init__(self, settings: Settings) -> None:
        self._http: httpx.AsyncClient | None = None
        self._trust = trust_of(settings)
        self.by_tokens = self._trust is not None and settings.sign_in == "tokens"
        """Whether this server itself asks, and pages fetch tokens for it."""
        self.by: SignIn | None = None
        self.verify: Verify = nobody_verifies
        """Knows people by fresh tokens, where they show any."""
        if self._trust is not None and self.by_tokens:
            people = self.by = People(self._trust, self._fetch)
            self.verify = people.of_token
        elif self._trust is not None:
            self.by = Platform(self._trust)

    @property
    def authorities(self) -> tuple[str, ...]:
        """The origins where pages fetch tokens."""
        return (self._trust.origin,) if self._trust and self.by_tokens else ()

    @property
    def choice(self) -> SignInChoice | None:
        """What a page needs to know to sign somebody in; nothing where it need not or cannot."""
        if self._trust is None or not self.by_tokens:
            return None
        tenants = list(self._trust.tenants)
        tenant = tenants[0] if len(tenants) == 1 else "organizations"
        client = self._trust.client_id
        return SignInChoice(client, self._trust.tenant_url(tenant), f"api://{client}/{SCOPE}")

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """While it is, keys can be fetched."""
        if not self.by_tokens:
            yield
            return
        async with httpx.AsyncClient() as self._http:
            yield

    async def _fetch(self, url: str) -> bytes:
        if self._http is None:
            raise KeysUnavailable("The door is not open.")
        return await fetch_by(self._http)(url)


def trust_of(settings: Settings) -> SignInTrust | None:
    """Whose people may come in. Raises `ConfigurationError`."""
    client_id = settings.sign_in_client_id
    if client_id is not None:
        tenants = [tenant.lower() for tenant in settings.sign_in_tenant_id]
        return SignInTrust(client_id.lower(), tenants, settings.sign_in_authority)
    if settings.sign_in_tenant_id or settings.sign_in == "platform":
        raise ConfigurationError(
            "SIGN_IN_TENANT_ID or SIGN_IN is set, but SIGN_IN_CLIENT_ID is not: set it to the id "
            "of the application in Entra that people sign in to."
        )
    return None
