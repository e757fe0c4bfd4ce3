"""The managed identity endpoint, in both forms: that of App Service and Container Apps, and that of
virtual machines (IMDS).

azure-identity asks the first where `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set, the second at
`AZURE_POD_IDENTITY_AUTHORITY_HOST`; so the product's own credential works here unchanged. Statuses
are those that it tells apart, and IMDS's words its own as far as they are known; the rest are ours.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from switchboard_local.entra.issuer import MACHINE, Issued, Issuer, is_guid

APP_SERVICE_VERSION: Final = "2019-08-01"
MAX_RESOURCE_CHARS: Final = 500
_FRESH: Final = {"cache-control": "no-store"}


class Unanswerable(Exception):
    """A request for a token that is wrong; its text says how."""


def app_service_router(issuer: Issuer, secret: str) -> APIRouter:
    """`GET /msi/token` for callers who know `secret`."""
    router = APIRouter()

    @router.get("/msi/token")
    async def token(request: Request) -> JSONResponse:
        given = request.headers.get("x-identity-header", "")
        if not secrets.compare_digest(given.encode(), secret.encode()):
            return _app_service_error(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        query = request.query_params
        try:
            if query.get("api-version") != APP_SERVICE_VERSION:
                raise Unanswerable(f"The api-version must be {APP_SERVICE_VERSION}.")
            resource, client_id = _asked(query)
        except Unanswerable as wrong:
            return _app_service_error(400, str(wrong))
        issued = issuer.issue(resource, client_id=client_id)
        return JSONResponse(_answer(issued, resource, client_id), headers=_FRESH)

    return router


def imds_router(issuer: Issuer) -> APIRouter:
    """`GET /metadata/identity/oauth2/token` for this machine."""
    router = APIRouter()

    @router.get("/metadata/identity/oauth2/token")
    async def token(request: Request) -> JSONResponse:
        # No page can send it unasked: it is what guards the real one too.
        if request.headers.get("metadata", "").lower() != "true":
            return _imds_error("Required metadata header not specified")
        query = request.query_params
        try:
            if not query.get("api-version"):
                raise Unanswerable("Required query variable 'api-version' is missing")
            resource, client_id = _asked(query)
        except Unanswerable as wrong:
            return _imds_error(str(wrong))
        issued = issuer.issue(resource, client_id=client_id)
        left_s = str(issued.expires_on - int(time.time()))
        more = {"expires_in": left_s, "ext_expires_in": left_s}
        return JSONResponse(_answer(issued, resource, client_id) | more, headers=_FRESH)

    return router


def _asked(query: Mapping[str, str]) -> tuple[str, str]:
    """The resource, and the identity's client id. Raises `Unanswerable`.

    Every GUID is a user-assigned identity of this machine.
    """
    resource = query.get("resource", "")
    if not resource:
        raise Unanswerable("Required query variable 'resource' is missing")
    if len(resource) > MAX_RESOURCE_CHARS:
        raise Unanswerable(f"A resource has at most {MAX_RESOURCE_CHARS} characters.")
    client_id = query.get("client_id", MACHINE)
    if not is_guid(client_id):
        raise Unanswerable("Identity not found")
    return resource, client_id


def _answer(issued: Issued, resource: str, client_id: str) -> dict[str, str]:
    """What both forms answer; numbers are written as text there."""
    return {
        "access_token": issued.text,
        "client_id": client_id,
        "expires_on": str(issued.expires_on),
        "not_before": str(int(time.time())),
        "resource": resource,
        "token_type": "Bearer",
    }


def _app_service_error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message}, status)


def _imds_error(description: str) -> JSONResponse:
    return JSONResponse({"error": "invalid_request", "error_description": description}, 400)
