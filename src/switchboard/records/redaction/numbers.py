"""Numbers of cards and telephones in a run of digits."""

import re
from collections.abc import Sequence
from typing import Final

from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumberMatcher,
    is_possible_number,
    parse,
)
from stdnum import luhn

from switchboard.records.redaction.runs import Run

MAX_CARD: Final = 19
MIN_CARD: Final = 13
MAX_REST: Final = 12
"""Digits right after a card's number that go with it: when it expires, the code on its back."""
ENDLESS: Final = 256
"""More digits than this in one run are not worth keeping: they are not looked through."""
MIN_PHONE: Final = 7
MAX_PHONE: Final = 15
_WITH_TRUNK: Final = (10, 11)
"""Digits of a number that begins with the 0 which most countries dial first."""

_ISSUERS: Final = re.compile(
    r"(?=(?P<visa>4)"
    r"|(?P<sixteen>5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)"
    r"|(?P<amex>3[47])"
    r"|(?P<diners>30[0-5]|3095|36|3[89])"
    r"|(?P<long>50|5[6-8]|6|35(?:2[89]|[3-8])|220[0-4]|8[12]))"
)
"""The first digits of the great schemes' numbers (ISO/IEC 7812)."""
_LENGTHS: Final = {
    "visa": (16, 19),
    "sixteen": (16,),
    "amex": (15,),
    "diners": (14, 16),
    "long": (16, 17, 18, 19),
}
_CARD_CUE: Final = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|american express|debit|maestro)\b[^\d.?!\0]{0,40}\Z",
    re.IGNORECASE,
)
_CODE_CUE: Final = re.compile(
    r"\b(?:cvv2?|cvc2?|cv2|security code|card verification)\b[^\d.?!\0]{0,30}\Z", re.IGNORECASE
)
_PHONE_CUE: Final = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|cellphone|landline|whatsapp|fax"
    r"|call (?:me|him|her|us|them|back)|ring (?:me|him|her|us|them|back)|reach (?:me|him|her|us)"
    r"|text (?:me|him|her|us)|my number|dial)\b[^\d.?!\0]{0,30}\Z",
    re.IGNORECASE,
)
OTHER_CUE: Final = re.compile(
    r"\b(?:orders?|invoice|reference|ref|ticket|tracking|parcel|case|booking|reservation"
    r"|confirmation|account|policy|serial|part|model|customer|claim|transaction|meter|article|item"
    r"|sku|isbn|imei|barcode|product|contract|sort code|version|build|timestamp|file)"
    r"(?: (?:number|no\.?|id|code))?\b[^\d.?!\0]{0,16}\Z",
    re.IGNORECASE,
)
"""What follows is a number of something else."""
_MONEY: Final = re.compile(r"[$€£¥%]|\b(?:usd|eur|gbp)\s?\Z", re.IGNORECASE)


def cards(run: Run, before: str) -> Sequence[tuple[int, int]]:
    """Stretches of digits (first, last) that are a card's number, or the code on its back.

    Whatever stands around a number that can be one, it is found.
    """
    count = len(run.digits)
    if count in (3, 4) and _CODE_CUE.search(before):
        return [(0, count - 1)]
    if count < MIN_CARD:
        return []
    if count <= MAX_CARD and (_CARD_CUE.search(before) or _looks_printed(run)):
        return [(0, count - 1)]  # one digit may have been misheard
    if count > ENDLESS:
        return [(0, count - 1)]
    return [_widened(run, first, last) for first, last in _valid(run.digits)]


def _looks_printed(run: Run) -> bool:
    return run.sizes == (4, 4, 4, 4) or (run.sizes == (4, 6, 5) and run.digits[0] == "3")


def _valid(digits: str) -> list[tuple[int, int]]:
    return [
        (issuer.start(), issuer.start() + length - 1)
        for issuer in _ISSUERS.finditer(digits)
        for length in _LENGTHS[issuer.lastgroup or ""]
        if issuer.start() + length <= len(digits)
        and luhn.is_valid(digits[issuer.start() : issuer.start() + length])
    ]


def _widened(run: Run, first: int, last: int) -> tuple[int, int]:
    """With the rest of its groups, and with what is said right after it."""
    begin = max(group for group in run.groups if group <= first)
    rest = len(run.digits) - 1 - last
    if rest <= MAX_REST:
        return begin, len(run.digits) - 1
    later = [group for group in run.groups if group > last]
    return begin, (later[0] if later else len(run.digits)) - 1


def phones(run: Run, before: str, countries: Sequence[str]) -> Sequence[tuple[int, int]]:
    """Stretches of digits (first, last) that are a telephone number."""
    count = len(run.digits)
    if count < MIN_PHONE or _MONEY.search(before[-5:]):
        return []
    if count <= MAX_PHONE and _PHONE_CUE.search(before):
        return [(0, count - 1)]
    if not run.plus and OTHER_CUE.search(before):
        return []
    if _possible(run, countries):
        return [(0, count - 1)]
    return _valid_ones(run, countries)


def _possible(run: Run, countries: Sequence[str]) -> bool:
    """As long as it should be, and begun as numbers are: somebody may have misheard a digit."""
    trunk = run.digits[0] == "0" and len(run.digits) in _WITH_TRUNK
    if not run.plus and not trunk:
        return False
    if not run.plus:
        return bool(countries)
    try:
        return is_possible_number(parse(f"+{run.digits}"))
    except NumberParseException:
        return False


def _valid_ones(run: Run, countries: Sequence[str]) -> Sequence[tuple[int, int]]:
    written = f"+{run.plain}" if run.plus else run.plain
    shift = 1 if run.plus else 0
    found: list[tuple[int, int]] = []
    for country in countries or ("ZZ",):
        # Bounded: a run without end is not a telephone's.
        for match in PhoneNumberMatcher(written[:400], country, Leniency.VALID, max_tries=30):
            begin = max(match.start - shift, 0)
            end = min(match.end - shift, len(run.plain)) - 1
            found.append((run.plain_at[begin], run.plain_at[end]))
        if found:
            break
    return found
