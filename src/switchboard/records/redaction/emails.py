"""E-mail addresses as they are written (jane@example.com) and spoken (jane at example dot com)."""

import re
from collections.abc import Iterator
from typing import Final

from switchboard.records.redaction.runs import WORDS

_LOCAL: Final = re.compile(r"[\w.%+'\u2019-]{1,64} ?\Z")
_DOMAIN: Final = re.compile(r"@ ?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_AT: Final = re.compile(r"(?<=\s)at(?=\s)", re.IGNORECASE)
_SPOKEN_DOMAIN: Final = re.compile(
    r"at\s(?P<host>[\w-]{1,63}(?:\s(?:dash|hyphen)\s[\w-]{1,63}){0,4})"
    r"(?:\s(?:dot|point)\s[^\W\d_]{2,24}){1,4}",
    re.IGNORECASE,
)
_WRITTEN_DOMAIN: Final = re.compile(r"at\s[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[^\W\d_]{2,24}", re.I)
_CUE: Final = re.compile(r"\b(?:e-?mail|gmail|mail|address|write to|send it to)\b", re.IGNORECASE)
_JOINTS: Final = frozenset({"dot", "point", "underscore", "dash", "hyphen", "minus", "plus"})
_NO_NAMES: Final = frozenset(
    {
        *("shop", "shopping", "look", "looking", "looked", "find", "found", "check", "see", "read"),
        *("order", "ordered", "buy", "bought", "visit", "visiting", "log", "login", "sign"),
        *("website", "site", "page", "online", "store", "account", "meet", "work", "works"),
        *("working", "go", "me", "us", "you", "it", "this", "that", "them", "is", "are", "was"),
        *("be", "here", "there", "available", "out", "up", "in", "and", "or"),
    }
)
"""Words before "at" that are nobody's name: "look at example dot com"."""
MAX_BEFORE: Final = 120
CUE_CHARS: Final = 80


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.search(text, max(0, at - 65), at)
        domain = _DOMAIN.match(text, at)
        if local and domain:
            yield local.start(), domain.end()
        at = text.find("@", at + 1)
    for spoken in _AT.finditer(text):
        domain = _SPOKEN_DOMAIN.match(text, spoken.start())
        since = max(text.rfind("\0", 0, spoken.start()), spoken.start() - CUE_CHARS, 0)
        cue = _CUE.search(text, since, spoken.start())
        if domain is None and cue:
            domain = _WRITTEN_DOMAIN.match(text, spoken.start())
        if domain is None:
            continue
        start = _local_part(text, spoken.start(), sure=cue is not None)
        if start is not None:
            yield start, domain.end()


def _local_part(text: str, end: int, *, sure: bool) -> int | None:
    """Where the name before "at" begins; `None` where that is no name."""
    words = list(re.finditer(r"\S+", text[max(0, end - MAX_BEFORE) : end]))
    if not words:
        return None
    offset = max(0, end - MAX_BEFORE)
    first = len(words) - 1
    if not sure and first >= 0 and _bare(words[first]) in _NO_NAMES:
        return None
    while first > 0:
        before = words[first - 1]
        if _bare(before) in _JOINTS and first > 1:
            first -= 2
        elif _goes_on(words[first], before):
            first -= 1
        else:
            break
    return offset + words[first].start()


def _goes_on(word: re.Match[str], before: re.Match[str]) -> bool:
    """Whether a name goes on from the word before: "j o", "smith 42"."""
    if _is_spelled(word) and _is_spelled(before):
        return True
    return _is_number(word) and before.group()[-1].isalnum()


def _bare(word: re.Match[str]) -> str:
    return word.group().strip(".,;:!?'\"").lower()


def _is_spelled(word: re.Match[str]) -> bool:
    return len(_bare(word)) <= 1 or _is_number(word)


def _is_number(word: re.Match[str]) -> bool:
    return _bare(word).isdecimal() or _bare(word) in WORDS
