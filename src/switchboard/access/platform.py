"""Whom the platform's door has let in: the built-in authentication of Container Apps.

The door signs people in, and tells the server who they are in `X-MS-CLIENT-PRINCIPAL`: base64 of a
JSON object with the claims of the token ("Access user claims in app code"). It takes the header
away from whoever sends one. So it is believed where the owner has said that this door is there, and
nowhere else: without it, anybody could write it.
"""

import base64
import binascii
from typing import ClassVar, Final

import msgspec
from starlette.requests import HTTPConnection

from switchboard.access.people import GUID, SignInTrust, known_roles, person_id, plain_name
from switchboard.access.principal import Kind, Principal
from switchboard.access.refusals import NotIdentified

MAX_HEADER_CHARS: Final = 32_768
MAX_CLAIMS: Final = 500
_NOT_GOOD: Final = "The platform's word is not understood."
_TENANTS: Final = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
_OBJECTS: Final = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_ROLES: Final = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str


class _Said(msgspec.Struct, frozen=True):
    auth_typ: str
    claims: list[_Claim]


_said: Final = msgspec.json.Decoder(_Said)


class Platform:
    """Takes the door's word, if it is about our application and our tenants."""

    header: ClassVar[str] = "x-ms-client-principal"
    """What somebody shows; whoever does not is a stranger."""

    def __init__(self, trust: SignInTrust) -> None:
        self._trust = trust

    async def identify(self, connection: HTTPConnection) -> Principal:
        """Who this is. Raises `NotIdentified`, and `NotAllowed` for whoever has no role here."""
        shown = connection.headers.getlist(self.header)
        if not shown:
            raise NotIdentified("Sign in first.", challenge="Bearer")
        claims = _claims(shown)
        tenant, oid = _one(claims, _TENANTS), _one(claims, _OBJECTS)
        if tenant not in self._trust.tenants or not GUID.fullmatch(oid):
            raise NotIdentified("This account is not of a tenant that may come in.")
        # Its own settings say for which application it asks; where it tells us, they must agree.
        if _named(claims, ("aud",)) - set(self._trust.audiences):
            raise NotIdentified("The platform's door is that of another application.")
        roles = [claim.val for claim in claims if claim.typ in _ROLES]
        names = [claim.val for claim in claims if claim.typ == "name"]
        return Principal(
            person_id(tenant, oid),
            plain_name(names[0] if names else None, "Caller"),
            known_roles(roles),
            Kind.PERSON,
        )


def _claims(shown: list[str]) -> list[_Claim]:
    """Raises `NotIdentified`."""
    try:
        if len(shown) != 1 or len(shown[0]) > MAX_HEADER_CHARS:
            raise NotIdentified(_NOT_GOOD)
        said = _said.decode(base64.b64decode(shown[0], validate=True))
    except (binascii.Error, msgspec.MsgspecError, ValueError, RecursionError):
        raise NotIdentified(_NOT_GOOD) from None
    if said.auth_typ != "aad" or len(said.claims) > MAX_CLAIMS:
        raise NotIdentified(_NOT_GOOD)
    return said.claims


def _named(claims: list[_Claim], names: tuple[str, ...]) -> set[str]:
    return {claim.val for claim in claims if claim.typ in names}


def _one(claims: list[_Claim], names: tuple[str, ...]) -> str:
    """The claim under any of its names, if there is just one value of it."""
    found = _named(claims, names)
    return found.pop() if len(found) == 1 else ""
