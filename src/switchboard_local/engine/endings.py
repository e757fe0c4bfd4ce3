"""Whether what a caller said so far sounds complete: an end of turn by meaning, from words."""

import re
from collections.abc import Sequence
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HESITATIONS: Final = _words("um uh er erm ah hmm hm mm so well like")
_NEVER_LAST: Final = _words("""
    and but or nor because cause although unless until while whereas if whether than
    a an the my your his our their its i'm it's that's he's she's we're they're i'd i'll i've
    is are was were am be been want would could should will shall must might may
    between into onto upon from with without of per via plus mr mrs ms dr
    """)
_SELDOM_LAST: Final = _words("to for in on at by about as that which who i we they you it")
_WHOLE_ANSWERS: Final = _words("""
    yes yeah yep yup no nope nah okay ok sure right correct exactly hello hi hey bye goodbye thanks
    please stop cancel help wait sorry pardon what never always
    """)
_OPENINGS: Final = re.compile(
    r"(?:\b(?:number|name|address|code|date|birthday|question|problem|id|e-?mail|card|account)"
    r"(?: number)? (?:is|was)|\bi(?:'d| would) like(?: to)?|\bi (?:want|need|have)(?: to)?"
    r"|\b(?:can|could|would|will) (?:you|i)(?: please)?|\blet me|\b(?:give|tell|show|send) me"
    r"|\b(?:ending|ends) (?:in|with)|\bhow (?:much|many|do i|about)|\bwhat(?:'s| is)"
    r"|\b(?:starts?|starting) with|\b(?:one|two|three|\d) (?:dash|hyphen|point|dot))$"
)
_DIGIT_WORD: Final = (
    r"(?:zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|\d+)"
)
_LAST_DIGITS: Final = re.compile(rf"\b{_DIGIT_WORD}(?:[ -]+{_DIGIT_WORD})*$")
_WORD: Final = re.compile(r"[a-z0-9']+")


def finished(text: str) -> float:
    """How likely (0 to 1) a caller who said `text`, then paused, has said all they meant to."""
    spoken = text.strip().lower()
    words: list[str] = _WORD.findall(spoken)
    if not words:
        return 0.5
    if spoken.endswith(("...", "…", "-", ",", "–")):  # noqa: RUF001 - a dash as it is written
        return 0.15
    if len(words) <= 2 and (words[-1] in _WHOLE_ANSWERS or words == ["thank", "you"]):
        return 0.95
    question = spoken.endswith("?")
    bare = " ".join(words)
    unfinished = _unfinished_end(words, bare, question=question)
    if unfinished is not None:
        return unfinished
    digits = _LAST_DIGITS.search(bare)
    if digits is not None:
        return _digits_finished(bare[: digits.start()], digits.group())
    return 0.95 if question else 0.75 if len(words) <= 2 else 0.9


def _unfinished_end(words: Sequence[str], bare: str, *, question: bool) -> float | None:
    last = words[-1]
    if last in _HESITATIONS and not (last in {"so", "well", "like"} and len(words) > 3):
        return 0.08
    if last in _NEVER_LAST:
        return 0.5 if question else 0.1
    if _OPENINGS.search(bare):
        return 0.6 if question else 0.12
    if last in _SELDOM_LAST:
        return 0.85 if question else 0.4
    return None


_NUMBER_NOUNS: Final[Sequence[tuple[re.Pattern[str], frozenset[int]]]] = (
    (re.compile(r"\b(?:phone|mobile|cell|telephone|call me)\b"), frozenset({7, 10, 11, 12})),
    (re.compile(r"\b(?:ending|ends|last four|last 4|pin)\b"), frozenset({4})),
    (re.compile(r"\b(?:zip|post ?code)\b"), frozenset({5, 9})),
    (re.compile(r"\bcard\b"), frozenset({4, 15, 16})),
    (re.compile(r"\b(?:number|account|reference|code|id|policy)\b"), frozenset(range(4, 20))),
)
"""How many digits make a whole number, by what was said before it."""


def _digits_finished(before: str, digits: str) -> float:
    count = _count_digits(digits)
    if digits.endswith(("double", "triple")):
        return 0.08
    for noun, whole in _NUMBER_NOUNS:
        if noun.search(before):
            return 0.9 if count in whole else 0.15 if count < max(whole) else 0.7
    if before.strip():
        return 0.85  # "bus twelve", "at five": a quantity, not a string of digits
    return 0.4 if count == 3 or 4 < count < 7 else 0.75


def _count_digits(digits: str) -> int:
    count, times = 0, 1
    for word in re.split(r"[ -]+", digits):
        if word in {"double", "triple"}:
            times = 2 if word == "double" else 3
            continue
        count += times * (len(word) if word.isdigit() else 1)
        times = 1
    return count
