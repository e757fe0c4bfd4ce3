"""The tenant's public face: discovery, keys, and tokens for people and for applications with a
secret."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from switchboard_local.entra.forms import NoToken, form_of
from switchboard_local.entra.grants import Grants
from switchboard_local.entra.issuer import TENANT, Issuer, is_guid
from switchboard_local.entra.signing_in import redeemed, sign_in_router
from switchboard_local.loopback import is_loopback

APP_ROLES: Final = ("caller", "operator")
"""What an application with the secret may be, in the product's own terms."""
_DEFAULT: Final = "/.default"


def entra_router(issuer: Issuer, client_secret: str | None) -> APIRouter:
    """One tenant. Without `client_secret` no application signs in by itself; people always may."""
    router = APIRouter()
    grants = Grants()
    router.include_router(sign_in_router(grants))

    @router.get("/{tenant}/v2.0/.well-known/openid-configuration")
    async def discovery(request: Request, tenant: str) -> Response:
        return _shared(
            request, JSONResponse(_metadata(issuer)) if tenant == TENANT else _no_tenant()
        )

    @router.get("/{tenant}/discovery/v2.0/keys")
    async def keys(tenant: str) -> Response:
        return JSONResponse(issuer.keys.wire()) if tenant == TENANT else _no_tenant()

    @router.post("/{tenant}/oauth2/v2.0/token")
    async def token(request: Request, tenant: str) -> Response:
        if tenant != TENANT:
            return _no_tenant()
        try:
            form = await form_of(request)
            if form.get("grant_type") in ("authorization_code", "refresh_token"):
                answer = redeemed(issuer, grants, form)
            else:
                answer = _sign_in(issuer, client_secret, form)
        except NoToken as refused:
            status = 401 if refused.code == "invalid_client" else 400
            return _shared(request, _error(refused.code, str(refused), status))
        return _shared(request, JSONResponse(answer, headers={"cache-control": "no-store"}))

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
        "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        "end_session_endpoint": f"{tenant}/oauth2/v2.0/logout",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["code", "token"],
        "response_modes_supported": ["query", "fragment"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _sign_in(
    issuer: Issuer, client_secret: str | None, form: Mapping[str, str]
) -> Mapping[str, Any]:
    """The answer to an application with its secret. Raises `NoToken`. The codes are Entra's."""
    if form.get("grant_type") != "client_credentials":
        raise NoToken("unsupported_grant_type", "AADSTS70003: This grant is not known.")
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


def _shared(request: Request, answer: Response) -> Response:
    """With leave for pages of this machine to read it: they fetch tokens from another origin."""
    origin = request.headers.get("origin")
    if origin is not None and is_loopback(origin):
        answer.headers["access-control-allow-origin"] = origin
        answer.headers["vary"] = "origin"
    return answer


def _no_tenant() -> Response:
    return _error("invalid_tenant", "AADSTS90002: The tenant was not found.", 400)


def _error(code: str, description: str, status: int) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status)
