"""The tenant's public face: discovery, keys, and tokens for applications with a secret."""

import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from switchboard_local.entra.issuer import TENANT, Issuer, is_guid

APP_ROLES: Final = ("caller", "operator")
"""What an application with the secret may be, in the product's own terms."""
MAX_FORM_BYTES: Final = 8192
_MAX_FIELDS: Final = 20
_DEFAULT: Final = "/.default"


class NoToken(Exception):
    """A token request that is refused, as OAuth puts it: `code` and words."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


def entra_router(issuer: Issuer, client_secret: str | None) -> APIRouter:
    """One tenant. Without `client_secret` no application signs in by itself."""
    router = APIRouter()

    @router.get("/{tenant}/v2.0/.well-known/openid-configuration")
    async def discovery(tenant: str) -> Response:
        return JSONResponse(_metadata(issuer)) if tenant == TENANT else _no_tenant()

    @router.get("/{tenant}/discovery/v2.0/keys")
    async def keys(tenant: str) -> Response:
        return JSONResponse(issuer.keys.wire()) if tenant == TENANT else _no_tenant()

    @router.post("/{tenant}/oauth2/v2.0/token")
    async def token(request: Request, tenant: str) -> Response:
        if tenant != TENANT:
            return _no_tenant()
        try:
            answer = _sign_in(issuer, client_secret, await _form(request))
        except NoToken as refused:
            status = 401 if refused.code == "invalid_client" else 400
            return _error(refused.code, str(refused), status)
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    @router.post("/local/keys")
    def rotate() -> Response:
        """A new key signs from now on. No part of Entra; in a thread, as making one takes long."""
        return JSONResponse({"kid": issuer.keys.rotate()}, 201)

    return router


def _metadata(issuer: Issuer) -> Mapping[str, Any]:
    """What there is of it here, in Entra's own names: OpenID Connect Discovery 1.0, section 3."""
    tenant = f"{issuer.address}/{TENANT}"
    return {
        "issuer": issuer.name,
        "jwks_uri": f"{tenant}/discovery/v2.0/keys",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _sign_in(
    issuer: Issuer, client_secret: str | None, form: Mapping[str, str]
) -> Mapping[str, Any]:
    """The answer to an application with its secret. Raises `NoToken`. The codes are Entra's."""
    if form.get("grant_type") != "client_credentials":
        raise NoToken("unsupported_grant_type", "AADSTS70003: Only client_credentials is known.")
    client_id = form.get("client_id", "")
    if not is_guid(client_id):
        raise NoToken("unauthorized_client", "AADSTS700016: The application was not found.")
    given = form.get("client_secret", "").encode()
    if client_secret is None or not secrets.compare_digest(given, client_secret.encode()):
        raise NoToken("invalid_client", "AADSTS7000215: Invalid client secret provided.")
    scope = form.get("scope", "")
    if not scope.endswith(_DEFAULT) or " " in scope or scope == _DEFAULT:
        raise NoToken("invalid_scope", "AADSTS1002012: The scope must be one resource/.default.")
    audience = scope.removesuffix(_DEFAULT)
    issued = issuer.issue(audience, client_id=client_id, roles=APP_ROLES)
    life_s = issuer.life_s
    return {
        "token_type": "Bearer",
        "expires_in": life_s,
        "ext_expires_in": life_s,
        "access_token": issued.text,
    }


async def _form(request: Request) -> Mapping[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise NoToken("invalid_request", "The form is too large.")
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise NoToken("invalid_request", "The body is no form.") from None


def _no_tenant() -> Response:
    return _error("invalid_tenant", "AADSTS90002: The tenant was not found.", 400)


def _error(code: str, description: str, status: int) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status)
