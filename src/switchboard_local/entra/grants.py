"""What a sign-in leaves behind: codes that are good once, and the tokens that renew others.

Authorization code flow with PKCE (RFC 7636), as Entra has it for single-page applications.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Final

from switchboard_local.entra.people import Person

CODE_S: Final = 60.0
MAX_KEPT: Final = 256
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an application asks to know of somebody."""

    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    challenge: str
    """S256 of a verifier that only the asking page has."""


@dataclass(frozen=True, slots=True)
class Grant:
    """It, given by a person."""

    wish: Wish
    person: Person
    at: float


@dataclass(slots=True)
class Grants:
    """The last `MAX_KEPT` of each kind. Times are epoch seconds."""

    clock: Callable[[], float] = time.time
    _codes: dict[str, Grant] = field(default_factory=dict[str, Grant], repr=False)
    _renewals: dict[str, Grant] = field(default_factory=dict[str, Grant], repr=False)

    def code(self, wish: Wish, person: Person) -> str:
        """A code for what `person` has granted."""
        return _keep(self._codes, Grant(wish, person, self.clock()))

    def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> Grant | None:
        """What a code stands for: once, soon, and for whoever has asked for it."""
        grant = self._codes.pop(code, None)
        if grant is None or self.clock() - grant.at > CODE_S:
            return None
        asked = (grant.wish.client_id, grant.wish.redirect_uri)
        if asked != (client_id, redirect_uri) or not _proves(verifier, grant.wish.challenge):
            return None
        return grant

    def renewal(self, grant: Grant) -> str:
        """A refresh token."""
        return _keep(self._renewals, grant)

    def renew(self, token: str, client_id: str) -> Grant | None:
        """What a refresh token stands for. It is used up: another comes with what it gets."""
        grant = self._renewals.pop(token, None)
        return grant if grant is not None and grant.wish.client_id == client_id else None


def _keep(shelf: dict[str, Grant], grant: Grant) -> str:
    while len(shelf) >= MAX_KEPT:
        del shelf[next(iter(shelf))]
    key = token_urlsafe(32)
    shelf[key] = grant
    return key


def _proves(verifier: str, challenge: str) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())
