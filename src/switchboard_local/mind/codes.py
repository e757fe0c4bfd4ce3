"""Codes as they are spoken: "A B one two", "alpha bravo twelve", "H M dash one two three"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from switchboard_local.mind.numbers import (
    CURRENCIES,
    MISHEARD,
    TENS,
    ordinal_value,
    scan,
    tokens,
)
from switchboard_local.mind.schema import compiled
from switchboard_local.mind.wordlists import in_order, listed

_SPELLING = {
    word[0]: word
    for word in in_order(
        "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november "
        "oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
    )
}
_SPELT_AS = {word: letter for letter, word in _SPELLING.items()} | {
    "alfa": "a", "juliett": "j", "whisky": "w",
}  # fmt: skip
_LETTER_NAMES = {
    "ay": "a", "bee": "b", "be": "b", "cee": "c", "see": "c", "sea": "c", "dee": "d", "ef": "f",
    "gee": "g", "aitch": "h", "haitch": "h", "jay": "j", "kay": "k", "el": "l", "em": "m",
    "en": "n", "pee": "p", "cue": "q", "queue": "q", "ar": "r", "are": "r", "ess": "s",
    "tee": "t", "tea": "t", "you": "u", "vee": "v", "ex": "x", "why": "y", "zed": "z", "zee": "z",
}  # fmt: skip
_JOINTS = {"dash": "-", "hyphen": "-", "minus": "-", "slash": "/", "stroke": "/", "underscore": "_"}
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Code:
    """Something spelt out, between two tokens of a text."""

    first: int
    last: int
    text: str
    """Lower case, joints included."""
    repaired: bool = False


def codes(text: str) -> list[Code]:
    """Every stretch of letters and digits that may be a code, longest first from each place."""
    listed = tokens(text.replace("\u2019", "'").replace("'s", "  "))
    said = [token.word for token in listed]
    glued = {n for n in range(1, len(listed)) if listed[n].start == listed[n - 1].end}
    found: list[Code] = []
    at = 0
    while at < len(said):
        code = _code_at(said, at, glued)
        if code:
            found.append(code)
        at = code.last if code else at + 1
    return found


def _code_at(said: list[str], at: int, glued: set[int]) -> Code | None:
    pieces: list[str] = []
    repaired = False
    end = at
    while end < len(said) and sum(map(len, pieces)) < _LONGEST:
        if end > at and _price(said, end):
            break
        if end > at and end in glued and said[end].isalpha():
            pieces.append(said[end])  # written in one: "AB12CDE"
            end += 1
            continue
        piece, width, guessed = _piece(said, end, started=end > at)
        if not width:
            break
        pieces.append(piece)
        repaired = repaired or guessed
        end += width
    while pieces and pieces[-1] in set(_JOINTS.values()):
        pieces.pop()
    text = "".join(pieces)
    return Code(at, end, text, repaired) if len(text) >= 2 else None


def _price(said: list[str], at: int) -> bool:
    """Whether a price is said there: no part of the code before it."""
    if said[at] not in TENS:
        return False
    number = scan(said[at:])[:1]
    last = at + number[0].last if number else len(said)
    return last < len(said) and said[last] in CURRENCIES


def _piece(said: list[str], at: int, *, started: bool) -> tuple[str, int, bool]:
    """The characters said at `at`, how many tokens that took, and whether it was a guess."""
    word = said[at]
    following = said[at + 1] if at + 1 < len(said) else ""
    if started and word in _JOINTS:
        return _JOINTS[word], 1, False
    if word == "as" and started:
        return "", 2 + (following == "in"), False  # "B as in Bob"
    number = scan(_before_k(said[at:]))[:1]
    if number and number[0].first == 0 and ordinal_value(word) is None:
        return number[0].digits, number[0].last, number[0].repaired
    if started and word in MISHEARD and _digits_follow(said, at + 1):
        return str(MISHEARD[word]), 1, True
    return _letter(said, at, started=started)


def _before_k(said: list[str]) -> list[str]:
    """Among letters a K is a letter, and makes no thousands of what stands before it."""
    return said[: said.index("k")] if "k" in said else said


def _digits_follow(said: list[str], at: int) -> bool:
    """Whether what follows is read out digit by digit, so that "to" before it may be a two."""
    run = scan(said[at : at + 4])
    return bool(run) and run[0].first == 0 and (run[0].value is None or run[0].last == 1 < len(run))


def _letter(said: list[str], at: int, *, started: bool) -> tuple[str, int, bool]:
    word = said[at]
    following = said[at + 1] if at + 1 < len(said) else ""
    if word == "double" and len(following) == 1:
        return following * 2, 2, False
    if len(word) == 1 and word.isalpha():
        if word in {"a", "i"} and not _spelt(following):
            spells = started and following not in (_RATES if word == "a" else _VERBS)
            return (word, 1, False) if spells else ("", 0, False)
        return word, 1, False
    if word in _SPELT_AS and (started or _spelt(following)):
        return _SPELT_AS[word], 1, False
    if word in _LETTER_NAMES and started and _spelt(following):
        return _LETTER_NAMES[word], 1, True
    short = len(word) <= 3 and word.isalpha() and _numeric(following)
    return (word, 1, False) if short and word not in _WORDLIKE else ("", 0, False)


_RATES = listed("day night week month year person head time minute hour")
_VERBS = listed(
    "want need would will have had think am can could should did do was just d ve ll m don wanted "
    "forgot lost got know cannot"
)
"""After these, A and I are no letters of a code: "two thousand a day", "eight I think"."""


def _numeric(word: str) -> bool:
    return word not in {"a", "an"} and bool(scan([word])) and ordinal_value(word) is None


_WORDLIKE = listed(
    "is it for to the my of on in at and no not was has are by an am be do our its i'm us we he "
    "she you so or if me up off out pay see say can get got let put set yes hey try one two six "
    "ten may oct nov dec jan feb mar apr jun jul aug sep mon tue wed thu fri sat sun bus car day "
    "row age now just about over than only like room at"
)


def _spelt(word: str) -> bool:
    return (len(word) == 1 and word.isalnum()) or word in _SPELT_AS or bool(scan([word]))


@dataclass(frozen=True, slots=True)
class _Part:
    """One place of a simple pattern: the characters it takes, and how many."""

    characters: re.Pattern[str] | None
    literal: str
    least: int
    most: int


_CLASS = re.compile(
    r"(\[(?:\\.|[^\]])+\]|\\d|\\w|\\[.\-/+ ]|[^\\\[\](){}*+?|^$.])(\{\d+(?:,\d*)?\}|[+*?])?"
)


@lru_cache(maxsize=512)
def _parts(pattern: str) -> tuple[_Part, ...] | None:
    """The places of a pattern without groups or alternatives; `None` for any other."""
    body = pattern.removeprefix("^").removesuffix("$")
    parts: list[_Part] = []
    at = 0
    while at < len(body):
        match = _CLASS.match(body, at)
        if not match:
            return None
        parts.append(_part(match.group(1), match.group(2) or ""))
        at = match.end()
    return tuple(parts)


def _part(taken: str, times: str) -> _Part:
    least, most = _times(times)
    plain = taken.removeprefix("\\")
    literal = plain if len(plain) == 1 and taken not in {"\\d", "\\w"} else ""
    return _Part(None if literal else re.compile(taken), literal, least, most)


def _times(times: str) -> tuple[int, int]:
    if not times:
        return 1, 1
    if times in {"+", "*", "?"}:
        return (1 if times == "+" else 0), (1 if times == "?" else _LONGEST)
    low, comma, high = times.strip("{}").partition(",")
    least = min(int(low), _LONGEST)
    return least, min(int(high), _LONGEST) if high else (_LONGEST if comma else least)


def fit(raw: str, pattern: str) -> str | None:
    """`raw` as `pattern` wants it, with case, joints and a fixed prefix put right, if it can be."""
    known = compiled(pattern)
    if known is None or len(raw) > _LONGEST:
        return None
    for variant in _variants(raw):
        if known.search(variant):
            return variant
    parts = _parts(pattern)
    bare = re.sub(r"[^A-Za-z0-9]", "", raw)
    placed = _place(parts, 0, bare, 0) if parts and bare else None
    return placed if placed is not None and known.search(placed) else None


def _variants(raw: str) -> Iterator[str]:
    bare = re.sub(r"[^A-Za-z0-9]", "", raw)
    for text in (raw, bare):
        yield from (text, text.upper(), text.lower())


def _place(parts: Sequence[_Part], part: int, raw: str, at: int) -> str | None:
    """Lays `raw` along the pattern; what is literal may be filled in."""
    if part == len(parts):
        return "" if at == len(raw) else None
    here = parts[part]
    if here.literal:
        return _place_literal(parts, part, raw, at)
    assert here.characters is not None
    taken = ""
    while len(taken) < here.most and at + len(taken) < len(raw):
        character = _as_taken(raw[at + len(taken)], here.characters)
        if character is None:
            break
        taken += character
    for length in range(len(taken), here.least - 1, -1):
        rest = _place(parts, part + 1, raw, at + length)
        if rest is not None:
            return taken[:length] + rest
    return None


def _place_literal(parts: Sequence[_Part], part: int, raw: str, at: int) -> str | None:
    here = parts[part]
    if at < len(raw) and raw[at].lower() == here.literal.lower():
        rest = _place(parts, part + 1, raw, at + 1)
        if rest is not None:
            return here.literal + rest
    rest = _place(parts, part + 1, raw, at)
    return None if rest is None else here.literal * here.least + rest


def _as_taken(character: str, taken: re.Pattern[str]) -> str | None:
    # Last, what sounds the same: an O that was taken for a nought, or the other way round.
    alike = {"0": "O", "o": "0", "O": "0"}.get(character, character)
    for variant in (character, character.upper(), character.lower(), alike, alike.lower()):
        if taken.fullmatch(variant):
            return variant
    return None
