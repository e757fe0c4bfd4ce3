"""Who is let into the stand-ins: those with a token for them, or with the key if there is one."""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from switchboard_local.entra.issuer import BadToken, Issuer
from switchboard_local.realtime.doorway import TurnedAway, bearer

logger = logging.getLogger(__name__)

_RESOURCES: Final = ("https://ai.azure.com", "https://cognitiveservices.azure.com")
AUDIENCES: Final = frozenset(_RESOURCES) | {f"{each}/" for each in _RESOURCES}
"""Of both the realtime service and Voice Live: resources, with a slash after them or not."""

# The words are those that people report from the services' HTTP APIs. Some of those answers have
# another shape, {"statusCode", "message"}, and what an upgrade gets is not written down anywhere:
# the shape is the documented one of the realtime service.
_NO_KEY: Final = TurnedAway(
    401,
    "401",
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a"
    " valid key for an active subscription and use a correct regional API endpoint for your"
    " resource.",
)
_NO_TOKEN: Final = TurnedAway(
    401,
    "401",
    "Unauthorized. Access token is missing, invalid, audience is incorrect"
    " (https://cognitiveservices.azure.com), or have expired.",
)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the doors of one local cloud. Without `api_key` no key opens them."""

    issuer: Issuer
    api_key: str | None = field(default=None, repr=False)

    def refusal(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        *,
        token_in_query: bool = False,
        also_key: str | None = None,
    ) -> TurnedAway | None:
        """What is wrong with who asks, if anything. `also_key` is one of this resource's own.

        For those who cannot set headers a key may come in the query, and to Voice Live a token too.
        """
        key = headers.get("api-key") or query.get("api-key")
        if key:
            known = _same(key, self.api_key) or _same(key, also_key)
            return None if known else self._no("key", _NO_KEY)
        in_query = query.get("Authorization", "") if token_in_query else ""
        token = bearer(headers.get("authorization", "") or in_query)
        if not token:
            return self._no("nothing to show", _NO_KEY)
        if _same(token, self.api_key):
            return None
        try:
            self.issuer.read(token, AUDIENCES)
        except BadToken as wrong:
            return self._no(str(wrong), _NO_TOKEN)
        return None

    def _no(self, why: str, refusal: TurnedAway) -> TurnedAway:
        # The answer is the same for all, as the real one is: here it can be told apart.
        logger.warning("credential refused", extra={"reason": why})
        return refusal


def _same(given: str, known: str | None) -> bool:
    return known is not None and secrets.compare_digest(given.encode(), known.encode())
