"""Numbers as they are said aloud, in American English. Pure."""

from typing import Final

UNITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS: Final = (
    "",
    "",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_SCALES: Final = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS_IN_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_GROUP: Final = 4
"""A long string of digits is easier to write down in fours."""


def cardinal(value: int) -> str:
    """-42 → "minus forty-two". A quadrillion and more are read digit by digit."""
    if value < 0:
        return f"minus {cardinal(-value)}"
    if value >= 10**15:
        return digits(str(value))
    if value < 20:
        return UNITS[value]
    if value < 100:
        tens, unit = divmod(value, 10)
        return TENS[tens] + (f"-{UNITS[unit]}" if unit else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{UNITS[hundreds]} hundred" + (f" and {cardinal(rest)}" if rest else "")
    return _scaled(value)


def _scaled(value: int) -> str:
    size, name = next(scale for scale in _SCALES if value >= scale[0])
    count, rest = divmod(value, size)
    if not rest:
        return f"{cardinal(count)} {name}"
    joint = " and " if rest < 100 else " "
    return f"{cardinal(count)} {name}{joint}{cardinal(rest)}"


def ordinal(value: int) -> str:
    """21 → "twenty-first"."""
    words = cardinal(value)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    if last in _ORDINALS:
        return head + _ORDINALS[last]
    return head + (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def decimal(whole: str, fraction: str) -> str:
    """("3", "14") → "three point one four"."""
    return f"{cardinal(int(whole))} point {plain_digits(fraction)}"


def plain_digits(text: str) -> str:
    """ "042" → "zero four two"."""
    return " ".join(UNITS[int(digit)] for digit in text)


def digits(text: str) -> str:
    """Digit by digit, in groups when there are many: "55512345" → "five five five one, two …"."""
    if len(text) <= 6:
        return plain_digits(text)
    cut = len(text) % _GROUP
    groups = [text[:cut]] if cut > 1 else []
    start = cut if cut > 1 else 0
    if cut == 1:  # no digit is left alone
        groups, start = [text[: cut + 2], text[cut + 2 : cut + _GROUP]], cut + _GROUP
    groups += [text[at : at + _GROUP] for at in range(start, len(text), _GROUP)]
    return ", ".join(plain_digits(group) for group in groups)


def year(value: int) -> str:
    """2026 → "twenty twenty-six", 2005 → "two thousand and five", 1900 → "nineteen hundred"."""
    century, rest = divmod(value, 100)
    if value < 1000 or (2000 <= value < 2010):
        return cardinal(value)
    if rest == 0:
        return cardinal(value) if century % 10 == 0 else f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {f'oh {UNITS[rest]}' if rest < 10 else cardinal(rest)}"


def date(day: int, month: int, year_: int | None = None) -> str | None:
    """(1, 3, 2026) → "March first, twenty twenty-six"; `None` for a day that is none."""
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS_IN_MONTH[month - 1]:
        return None
    said = f"{_MONTHS[month - 1]} {ordinal(day)}"
    return said if year_ is None else f"{said}, {year(year_)}"


def month_number(name: str) -> int | None:
    """ "Mar", "March" or "march" → 3."""
    for number, month in enumerate(_MONTHS, 1):
        if name.lower() in {month.lower(), month[:3].lower()} or name.lower() == "sept" == (
            month[:4].lower()
        ):
            return number
    return None


def clock(hour: int, minute: int, half: str | None) -> str | None:
    """(14, 30, None) → "two thirty P M"; `half` is "a" or "p"; `None` for a time that is none."""
    if not 0 <= hour <= 24 or not 0 <= minute < 60 or (half and not 1 <= hour <= 12):
        return None
    if half is None and (hour > 12 or hour == 0):
        half = "p" if 12 < hour < 24 else "a"
    shown = (hour - 1) % 12 + 1
    minutes = "" if not minute else f" {f'oh {UNITS[minute]}' if minute < 10 else cardinal(minute)}"
    if half is None:
        return f"{cardinal(shown)}{minutes or ' o-clock'}"
    return f"{cardinal(shown)}{minutes} {half.upper()} M"
