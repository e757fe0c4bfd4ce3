"""Digits of a text, as they are written (4242 4242) and as they are spoken (four two, double oh).

Speech-to-text writes numbers either way, and mixes them. A run is a stretch of digits with nothing
but separators and hesitation between them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import re2  # pyright: ignore[reportMissingTypeStubs]

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
ZEROS: Final = frozenset({"zero", "oh", "o", "nought", "naught"})
HESITATION: Final = frozenset({"um", "umm", "uh", "uhm", "er", "erm", "ah", "hm", "hmm", "mm"})
WORDS: Final = frozenset({*DIGITS, *TEENS, *TENS, *TIMES, *POWERS})


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_APART: Final = r"[\s\-\u2010-\u2015.,/()\[\]_*\u2026\u00b7]{0,5}"
_GAP: Final = re.compile(rf"{_APART}(?:(?:{_one_of(HESITATION)}){_APART}){{0,3}}", re.IGNORECASE)
"""What may stand between two digits of one number."""
_NUMBER: Final = re.compile(
    r"(?P<written>\d+)|(?<![^\W\d_])(?:"
    rf"(?P<tens>{_one_of(TENS)})(?:[ -](?P<unit>{_one_of(set(DIGITS) - ZEROS)}))?"
    rf"|(?P<digit>{_one_of(DIGITS)})|(?P<teen>{_one_of(TEENS)})"
    rf"|(?P<times>{_one_of(TIMES)})|(?P<power>{_one_of(POWERS)}))(?![^\W\d_])",
    re.IGNORECASE,
)
_PLUS: Final = re.compile(r"(?:\+|(?<!\w)plus)[\s(-]{0,2}\Z", re.IGNORECASE)
_TURKISH: Final = str.maketrans("\u0130\u0131", "ii")
_ANY: Final[Any] = cast("Any", re2).compile(  # it comes without types
    rf"(?i)[\p{{Nd}}@]|(?:^|[^a-z])(?:{_one_of({*WORDS, 'at'})})(?:[^a-z]|$)"
)
"""Most texts have none, and RE2 sees that in a tenth of the time; where it knows less of letters,
it finds too much and never too little."""


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


def candidate(text: str, since: int = 0) -> int | None:
    """Where the first begins of what may be anything that we look for; `None` if there is none."""
    if not text.isascii():
        # Half a surrogate pair RE2 cannot read, and of what is an I in Turkish it knows nothing.
        text = text.encode("utf-8", "replace").decode("utf-8").translate(_TURKISH)
    found = _ANY.search(text, max(since - 1, 0))  # what is before a word is looked at, too
    return None if found is None else found.start()


def runs_of(text: str) -> Iterator[Run]:
    """The runs of a text, in order."""
    run, last = Run(), 0
    twice: tuple[int, int, str] | None = (
        None  # how often the next is meant, since where, after what
    )
    first = candidate(text)
    for match in () if first is None else _NUMBER.finditer(text, first):
        gap = text[last : match.start()]
        last = match.end()
        if _GAP.fullmatch(gap) is None:
            if run.digits:
                yield run
            run, twice, gap = Run(), None, ""
        word = match.group().lower()
        if match["times"] and twice is None:
            twice = (TIMES[word], match.start(), gap)
        elif match["power"] and run.digits and not gap.strip():
            run.add(POWERS[word], match.span(), gap, spoken=run.spoken)
        elif digits := _digits(match):
            times, start, before = twice or (1, match.start(), gap)
            if not run.digits:
                plus = _PLUS.search(text, max(0, start - 8), start)
                run.plus, start = plus is not None, plus.start() if plus else start
            spoken = match["written"] is None
            run.add(digits * times, (start, match.end()), before, spoken=spoken)
            twice = None
        else:
            if run.digits:
                yield run
            run, twice = Run(), None
    if run.digits:
        yield run


def _digits(match: re.Match[str]) -> str:
    """The digits that were written or said; none, for what only says how many."""
    if written := match["written"]:
        return written if written.isascii() else "".join(str(int(digit)) for digit in written)
    if tens := match["tens"]:
        unit = match["unit"]
        return TENS[tens.lower()] + (DIGITS[unit.lower()] if unit else "0")
    word = match.group().lower()
    return DIGITS.get(word) or TEENS.get(word) or ""
