"""Digits of a text, as they are written (4242 4242) and as they are spoken (four two, double oh).

Speech-to-text writes numbers either way, and mixes them. A run is a stretch of digits with nothing
but separators and hesitation between them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

DIGITS: Final = {
    **{"zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0"},
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"},
    **{"six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9"},
}
TEENS: Final = {
    **{"ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14"},
    **{"fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19"},
}
TENS: Final = {
    **{"twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5"},
    **{"sixty": "6", "seventy": "7", "eighty": "8", "ninety": "9"},
}
TIMES: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
POWERS: Final = {"hundred": "00", "thousand": "000"}
HESITATION: Final = frozenset({"um", "umm", "uh", "uhm", "er", "erm", "ah", "hm", "hmm", "mm"})
WORDS: Final = frozenset({*DIGITS, *TEENS, *TENS, *TIMES, *POWERS})

MAX_GAP: Final = 5
_TOKEN: Final = re.compile(r"\d+|[^\W\d_]+|[\W_]+")
_SEPARATORS: Final = frozenset(
    " \t\n\r\u00a0\u2007\u2009\u202f-\u2010\u2011\u2012\u2013\u2014\u2015.,/()[]_*\u2026\u00b7"
)
_PLUS: Final = re.compile(r"(?:\+|(?<!\w)plus)[\s(-]{0,2}\Z", re.IGNORECASE)
ANY: Final = re.compile(
    rf"[\d@]|(?<![^\W\d_])(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})(?![^\W\d_])"
    r"|(?<!\w)at(?!\w)",
    re.IGNORECASE,
)
"""A text without any of these holds nothing that we look for."""


@dataclass(slots=True)
class Run:
    """Digits that belong together. `places[n]` is where digit `n` stands in the text."""

    digits: str = ""
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    groups: list[int] = field(default_factory=list[int])
    """The digits that begin a group: 3-2-4 is [0, 3, 5]."""
    plain: str = ""
    """As somebody would write it: digits, and what was written between them."""
    plain_at: list[int] = field(default_factory=list[int])
    """Which digit each character of `plain` is, or comes after."""
    spoken: bool = False
    plus: bool = False
    """It begins with a country's code."""

    @property
    def start(self) -> int:
        return self.places[0][0]

    @property
    def end(self) -> int:
        return self.places[-1][1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many digits each group has."""
        ends = [*self.groups[1:], len(self.digits)]
        return tuple(end - begin for begin, end in zip(self.groups, ends, strict=True))

    def add(self, digits: str, place: tuple[int, int], gap: str, *, spoken: bool) -> None:
        # A pause in speech is a comma, if anything; what is written is grouped by any separator.
        fluent = self.spoken and spoken and not gap.strip()
        if not self.digits or not fluent:
            self.groups.append(len(self.digits))
        if self.digits and not (self.spoken and spoken):
            between = gap if len(gap) == 1 and gap in "-./" else " "
            self.plain += between
            self.plain_at.append(len(self.digits))
        for digit in digits:
            self.plain_at.append(len(self.digits))
            self.plain += digit
            self.digits += digit
            self.places.append(place)
        self.spoken = spoken

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where digits `first` to `last`, both included, stand in the text."""
        return self.places[first][0], self.places[last][1]


def runs_of(text: str) -> Iterator[Run]:
    """The runs of a text, in order."""
    run, gap, times, begun = Run(), "", 1, 0
    tokens = list(_TOKEN.finditer(text))
    after = 0
    for at, token in enumerate(tokens):
        if at < after:
            continue
        word = token.group()
        lower = word.lower()
        if said := _digits(tokens, at, lower):
            digits, after = said
            place = (begun if times > 1 else token.start(), tokens[after - 1].end())
            if not run.digits:
                plus = _PLUS.search(text, max(0, place[0] - 8), place[0])
                run.plus = plus is not None
                place = (plus.start() if plus else place[0], place[1])
            run.add(digits * times, place, gap, spoken=not word[0].isdecimal())
            gap, times = "", 1
        elif lower in TIMES and times == 1:
            times, begun = TIMES[lower], token.start()
        elif lower in POWERS and run.digits and not gap.strip():
            run.add(POWERS[lower], token.span(), gap, spoken=run.spoken)
            gap = ""
        elif _continues(gap, word, lower):
            gap += " " if lower in HESITATION else word
        else:
            if run.digits:
                yield run
            run, gap, times = Run(), "", 1
    if run.digits:
        yield run


def _digits(tokens: list[re.Match[str]], at: int, word: str) -> tuple[str, int] | None:
    """The digits that a token begins, and the first token after them: "forty two" is three."""
    if word[0].isdecimal():
        return "".join(str(int(digit)) for digit in word), at + 1  # digits of every script
    if word in TENS:
        if at + 2 < len(tokens) and tokens[at + 1].group() in " -":
            unit = DIGITS.get(tokens[at + 2].group().lower(), "0")
            if unit != "0":
                return TENS[word] + unit, at + 3
        return f"{TENS[word]}0", at + 1
    digits = DIGITS.get(word) or TEENS.get(word)
    return None if digits is None else (digits, at + 1)


def _continues(gap: str, word: str, lower: str) -> bool:
    if lower in HESITATION:
        return True
    return len(gap) + len(word) <= MAX_GAP and all(letter in _SEPARATORS for letter in word)
