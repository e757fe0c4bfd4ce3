"""A Key Vault: secrets that are read with a bearer token, in the shape its REST API gives them.

The statuses and inner codes of refusals are those that Key Vault is known by; the words are ours.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from switchboard_local.entra.issuer import BadToken, Issuer
from switchboard_local.realtime.doorway import bearer

KEY_SECRET: Final = "voice-live-key"  # noqa: S105  (a secret's name)
"""The secret that holds the key of the local Voice Live, where it has one."""
AUDIENCES: Final = frozenset({"https://vault.azure.net", "https://vault.azure.net/"})
API_VERSIONS: Final = frozenset({"7.4", "7.5", "7.6", "2025-07-01"})
_WHERE: Final = {
    "WWW-Authenticate": 'Bearer authorization="https://login.microsoftonline.com/local",'
    ' resource="https://vault.azure.net"'
}


@dataclass(slots=True)
class Secret:
    value: str
    enabled: bool = True


@dataclass(slots=True)
class Vault:
    """What is kept, and who may not read it."""

    secrets: dict[str, Secret] = field(default_factory=dict[str, Secret])
    forbidden: str | None = None
    """Nobody may read, for this reason: `ForbiddenByRbac`, `ForbiddenByFirewall`."""
    readings: int = 0
    service_key: str | None = None
    """What the local Voice Live takes in place of a token. Rotated, it is another than the
    secret's."""

    @classmethod
    def with_key(cls, key: str) -> "Vault":
        """A vault with the key of the local Voice Live in it."""
        return cls({KEY_SECRET: Secret(key)}, service_key=key)

    def rotate(self, key: str) -> None:
        """Give the service another key, and keep that."""
        self.service_key = key
        self.secrets[KEY_SECRET] = Secret(key)


def vault_router(vault: Vault, issuer: Issuer) -> APIRouter:
    """`GET /secrets/{name}[/{version}]`: every version is the newest."""
    router = APIRouter()

    @router.get("/secrets/{name}")
    @router.get("/secrets/{name}/{version}")
    async def read(request: Request, name: str, version: str = "current") -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        try:
            issuer.read(bearer(request.headers.get("authorization", "")) or "", AUDIENCES)
        except BadToken:
            refused = _refusal(401, "Unauthorized", "Send a bearer token for the vault.")
            refused.headers.update(_WHERE)
            return refused
        if request.query_params.get("api-version") not in API_VERSIONS:
            return _refusal(400, "BadParameter", "Say which version: ?api-version=7.4.")
        return _read(vault, name, f"{request.url.replace(query='')}", version)

    return router


def _read(vault: Vault, name: str, url: str, version: str) -> JSONResponse:
    vault.readings += 1
    if vault.forbidden is not None:
        return _refusal(403, "Forbidden", "The caller may not read.", vault.forbidden)
    secret = vault.secrets.get(name)
    if secret is None:
        return _refusal(404, "SecretNotFound", f"There is no secret {name}.")
    if not secret.enabled:
        said = "Operation get is not allowed on a disabled secret."
        return _refusal(403, "Forbidden", said, "SecretDisabled")
    now = int(time.time())
    attributes = {"enabled": True, "created": now, "updated": now, "recoveryLevel": "Recoverable"}
    identity = url if url.endswith(f"/{version}") else f"{url}/{version}"
    return JSONResponse({"value": secret.value, "id": identity, "attributes": attributes})


def _refusal(status: int, code: str, message: str, inner: str | None = None) -> JSONResponse:
    error: dict[str, object] = {"code": code, "message": message}
    if inner is not None:
        error["innererror"] = {"code": inner}
    return JSONResponse({"error": error}, status)
