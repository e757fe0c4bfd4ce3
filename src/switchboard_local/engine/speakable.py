"""Text as it should be said: what a person would read aloud, in letters and plain punctuation.

A voice reads "6614" as "six thousand six hundred and fourteen" and "£42.10" as anything at all.
Identifiers and long numbers are therefore spelt, and money, dates, times, telephone numbers, units
and abbreviations put into words, before any voice sees the text. Pure; English only.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from switchboard_local.engine.numerals import ordinal
from switchboard_local.engine.readings import (
    UNITS,
    address,
    bare_number,
    code,
    dated,
    money,
    number,
    quantity,
    telephone,
    timed,
)

type _Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

_PUNCTUATION: Final = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-",
        "\u2012": "-", "\u2013": " - ", "\u2014": ", ", "\u2026": "...", "\u00a0": " ",
        "\u202f": " ", "\u2022": ", ", "\u00b7": ", ", "\u00d7": " times ", "\u00b0": " degrees ",
        "\u2212": "-", "\u2192": ", ", "\u00bd": " and a half ", "\u20ac": "\u20ac",
    }
)  # fmt: skip
_ABBREVIATIONS: Final = {
    r"\bMr\.?(?=\s)": "mister",
    r"\bMrs\.?(?=\s)": "missus",
    r"\bMs\.?(?=\s)": "miz",
    r"\bDr\.?(?=\s+[A-Z])": "doctor",
    r"\bSt\.(?=\s+[A-Z])": "saint",
    r"\bSt\.?(?=[\s,]|$)": "street",
    r"\bAve\.?(?=[\s,]|$)": "avenue",
    r"\bRd\.?(?=[\s,]|$)": "road",
    r"\bApt\.?(?=\s)": "apartment",
    r"\b[Nn]o\.(?=\s*\w*\d)": "number",
    r"\b[Nn]os\.(?=\s*\d)": "numbers",
    r"\b[Aa]pprox\.?(?=\s)": "approximately",
    r"\be\.g\.,?": "for example",
    r"\bi\.e\.,?": "that is",
    r"\betc\.": "et cetera.",
    r"\bvs\.?(?=\s)": "versus",
    r"\bASAP\b": "as soon as possible",
    r"\bFAQs?\b": "frequently asked questions",
    r"\bN/A\b": "not available",
    r"\bw/o\b": "without",
    r"\band/or\b": "and or",
    r"(?<=[A-Za-z])\s*&\s*(?=[A-Za-z])": " and ",
}
_MONTH: Final = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_YEAR: Final = r"(?P<year>(?:1[89]|20)\d\d)"


def speakable(text: str) -> str:
    """`text` in letters, spaces and `.,;:!?'-` alone; empty when nothing of it can be said."""
    said = _plain(text)
    for pattern, word in _ABBREVIATION_RULES:
        said = pattern.sub(word, said)
    for pattern, put in _RULES:
        said = pattern.sub(put, said)
    return _tidy(said)


def _plain(text: str) -> str:
    """Without Markdown, typographic signs, accents, pictures and what has no sound."""
    text = re.sub(r"!?\[([^\]\[]*)\]\([^()\s]*\)", r"\1", text)
    text = re.sub(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+", ", ", text, flags=re.MULTILINE)
    text = re.sub(
        r"^\s*#{1,6}\s+|[`~]|\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)", "", text, flags=re.MULTILINE
    )
    text = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION)).translate(_PUNCTUATION)
    kept = [char for char in text if char.isascii() or char in "£€"]
    return re.sub(r"\s+", " ", "".join(kept)).strip()


def _tidy(text: str) -> str:
    """One space at a time, no orphaned punctuation, nothing a voice could stumble over."""
    text = re.sub(r"[^A-Za-z .,;:!?'-]+", " ", text)
    text = re.sub(r"(?<![A-Za-z])['-]+|['-]+(?![A-Za-z])", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?: ?[.,;:!?])+", lambda found: _strongest(found.group()), text)
    return re.sub(r"\s+", " ", text).lstrip(" .,;:!?").rstrip()


def _strongest(marks: str) -> str:
    """Of several marks in a row the one that matters most, then a space."""
    return next(mark for mark in "?!.;:," if mark in marks) + " "


def _say(pattern: str, put: Callable[[re.Match[str]], str], flags: int = 0) -> _Rule:
    return re.compile(pattern, flags), put


def _as(words: str) -> Callable[[re.Match[str]], str]:
    return lambda _: f" {words} "


_SYMBOL: Final = r"(?P<symbol>[$£€]|\b(?:USD|GBP|EUR|AED|SAR|INR|CHF)\s?)"
_AMOUNT: Final = r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,14})(?:\.(?P<fraction>\d{1,2}))?(?!\d|[.,]\d)"
_SCALE: Final = r"(?P<scale>\s(?:thousand|million|billion)\b)?"
_MANY: Final = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?|\d{1,14}\.\d{1,6}"
_LONG_UNIT: Final = "|".join(sorted((unit for unit in UNITS if len(unit) > 1), reverse=True))
_UNIT: Final = rf"(?:(?i:{_LONG_UNIT})|[ghms])(?![\w/-])"  # 5 g is a weight, 5G is not

_ABBREVIATION_RULES: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(pattern), word) for pattern, word in _ABBREVIATIONS.items()
)
_RULES: Final[Sequence[_Rule]] = (
    _say(
        r"\bhttps?://[\w.-]+(?:/[\w./-]*)?|\bwww\.[\w.-]+\w|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", address
    ),
    _say(rf"(?P<sign>-?){_SYMBOL}{_AMOUNT}{_SCALE}", money),
    _say(
        rf"(?<![\w.,])(?P<sign>-?){_AMOUNT}{_SCALE}\s?"
        r"(?P<symbol>(?:USD|GBP|EUR|AED|SAR|INR|CHF)\b|[$£€](?!\d))",
        money,
    ),
    _say(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:T(?=\d)|\b)", dated),
    _say(r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\b", dated),
    _say(
        rf"\b(?:[Tt]he )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?![A-Za-z])"
        rf"(?:,? {_YEAR}\b)?",
        dated,
    ),
    _say(
        rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)(?:,? {_YEAR}\b)?",
        dated,
    ),
    _say(
        r"(?<![\d:.])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?"
        r"(?![\d:])(?:\s?(?P<half>[APap])\.?\s?[Mm]\b(?:\.(?=\s[a-z]))?)?",
        timed,
    ),
    _say(
        r"\b(?P<hour>\d{1,2})(?P<minute>)\s?(?P<half>[APap])\.?\s?[Mm]\b(?:\.(?=\s[a-z]))?", timed
    ),
    _say(
        r"\b\d{4}(?: \d{4}){2,4}\b"
        r"|\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}\b|\(\d{3}\)[ -]?\d{3}[ -]?\d{4}\b"
        r"|\b\d{3,5}[ -]\d{3,4}[ -]\d{3,4}\b|\b\d{3}-\d{4}\b|\b0\d{2,4} \d{3,8}\b",
        telephone,
    ),
    _say(r"\b24/7\b", _as("twenty-four seven")),
    _say(
        r"\b(?P<count>\d{1,9})(?:st|nd|rd|th)\b",
        lambda found: ordinal(int(found["count"])),
        re.IGNORECASE,
    ),
    _say(
        rf"(?<![\w.-])(?P<number>{_MANY}|\d{{1,14}})\s?(?P<unit>%|{_UNIT})",
        quantity,
    ),
    # A word with a digit in it is a code, together with what a dash or a slash joins to it.
    _say(
        r"\b(?:[A-Za-z]{1,12}[-_/]?\d|\d{1,12}[A-Za-z]|\d{1,12}[-_/]\d)[A-Za-z\d]*(?:[-_/][A-Za-z\d]+)*",
        code,
    ),
    _say(rf"(?<![\w.,-])(?P<sign>-?)(?P<number>{_MANY})(?!\d|[.,]\d)", number),
    _say(r"(?<=\d)\.(?=\d)", _as("dot")),
    _say(r"\d+", bare_number),
    _say(r"\$", _as("dollars")),
    _say("£", _as("pounds")),
    _say("€", _as("euros")),
    _say("%", _as("percent")),
    _say("#", _as("number")),
    _say("&", _as("and")),
    _say("@", _as("at")),
    _say(r"\+", _as("plus")),
    _say("=", _as("equals")),
    _say(r"(?<=\w)/(?=\w)", _as("or")),
    _say(r"\s-+\s|--+", lambda _: ", "),
)
