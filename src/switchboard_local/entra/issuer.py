"""Tokens in the form of Entra's: issued for one audience, and read again by whoever is asked.

PyJWT signs and checks them: azure-identity brings it anyway, and nothing here waits for a network.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import jwt

from switchboard_local.entra.keys import KeyRing

TENANT: Final = "10ca1000-0000-4000-8000-00000000c10d"
MACHINE: Final = "10ca1000-0000-4000-8000-0000000a1d01"
"""The application id of this machine's own identity."""
_ALGORITHM: Final = "RS256"
_REQUIRED: Final = ("aud", "exp", "iat", "iss", "nbf", "sub", "tid")


class BadToken(Exception):
    """A token that opens nothing. Its text says why, and nothing of the token."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, and the epoch second at which it expires."""

    text: str = field(repr=False)
    expires_on: int


@dataclass(frozen=True, slots=True)
class Issuer:
    """One tenant at `address`, as `http://127.0.0.1:8100`. `life_s` is that of its tokens."""

    address: str
    keys: KeyRing
    life_s: int = 3600

    @property
    def name(self) -> str:
        """The `iss` of its tokens."""
        return f"{self.address}/{TENANT}/v2.0"

    def issue(
        self,
        audience: str,
        *,
        client_id: str = MACHINE,
        oid: str | None = None,
        roles: Sequence[str] = (),
        scp: str | None = None,
        ttl_s: int | None = None,
        name: str | None = None,
    ) -> Issued:
        """A token for `audience`, of an application or, where `scp` is given, of a person, who may
        have a `name`.

        The real services' own tokens are often of version 1 (`iss` https://sts.windows.net/…);
        those that applications check themselves are of version 2, as all are here.
        """
        now = int(time.time())
        expires_on = now + (self.life_s if ttl_s is None else ttl_s)
        who = oid or object_id(client_id)
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": self.name,
            "iat": now,
            "nbf": now,
            "exp": expires_on,
            "tid": TENANT,
            "oid": who,
            "sub": who,
            "azp": client_id,
            "appid": client_id,
            "ver": "2.0",
        }
        if roles:
            claims["roles"] = list(roles)
        if scp is None:
            claims["idtyp"] = "app"
        else:
            claims |= {"scp": scp, "sub": _pairwise(who, audience)}
        if name is not None:
            claims["name"] = name
        return Issued(self._signed(claims), expires_on)

    def identify(
        self,
        client_id: str,
        oid: str,
        name: str,
        address: str,
        roles: Sequence[str],
        nonce: str | None,
    ) -> str:
        """An ID token: who has signed in, for the page that asked."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": client_id,
            "iss": self.name,
            "iat": now,
            "nbf": now,
            "exp": now + self.life_s,
            "tid": TENANT,
            "oid": oid,
            "sub": _pairwise(oid, client_id),
            "name": name,
            "preferred_username": address,
            "roles": list(roles),
            "ver": "2.0",
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return self._signed(claims)

    def _signed(self, claims: Mapping[str, Any]) -> str:
        key = self.keys.signing
        return jwt.encode(dict(claims), key.private, _ALGORITHM, headers={"kid": key.kid})

    def read(self, token: str, audiences: Collection[str]) -> Mapping[str, Any]:
        """The claims of a token that one of `audiences` may take. Raises `BadToken`.

        Without leeway: one clock issues and checks. What Azure allows is not known.
        """
        try:
            key = self.keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise BadToken("signed by no key that is published")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                [_ALGORITHM],
                audience=audiences,
                issuer=self.name,
                options={"require": list(_REQUIRED)},
            )
        except jwt.InvalidTokenError as wrong:
            raise BadToken(_REASONS.get(type(wrong), "malformed")) from None
        except RecursionError:
            raise BadToken("malformed") from None
        return claims


_REASONS: Final[Mapping[type[jwt.InvalidTokenError], str]] = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not valid yet",
    jwt.InvalidAudienceError: "for another audience",
    jwt.InvalidIssuerError: "of another issuer",
    jwt.InvalidSignatureError: "signed by another key",
    jwt.InvalidAlgorithmError: "signed in another way",
    jwt.MissingRequiredClaimError: "incomplete",
}


def _pairwise(oid: str, audience: str) -> str:
    """A subject: another one for each application."""
    return str(uuid5(NAMESPACE_URL, f"{TENANT}/{oid}/{audience}"))


def object_id(client_id: str) -> str:
    """The id of an application's principal: the same each time, and not the application's."""
    return str(uuid5(NAMESPACE_URL, f"{TENANT}/{client_id}"))


def is_guid(text: str) -> bool:
    """Whether `text` may be the id of an application."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
