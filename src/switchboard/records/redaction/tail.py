"""The end of a text that still grows: what may yet become part of a number or an address.

Half a number is as bad as the whole, and nobody knows that it is half before the rest is there. So
the end of an open line is not stored until it cannot be part of anything any more.
"""

import re
from typing import Final

from switchboard.records.redaction.runs import HESITATION, WORDS

FREE_WORDS: Final = 2
"""The last word may be half a word, and the one before it the name in an address."""
PATTERN_CHARS: Final = 64
"""How far back what is configured may begin."""
_WORD: Final = re.compile(r"\S+")
_DECIMAL: Final = re.compile(r"\d")
_BREAK: Final = re.compile(r"[\W_]+")
_JOINTS: Final = frozenset(
    {"at", "dot", "point", "underscore", "dash", "hyphen", "minus", "plus", *HESITATION, *WORDS}
)
_EDGES: Final = ".,;:!?'\"()[]-\u2013\u2014/"


def closed_until(text: str, *, patterns: bool = False) -> int:
    """Up to where a text that may grow is settled, whatever comes. `patterns`: some are
    configured, of which nobody knows how they begin."""
    words = list(_WORD.finditer(text))
    first = max(len(words) - FREE_WORDS, 0)
    while first > 0 and _may_belong(words, first - 1):
        first -= 1
    if first == 0:
        return 0
    settled = words[first].start()
    if patterns:
        settled = min(settled, max(len(text) - PATTERN_CHARS, 0))
        settled = max((word.start() for word in words if word.start() <= settled), default=0)
    return settled


def _may_belong(words: list[re.Match[str]], at: int) -> bool:
    """Whether this word may be part of what comes after it."""
    return _sticky(words[at].group()) or (at + 1 < len(words) and _sticky(words[at + 1].group()))


def _sticky(word: str) -> bool:
    bare = word.strip(_EDGES).lower()
    if len(bare) <= 3 or "@" in word or _DECIMAL.search(word):
        return True  # spelled letters, parts of codes and of numbers
    if bare.isalpha():
        return bare in _JOINTS
    return all(part in _JOINTS for part in _BREAK.split(bare) if part)
