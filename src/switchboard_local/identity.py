"""The managed identity endpoint, as App Service and Container Apps have it.

azure-identity asks it for tokens where `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set, so the
product's own credential works here unchanged.
"""

import secrets
import time
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse

TOKEN_LIFETIME_S: Final = 3600


def identity_router(secret: str) -> APIRouter:
    """`GET /msi/token` for callers who know `secret`."""
    router = APIRouter()

    @router.get("/msi/token")
    async def token(
        resource: Annotated[str, Query(min_length=1, max_length=500)],
        x_identity_header: Annotated[str, Header()] = "",
    ) -> JSONResponse:
        if not secrets.compare_digest(x_identity_header.encode(), secret.encode()):
            return JSONResponse({"error": {"code": "401", "message": "Unknown caller."}}, 401)
        expires_on = str(int(time.time()) + TOKEN_LIFETIME_S)
        return JSONResponse(
            {
                "access_token": f"local.{secrets.token_urlsafe(32)}",
                "expires_on": expires_on,
                "resource": resource,
                "token_type": "Bearer",
            },
            headers={"cache-control": "no-store"},
        )

    return router
