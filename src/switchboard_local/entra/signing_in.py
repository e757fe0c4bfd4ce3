"""Where people sign in: a page with two accounts, codes for tokens, and the way out.

Paths, parameters and error codes are those of "Microsoft identity platform and OAuth 2.0
authorization code flow"; whatever else Entra has there is left out. Pages elsewhere than on this
machine are sent nobody.
"""

import base64
import html
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from switchboard_local.entra.forms import NoToken, form_of
from switchboard_local.entra.grants import CHALLENGE, Grant, Grants, Wish
from switchboard_local.entra.issuer import TENANT, Issuer, is_guid
from switchboard_local.entra.people import PEOPLE, Person
from switchboard_local.loopback import is_loopback

_PERSON: Final = "person"
_MAX_VALUE_CHARS: Final = 2_000
_SEE_OTHER: Final = 303


class Unaskable(Exception):
    """A sign-in that is refused on the spot: nobody can be sent back with it."""


def sign_in_router(grants: Grants) -> APIRouter:
    """The pages of the tenant's sign-in."""
    router = APIRouter()

    @router.get("/{tenant}/oauth2/v2.0/authorize")
    async def authorize(request: Request, tenant: str) -> Response:
        return _asked(grants, tenant, request.query_params, None)

    @router.post("/{tenant}/oauth2/v2.0/authorize")
    async def chosen(request: Request, tenant: str) -> Response:
        try:
            form = await form_of(request)
        except NoToken as wrong:
            return _words(str(wrong))
        return _asked(grants, tenant, form, PEOPLE.get(form.get(_PERSON, "")))

    @router.get("/{tenant}/oauth2/v2.0/logout")
    async def logout(request: Request) -> Response:
        back = request.query_params.get("post_logout_redirect_uri", "")
        state = request.query_params.get("state")
        if _is_here(back):
            said = "" if state is None else f"?{urlencode({'state': state})}"
            return RedirectResponse(back + said, _SEE_OTHER)
        return _words("You are signed out.", 200)

    return router


def redeemed(issuer: Issuer, grants: Grants, form: Mapping[str, str]) -> Mapping[str, Any]:
    """The answer to a code, or to a refresh token. Raises `NoToken`."""
    client_id = form.get("client_id", "")
    if form.get("grant_type") == "refresh_token":
        grant = grants.renew(form.get("refresh_token", ""), client_id)
    else:
        proof = form.get("redirect_uri", ""), form.get("code_verifier", "")
        grant = grants.redeem(form.get("code", ""), client_id, *proof)
    if grant is None:
        raise NoToken("invalid_grant", "AADSTS70008: The code or token is unknown, used or old.")
    return _tokens(issuer, grants, grant, with_info=form.get("client_info") == "1")


def _asked(
    grants: Grants, tenant: str, given: Mapping[str, str], person: Person | None
) -> Response:
    try:
        if tenant not in (TENANT, "organizations"):
            raise Unaskable("AADSTS90002: The tenant was not found.")
        wish = _wish(given)
    except Unaskable as wrong:
        return _words(str(wrong))
    back: dict[str, str] = {"state": given["state"]} if "state" in given else {}
    if person is not None:
        back |= {"code": grants.code(wish, person)}
    elif given.get("prompt") == "none":
        back |= {"error": "login_required", "error_description": "AADSTS50058: Nobody is chosen."}
    else:
        return HTMLResponse(_page(given))
    mark = "?" if given.get("response_mode") == "query" else "#"
    return RedirectResponse(f"{wish.redirect_uri}{mark}{urlencode(back)}", _SEE_OTHER)


def _wish(given: Mapping[str, str]) -> Wish:
    if any(len(value) > _MAX_VALUE_CHARS for value in given.values()):
        raise Unaskable("A parameter is too long.")
    if not is_guid(given.get("client_id", "")):
        raise Unaskable("AADSTS700016: The application was not found.")
    redirect_uri = given.get("redirect_uri", "")
    if not _is_here(redirect_uri):
        raise Unaskable("AADSTS50011: The redirect URI is not on this machine.")
    challenge = given.get("code_challenge", "")
    if given.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise Unaskable("AADSTS9002325: Proof Key for Code Exchange (S256) is required.")
    if given.get("response_type") != "code" or given.get("response_mode", "query") == "form_post":
        raise Unaskable("AADSTS900144: Only codes are given out, in the address.")
    scope = given.get("scope", "")
    return Wish(given["client_id"], redirect_uri, scope, given.get("nonce"), challenge)


def _is_here(url: str) -> bool:
    return url.startswith(("http://", "https://")) and "#" not in url and is_loopback(url)


def _tokens(issuer: Issuer, grants: Grants, grant: Grant, *, with_info: bool) -> Mapping[str, Any]:
    scopes = grant.wish.scope.split()
    own = [scope for scope in scopes if scope.startswith("api://")]
    if len({scope.rpartition("/")[0] for scope in own}) != 1:
        raise NoToken("invalid_scope", "AADSTS70011: Ask for scopes of one application.")
    # A token of version 2 names the application by its id, whatever its id URI is.
    audience = own[0].rpartition("/")[0].removeprefix("api://")
    person, client_id = grant.person, grant.wish.client_id
    issued = issuer.issue(
        audience,
        client_id=client_id,
        oid=person.oid,
        roles=person.roles,
        scp=" ".join(scope.rpartition("/")[2] for scope in own),
        name=person.name,
    )
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": grant.wish.scope,
        "expires_in": issuer.life_s,
        "ext_expires_in": issuer.life_s,
        "access_token": issued.text,
    }
    if "offline_access" in scopes:
        answer["refresh_token"] = grants.renewal(grant)
    if "openid" in scopes:
        answer["id_token"] = issuer.identify(
            client_id, person.oid, person.name, person.address, person.roles, grant.wish.nonce
        )
    if with_info:
        info = json.dumps({"uid": person.oid, "utid": TENANT}).encode()
        answer["client_info"] = base64.urlsafe_b64encode(info).rstrip(b"=").decode()
    return answer


_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 12vh auto 0; padding: 0 1rem }
button { display: block; width: 100%; margin: .75rem 0; padding: .75rem 1rem; font: inherit;
  text-align: left; border: 1px solid GrayText; border-radius: .5rem; background: Canvas;
  color: CanvasText; cursor: pointer }
small { display: block; color: GrayText }
"""


def _page(given: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in given.items()
    )
    people = "".join(
        f'<button name="{_PERSON}" value="{person.key}">{person.name}'
        f"<small>{person.address} · {person.may}</small></button>"
        for person in PEOPLE.values()
    )
    return _document(
        "Who are you?",
        f'<form method="post">{kept}{people}</form>'
        "<p><small>A stand-in for Microsoft Entra ID. No password, and nobody real.</small>",
    )


def _words(text: str, status: int = 400) -> Response:
    return HTMLResponse(_document(text, ""), status)


def _document(title: str, body: str) -> str:
    title = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>{title}</h1>{body}"
    )
