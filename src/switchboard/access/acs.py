"""Whether it is ACS that calls back, or opens a media socket: its own signed tokens say so.

Issuer, audience (the resource's immutable id), key addresses and lifetimes (five minutes for a
callback, a day for a socket) are those of "Secure webhook endpoint" in Call Automation's how-tos.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from switchboard.access.keys import Fetch, Keys
from switchboard.access.signed import Claims, Expected, SignedTokens, bearer_of

ISSUER: Final = "https://acscallautomation.communication.azure.com"
METADATA_URL: Final = f"{ISSUER}/calling/.well-known/acsopenidconfiguration"


@dataclass(frozen=True, slots=True)
class AcsTrust:
    """Whom to believe that they are our ACS resource."""

    resource_id: str
    """Immutable id of the resource, a GUID: the tokens' audience."""
    issuer: str = ISSUER
    metadata_url: str = METADATA_URL


class AcsTokens:
    """The one check of callbacks and media sockets."""

    def __init__(self, trust: AcsTrust, fetch: Fetch) -> None:
        expected = Expected([trust.issuer], [trust.resource_id])
        self._tokens = SignedTokens(Keys(trust.metadata_url, fetch), expected)

    async def check(self, connection: HTTPConnection) -> Claims:
        """Raises `NotIdentified` unless ACS, for our resource, makes this request."""
        return await self._tokens.check(bearer_of(connection))
