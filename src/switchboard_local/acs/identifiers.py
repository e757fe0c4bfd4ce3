"""Who is who: raw ids (`4:+15550001111`, `8:acs:…`) and the identifiers of the REST interface."""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from switchboard_local.acs.refusals import bad

type Short = Annotated[str, Meta(max_length=256)]

_PHONE: Final = "4:"
_USER: Final = "8:acs:"
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{2,14}")
"""E.164: at most fifteen digits, the first never a zero."""


class PhoneNumber(msgspec.Struct, frozen=True):
    value: Short


class CommunicationUser(msgspec.Struct, frozen=True):
    id: Short


class Identifier(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody, as requests name them. Two of its many kinds are known here."""

    raw_id: Short | None = None
    phone_number: PhoneNumber | None = None
    communication_user: CommunicationUser | None = None


def raw_id(identifier: Identifier) -> str:
    """The one name of `identifier`. Raises `AcsRefused`."""
    if identifier.phone_number is not None:
        return of_number(identifier.phone_number.value)
    if identifier.communication_user is not None:
        return checked(identifier.communication_user.id)
    return checked(identifier.raw_id or "")


def of_number(number: str) -> str:
    """The raw id of a telephone number in E.164. Raises `AcsRefused`."""
    return checked(f"{_PHONE}{number}")


def checked(raw: str) -> str:
    """`raw`, if it is the id of a number or of a user. Raises `AcsRefused`."""
    number = raw.removeprefix(_PHONE)
    if number != raw and _NUMBER.fullmatch(number):
        return raw
    if raw.startswith(_USER) and len(raw) > len(_USER):
        return raw
    raise bad("An identifier is a phone number in E.164 or a communication user.")


def number_of(raw: str) -> str | None:
    """The telephone number that `raw` names, if it names one."""
    number = raw.removeprefix(_PHONE)
    return None if number == raw else number


def wire(raw: str) -> dict[str, object]:
    """As answers and events name somebody."""
    number = number_of(raw)
    if number is None:
        return {"kind": "communicationUser", "rawId": raw, "communicationUser": {"id": raw}}
    return {"kind": "phoneNumber", "rawId": raw, "phoneNumber": {"value": number}}
