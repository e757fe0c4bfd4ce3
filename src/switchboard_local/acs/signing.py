"""Tokens that ACS signs, for callbacks and media sockets, and the keys to check them with.

The claims are those that Microsoft says to check (secure-webhook-endpoint); others are unknown.
"""

import time
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import jwt
from fastapi import APIRouter

from switchboard_local.acs.config import ISSUER
from switchboard_local.entra.keys import KeyRing

CALLBACK_LIFE_S: Final = 300
MEDIA_LIFE_S: Final = 24 * 3600
METADATA_PATH: Final = "/calling/.well-known/acsopenidconfiguration"
KEYS_PATH: Final = "/calling/keys"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for the resource `audience`, with keys that may be rotated."""

    audience: str
    keys: KeyRing
    issuer: str = ISSUER

    def token(self, life_s: int) -> str:
        """A new token, valid from now on."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "nbf": now,
            "exp": now + life_s,
            "jti": str(uuid4()),
        }
        key = self.keys.signing
        return jwt.encode(claims, key.private, "RS256", headers={"kid": key.kid})

    def bearer(self, life_s: int) -> str:
        """The same, as a header has it."""
        return f"Bearer {self.token(life_s)}"


def signing_router(signer: Signer, address: str) -> APIRouter:
    """OpenID metadata and keys, open to all. `address` is where they are served."""
    router = APIRouter()

    @router.get(METADATA_PATH)
    async def metadata() -> dict[str, object]:
        return {
            "issuer": signer.issuer,
            "jwks_uri": f"{address}{KEYS_PATH}",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @router.get(KEYS_PATH)
    async def keys() -> dict[str, object]:
        return dict(signer.keys.wire())

    return router
