"""Whom we may call, and when: rules against toll fraud, as data and pure functions.

Nothing is dialled unless it is allowed by name. What a number is (its country, whether it is
premium) is libphonenumber's knowledge, pinned: it changes with the world's numbering plans.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, timezone

from switchboard.errors import ConfigurationError, NotAllowed

MAX_CHARS: Final = 40
MAX_CODE_DIGITS: Final = 3
"""Of a calling code."""
_WRITTEN: Final = re.compile(r"\+[0-9 ()./-]+")
"""No letters, no parameters: what is dialled is what was read."""
NO_COUNTRY: Final = "001"
"""The region of satellites, of international networks and of international premium numbers."""
ORDINARY: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.TOLL_FREE,
    }
)
"""Kinds of numbers whose owner does not earn by being called. Personal numbers, shared cost,
pagers, company-wide numbers and whatever is unknown often do."""


class Why(StrEnum):
    """Why a number is not dialled."""

    NO_NUMBER = "no_number"
    NOT_ALLOWED = "prefix_not_allowed"
    PREMIUM = "premium_number"
    SATELLITE = "satellite_number"
    QUIET = "quiet_hours"
    UNKNOWN_TIME = "unknown_time_zone"
    DO_NOT_CALL = "do_not_call"
    PRINCIPAL_QUOTA = "principal_quota"
    NUMBER_QUOTA = "number_quota"
    DAY_QUOTA = "day_quota"
    AT_ONCE = "too_many_at_once"


WORDS: Final = {
    Why.NO_NUMBER: "This is no telephone number. Write it with its country: +44 20 7946 0018.",
    Why.NOT_ALLOWED: "This server does not call numbers of this kind or country.",
    Why.PREMIUM: "This server does not call numbers that cost the caller more than a call.",
    Why.SATELLITE: "This server does not call satellites or international networks.",
    Why.QUIET: "It is too late or too early where this telephone would ring.",
    Why.UNKNOWN_TIME: "Nobody knows what time it is where this telephone would ring.",
    Why.DO_NOT_CALL: "Whoever has this number does not want to be called.",
    Why.PRINCIPAL_QUOTA: "You have placed as many calls as you may in a day.",
    Why.NUMBER_QUOTA: "This number has been called as often as it may be in a day.",
    Why.DAY_QUOTA: "This server has placed as many calls as it may in a day.",
    Why.AT_ONCE: "This server is on as many calls as it may place at once.",
}


class NotDialled(NotAllowed):
    """A number that is not dialled. The message is safe to show; `why` is stable."""

    def __init__(self, why: Why) -> None:
        super().__init__(WORDS[why])
        self.why = why


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is called, by the clock on the wall where the telephone rings."""

    begin: time = time(21)
    end: time = time(8)

    @classmethod
    def read(cls, text: str) -> "QuietHours | None":
        """`21:00-08:00`, or `none`. Raises `ValueError` for anything else."""
        if text == "none":
            return None
        begin, _, end = text.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end))

    def cover(self, at: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True, slots=True)
class DiallingRules:
    """Which numbers may be dialled.

    An entry of `allowed` is a country (`GB`), a calling code, which stands for its main country
    only (`+1` is the United States, not the Caribbean), or any longer prefix, taken by the letter
    (`+1416`). Nothing listed, nothing dialled. Raises `ConfigurationError` for any other entry.
    """

    allowed: Sequence[str] = ()
    quiet: QuietHours | None = QuietHours()

    def __post_init__(self) -> None:
        for entry in self.allowed:
            if not _is_prefix(entry) and entry not in phonenumbers.SUPPORTED_REGIONS:
                raise ConfigurationError(
                    f"{entry!r} is neither a country nor a prefix to dial. "
                    "Write GB, +44 or +4420 (DIAL_ALLOWED)."
                )


def _is_prefix(entry: str) -> bool:
    """A calling code and what may follow it. Part of a code (`+4`) would be many countries."""
    digits = entry.removeprefix("+")
    if len(digits) == len(entry) or not digits.isdecimal() or not digits.isascii():
        return False
    codes = (int(digits[:length]) for length in range(1, MAX_CODE_DIGITS + 1))
    return any(code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for code in codes)


@dataclass(frozen=True, slots=True)
class Target:
    """A telephone that the rules let us call."""

    number: str
    """E.164."""
    country: str


def consider(text: str, rules: DiallingRules, now: datetime) -> Target:
    """The telephone that `text` means, if it may be called at `now`, a time with a zone.

    Raises `NotDialled`.
    """
    target = understand(text, rules)
    check_time(target, rules, now)
    return target


def understand(text: str, rules: DiallingRules) -> Target:
    """The telephone that `text` means, if it may be called at all, be it at another time.

    Raises `NotDialled`.
    """
    number = _number(text)
    _check_kind(number)
    target = Target(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.region_code_for_number(number) or "",
    )
    if not any(_allows(entry, number, target) for entry in rules.allowed):
        raise NotDialled(Why.NOT_ALLOWED)
    return target


def check_time(target: Target, rules: DiallingRules, now: datetime) -> None:
    """A number that may be in several zones is called when it is day in all of them.

    Raises `NotDialled`.
    """
    if rules.quiet is None:
        return
    for name in timezone.time_zones_for_number(phonenumbers.parse(target.number)):
        try:
            there = now.astimezone(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError):
            raise NotDialled(Why.UNKNOWN_TIME) from None
        if name == timezone.UNKNOWN_TIMEZONE:
            raise NotDialled(Why.UNKNOWN_TIME)
        if rules.quiet.cover(there.time()):
            raise NotDialled(Why.QUIET)


def _number(text: str) -> PhoneNumber:
    if len(text) > MAX_CHARS or _WRITTEN.fullmatch(text) is None:
        raise NotDialled(Why.NO_NUMBER)
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        raise NotDialled(Why.NO_NUMBER) from None
    if not phonenumbers.is_possible_number(number):
        raise NotDialled(Why.NO_NUMBER)
    return number


def _check_kind(number: PhoneNumber) -> None:
    if phonenumbers.region_code_for_country_code(number.country_code or 0) == NO_COUNTRY:
        raise NotDialled(Why.SATELLITE)
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN or not phonenumbers.is_valid_number(number):
        raise NotDialled(Why.NO_NUMBER)
    if kind not in ORDINARY:
        raise NotDialled(Why.PREMIUM)


def _allows(entry: str, number: PhoneNumber, target: Target) -> bool:
    if entry == f"+{number.country_code}":
        main = phonenumbers.region_code_for_country_code(number.country_code or 0)
        return target.country == main
    if entry.startswith("+"):
        return target.number.startswith(entry)
    return target.country == entry


def for_people(number: str) -> str:
    """A number, E.164, as people write it; as it is where it is no number."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def zone_of(number: str) -> ZoneInfo | None:
    """The clock of the telephone with this number, E.164, where there is but one it may go by."""
    try:
        names = timezone.time_zones_for_number(phonenumbers.parse(number))
        zones = [ZoneInfo(name) for name in names if name != timezone.UNKNOWN_TIMEZONE]
    except (NumberParseException, ZoneInfoNotFoundError, ValueError):
        return None
    return zones[0] if len(zones) == 1 else None
