"""Whether somebody is who Entra says: access tokens, version 2.0, for our own application.

Claims are those of "Access token claims reference" of the Microsoft identity platform. A token of a
person has the scope `access_as_user` (`scp`); that of a program has none. Both name what their
bearer may do here in `roles`: the application's roles `caller` and `operator`.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from switchboard.access.identity import is_loopback
from switchboard.access.keys import Fetch, Keys
from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.refusals import NotIdentified
from switchboard.access.signed import (
    Claims,
    Expected,
    SignedTokens,
    bearer_of,
    unchecked_claims,
)
from switchboard.errors import ConfigurationError, NotAllowed

SCOPE: Final = "access_as_user"
"""What a page must ask for, as `api://<client id>/access_as_user`."""
AUTHORITY: Final = "https://login.microsoftonline.com"
GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_NAME_CHARS: Final = 100
LATEST_S: Final = 2**53
"""Beyond all time."""

_NOT_SIGNED_IN: Final = "Sign in first."
_NOT_GOOD: Final = "This token is not good here."
_INVALID: Final = 'Bearer error="invalid_token"'


@dataclass(frozen=True, slots=True)
class SignInTrust:
    """Whose people may come in. Raises `ConfigurationError`."""

    client_id: str
    """Our application: a GUID, which is the tokens' audience."""
    tenants: Collection[str]
    """Theirs: GUIDs."""
    authority: str = AUTHORITY

    def __post_init__(self) -> None:
        if not self.tenants:
            raise ConfigurationError(
                "SIGN_IN_CLIENT_ID is set, so set SIGN_IN_TENANT_ID too: whose users may come in."
            )
        for setting, ids in (
            ("SIGN_IN_CLIENT_ID", [self.client_id]),
            ("SIGN_IN_TENANT_ID", self.tenants),
        ):
            if not all(map(GUID.fullmatch, ids)):
                raise ConfigurationError(
                    f"{setting} is an id such as 11111111-2222-3333-4444-555555555555, no name."
                )
        if not _is_safe(self.authority):
            raise ConfigurationError(
                "SIGN_IN_AUTHORITY must be https: it says by which keys people are known. "
                "Plain http is for loopback only."
            )

    @property
    def audiences(self) -> Collection[str]:
        return self.client_id, f"api://{self.client_id}"

    @property
    def origin(self) -> str:
        return "/".join(self.authority.split("/", 3)[:3])

    def tenant_url(self, tenant: str) -> str:
        """Where a tenant's issuer begins."""
        return f"{self.authority.rstrip('/')}/{tenant}"


class People:
    """Lets in whoever shows one good token of the tenants that are trusted."""

    header: ClassVar[str] = "authorization"
    """What somebody shows; whoever does not is a stranger."""

    def __init__(self, trust: SignInTrust, fetch: Fetch) -> None:
        self._signers: dict[str, tuple[str, SignedTokens]] = {}
        for tenant in trust.tenants:
            issuer = f"{trust.tenant_url(tenant)}/v2.0"
            keys = Keys(f"{issuer}/.well-known/openid-configuration", fetch)
            self._signers[issuer] = tenant, SignedTokens(keys, Expected([issuer], trust.audiences))

    async def identify(self, connection: HTTPConnection) -> Principal:
        """Who this is. Raises `NotIdentified`, `CannotTell`, and `NotAllowed` for whoever is known
        but has no role here."""
        if self.header not in connection.headers:
            raise NotIdentified(_NOT_SIGNED_IN, challenge="Bearer")
        try:
            return await self.of_token(bearer_of(connection))
        except NotIdentified as refusal:
            raise NotIdentified(str(refusal), challenge=_INVALID) from None

    async def of_token(self, token: str) -> Principal:
        """Whom a token speaks of. Raises as `identify` does."""
        tenant, tokens = self._signer(token)
        return principal_of(await tokens.check(token), tenant)

    def _signer(self, token: str) -> tuple[str, SignedTokens]:
        """Who should have signed it, by its own word; that is checked next."""
        try:
            issuer = unchecked_claims(token).get("iss")
        except (ValueError, RecursionError):
            raise NotIdentified(_NOT_GOOD) from None
        found = self._signers.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise NotIdentified(_NOT_GOOD)
        return found


def _end_of(exp: object) -> float:
    """Epoch seconds. Raises `NotIdentified` for what is no time."""
    if isinstance(exp, bool) or not isinstance(exp, int | float) or not exp > 0:
        raise NotIdentified(_NOT_GOOD)
    return float(min(exp, LATEST_S))


def principal_of(claims: Claims, tenant: str) -> Principal:
    """Whom a token's checked claims speak of. Raises `NotIdentified` for what is no access token of
    version 2.0, and `NotAllowed` for one without our scope or a role."""
    oid = claims.get("oid")
    if claims.get("ver") != "2.0" or claims.get("tid") != tenant or not _is_guid(oid):
        raise NotIdentified(_NOT_GOOD)
    is_program = "scp" not in claims
    if is_program and not _is_programs(claims):
        raise NotIdentified(_NOT_GOOD)
    if not is_program and not _has_scope(claims):
        raise NotAllowed(f"This token is not for calling: it lacks the scope {SCOPE}.")
    usual = "Program" if is_program else "Caller"
    return Principal(
        person_id(tenant, str(oid)),
        plain_name(claims.get("name"), usual),
        known_roles(claims.get("roles")),
        Kind.PERSON,
        until=_end_of(claims.get("exp")),
    )


def person_id(tenant: str, oid: str) -> str:
    """The same for one account each time, and for no other; it does not say whose it is."""
    return "p-" + hashlib.sha256(f"{tenant}/{oid}".encode()).hexdigest()[:40]


def known_roles(said: object) -> frozenset[Role]:
    """The roles that are ours; an operator may call as well. Raises `NotAllowed` for none."""
    named = {str(each) for each in said} if isinstance(said, list) else set[str]()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    roles = {role for role in Role if role.value in named}
    if not roles:
        raise NotAllowed(
            "Your account has no role here. Whoever runs this server can give it one: "
            "caller, or operator."
        )
    return frozenset({*roles, Role.CALLER})


def plain_name(said: object, usual: str) -> str:
    """A name in one line of sensible length, or `usual`."""
    if not isinstance(said, str):
        return usual
    return "".join(filter(str.isprintable, said)).strip()[:MAX_NAME_CHARS] or usual


def _is_programs(claims: Mapping[str, Any]) -> bool:
    """An ID token has no scope either, and the same audience: but it was not given to a program,
    whose token speaks of the program itself."""
    of_itself = claims.get("idtyp") == "app" or claims.get("sub") == claims.get("oid")
    return of_itself and _is_guid(claims.get("azp")) and "nonce" not in claims


def _has_scope(claims: Mapping[str, Any]) -> bool:
    said = claims["scp"]
    return isinstance(said, str) and SCOPE in said.split() and claims.get("idtyp") != "app"


def _is_guid(text: object) -> bool:
    return isinstance(text, str) and GUID.fullmatch(text) is not None


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.query or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
