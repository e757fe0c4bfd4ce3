"""How each kind of number, date, address and code is read aloud, once it has been found. Pure."""

import re
from typing import Final

from switchboard_local.engine.numerals import (
    cardinal,
    clock,
    date,
    decimal,
    digits,
    month_number,
    plain_digits,
    year,
)

_CURRENCIES: Final = {
    "$": ("dollar", "cent"),
    "usd": ("dollar", "cent"),
    "£": ("pound", "penny"),
    "gbp": ("pound", "penny"),
    "€": ("euro", "cent"),
    "eur": ("euro", "cent"),
    "aed": ("dirham", "fils"),
    "sar": ("riyal", "halala"),
    "inr": ("rupee", "paisa"),
    "chf": ("franc", "centime"),
}
_SAME_IN_PLURAL: Final = frozenset({"fils"})
UNITS: Final = {
    "%": "percent", "km": "kilometre", "m": "metre", "cm": "centimetre", "mm": "millimetre",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "ml": "millilitre", "gb": "gigabyte",
    "mb": "megabyte", "kb": "kilobyte", "tb": "terabyte", "kwh": "kilowatt hour", "kw": "kilowatt",
    "ms": "millisecond", "min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour",
    "h": "hour", "s": "second", "sec": "second", "secs": "second", "mi": "mile",
    "mph": "mile per hour",
    "mbps": "megabit per second", "gbps": "gigabit per second", "lb": "pound", "lbs": "pound",
    "ft": "foot", "oz": "ounce",
}  # fmt: skip
_DIGIT_BY_DIGIT_AFTER: Final = re.compile(
    r"\b(?:ending(?: in| with)?|ends in|number|code|reference|ref|account|acct|pin|ids?|card|plate"
    r"|extension|ext|ticket|order|case|policy|postcode|zip|dial|press)(?: is| number| code|:|\.)?"
    r"\s*#?\s*$",
    re.IGNORECASE,
)
_YEAR_AFTER: Final = re.compile(
    r"\b(?:in|since|of|by|until|from|year|before|after|during|January|February|March|April|May|June"
    r"|July|August|September|October|November|December)\s+$",
    re.IGNORECASE,
)


def money(match: re.Match[str]) -> str:
    """-$2,500.50, 20 EUR, £1.2 million."""
    unit, small = _CURRENCIES[match["symbol"].strip().lower()]
    minus, fraction = "minus " if match["sign"] else "", match["fraction"]
    amount = int(match["whole"].replace(",", ""))
    if match["scale"]:
        many = decimal(str(amount), fraction) if fraction else cardinal(amount)
        return f" {minus}{many} {match['scale'].strip().lower()} {_plural(unit, 2)} "
    cents = int(fraction.ljust(2, "0")[:2]) if fraction else 0
    parts = [f"{cardinal(amount)} {_plural(unit, amount)}"] if amount or not cents else []
    if cents:
        parts.append(f"{cardinal(cents)} {_plural(small, cents)}")
    return f" {minus}{' and '.join(parts)} "


def _plural(unit: str, count: int) -> str:
    if count == 1 or unit in _SAME_IN_PLURAL:
        return unit
    head, per, rest = unit.partition(" per ")
    irregular = {"penny": "pence", "foot": "feet"}
    return irregular.get(head, f"{head}s") + per + rest


def number(match: re.Match[str]) -> str:
    """A number that can only be a count: -1,250 or 3.5."""
    return f"{'minus ' if match['sign'] else ''}{_count(match['number'])}"


def _count(number: str) -> str:
    whole, dot, fraction = number.replace(",", "").partition(".")
    return decimal(whole, fraction) if dot else cardinal(int(whole))


def quantity(match: re.Match[str]) -> str:
    """A count and its unit: 5 GB, 12.5%, 70 mph."""
    unit = UNITS[match["unit"].lower()]
    count = 1 if match["number"] == "1" or unit == "percent" else 2
    return f"{_count(match['number'])} {_plural(unit, count)} "


def dated(match: re.Match[str]) -> str:
    """A day of the calendar, with or without its year."""
    month = month_number(match["month"]) or int(match["month"])
    said = date(int(match["day"]), month, int(match["year"]) if match["year"] else None)
    return f" {said or _spelt(match.group())} "


def timed(match: re.Match[str]) -> str:
    """A time of day."""
    hour, half = match["hour"], match["half"]
    said = clock(int(hour), int(match["minute"] or 0), half.lower() if half else None)
    if said is None:
        return _spelt(match.group())
    if hour.startswith("0") and half is None and hour != "00":
        said = clock(int(hour), int(match["minute"]), "a") or said
    return f"{said} "


def telephone(match: re.Match[str]) -> str:
    """Digits in the groups they are written in."""
    groups = re.findall(r"\d+", match.group())
    plus = "plus " if match.group().startswith("+") else ""
    return plus + ", ".join(digits(group) for group in groups) + " "


def address(match: re.Match[str]) -> str:
    """A web or mail address."""
    said = re.sub(r"^https?://(?:www\.)?", "", match.group()).rstrip("/")
    for sign, word in (
        (".", "dot"),
        ("@", "at"),
        ("-", "dash"),
        ("_", "underscore"),
        ("/", "slash"),
    ):
        said = said.replace(sign, f" {word} ")
    return re.sub(r"\d+", lambda found: f" {plain_digits(found.group())} ", said)


def _spelt(text: str) -> str:
    """A code: capitals and digits one by one, a pause where it has a dash."""
    pieces: list[str] = []
    for piece in re.findall(r"\d+|[A-Za-z]+|[^A-Za-z\d]+", text):
        if piece.isdigit():
            pieces.append(digits(piece))
        elif piece.isalpha():
            word = len(piece) > 4 or (len(piece) > 1 and not piece.isupper())
            pieces.append(piece if word else " ".join(piece.upper()))
        elif re.search(r"[-/:_.]", piece):
            pieces.append(",")
    return re.sub(r"\s+,", ",", f" {' '.join(pieces)} ")


def code(match: re.Match[str]) -> str:
    """An identifier such as ORD-6614 or TX99."""
    return _spelt(match.group())


def bare_number(match: re.Match[str]) -> str:
    """A number that nothing tells what it is of: a year, a code or a count."""
    text, before = match.group(), match.string[: match.start()]
    if len(text) > 1 and text.startswith("0"):
        return digits(text)
    if _DIGIT_BY_DIGIT_AFTER.search(before[-40:]):
        return digits(text)
    if re.fullmatch(r"(?:1[89]|20)\d\d", text) and _YEAR_AFTER.search(before[-12:]):
        return year(int(text))
    round_count = len(text) <= 3 or (len(text) <= 6 and text.endswith("00"))
    return cardinal(int(text)) if round_count else digits(text)
