"""Numbers as they are spoken: "four oh seven double two", "nine for one zero seven"."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from switchboard_local.mind.wordlists import in_order, listed

_UNITS = in_order("zero one two three four five six seven eight nine")
_TEENS = in_order("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = in_order("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINAL_UNITS = in_order(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_ORDINAL_TENS = {
    ten.removesuffix("y") + "ieth": 10 * (place + 2) for place, ten in enumerate(_TENS)
}
_POINTING = listed("another each last next other that the this which")

SMALL = {word: value for value, word in enumerate(_UNITS + _TEENS)} | {
    "oh": 0, "o": 0, "nought": 0, "naught": 0, "nil": 0, "niner": 9,
}  # fmt: skip
TENS = {word: 10 * (place + 2) for place, word in enumerate(_TENS)} | {"fourty": 40}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "k": 1000}
ORDINALS = {word: value for value, word in enumerate(_ORDINAL_UNITS, 1)} | _ORDINAL_TENS
CURRENCIES = listed("pound pounds quid euro euros dollar dollars pence cents bucks £ $ € p grand")
REPEATS = {"double": 2, "triple": 3, "treble": 3}
MISHEARD = {"for": 4, "fore": 4, "to": 2, "too": 2, "won": 1, "ate": 8, "free": 3, "tree": 3}
"""What a recogniser writes where a digit was said; digits only between digits."""

_FIGURES = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_ORDINAL_FIGURES = re.compile(r"^(\d{1,4})(?:st|nd|rd|th)$")
_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+(?:st|nd|rd|th)\b|\d+|[a-z]+|[£$€%@]"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or figure with its place in the text."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number somebody said, between two tokens of a text."""

    first: int
    """Index of its first token."""
    last: int
    """Index after its last token."""
    digits: str
    """Read digit by digit: what a number on a card is."""
    value: Decimal | None
    """Read as a quantity; `None` where it makes none ("four oh seven")."""
    ordinal: bool = False
    repaired: bool = False
    """Whether a misheard word was taken for a digit."""


def tokens(text: str) -> list[Token]:
    """Words and figures of `text`, lower case, with their places."""
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text.lower())]


def is_number_word(word: str) -> bool:
    """Whether `word` by itself is part of a number."""
    return (
        word in SMALL or word in TENS or word in SCALES or word in REPEATS or word[:1].isdigit()
    ) and word not in {"o", "k"}


def numbers(text: str) -> list[Number]:
    """Every number in `text`, in order."""
    return scan([token.word for token in tokens(text)])


def scan(said: list[str]) -> list[Number]:
    """Every number among `said`, in order."""
    found: list[Number] = []
    at = 0
    while at < len(said):
        run = _before_price(said, at, _run(said, at))
        if run == at or (run == at + 1 and _pronoun(said, at)):
            at += 1
            continue
        number = _ordinal(said, at, run) or _read(said, at, run)
        if number:
            number = _and_a_half(said, number)
            found.append(number)
        at = number.last if number else run
    return found


def _before_price(said: list[str], first: int, last: int) -> int:
    """Where the number ends, if the rest of the run is a price after digits read out one by one."""
    if last >= len(said) or said[last] not in CURRENCIES:
        return last
    price = last - 1
    while price > first and said[price] not in TENS:
        price -= 1
    read_out = said[first:price]
    return price if len(read_out) >= 3 and all(map(_single, read_out)) else last


def _and_a_half(said: list[str], number: Number) -> Number:
    """ "twenty one and a half", "seven and a half thousand"."""
    if said[number.last : number.last + 3] != ["and", "a", "half"] or number.value is None:
        return number
    last, value = number.last + 3, number.value + Decimal("0.5")
    if said[last : last + 1] and said[last] in SCALES:
        value, last = value * SCALES[said[last]], last + 1
    value = value.quantize(Decimal(1)) if value % 1 == 0 else value
    return Number(number.first, last, re.sub(r"\D", "", str(value)), value)


def _pronoun(said: list[str], at: int) -> bool:
    """Whether the "one" at `at` counts nothing: "the first one", "that one"."""
    before = said[at - 1] if at else ""
    return said[at] == "one" and (before in _POINTING or ordinal_value(before) is not None)


def _run(said: list[str], at: int) -> int:
    """Where the number that starts at `at` ends; `at` itself when none does."""
    start = at
    while at < len(said) and _belongs(said, start, at):
        at += 1
    return at


def _belongs(said: list[str], start: int, at: int) -> bool:
    word = said[at]
    following = said[at + 1] if at + 1 < len(said) else ""
    if word in REPEATS:
        return following in SMALL or following[:1].isdigit()
    if is_number_word(word) or ordinal_value(word) is not None:
        return not (at > start and ordinal_value(said[at - 1]) is not None)
    if word in {"a", "an"}:
        return at == start and following in SCALES and following != "k"
    if at == start:
        return word == "o" and following in SMALL and following != "o"
    if word == "and":
        return said[at - 1] in SCALES and _value_word(following)
    if word in {"point", "dot"}:
        return following in SMALL or following.isdigit()
    if word in {"o", "k"}:
        return word == "k" or is_number_word(following) or at - start >= 2
    return word in MISHEARD and _amid_digits(said, start, at)


def _value_word(word: str) -> bool:
    return is_number_word(word) or ordinal_value(word) is not None


def _amid_digits(said: list[str], start: int, at: int) -> bool:
    """Digits on both sides, or two before: "nine for one", "four seven to"."""
    before = all(_single(word) for word in said[start:at])
    if not before:
        return False
    following = said[at + 1] if at + 1 < len(said) else ""
    if said[at] in {"to", "for"}:
        after = said[at + 2] if at + 2 < len(said) else ""
        return _single(following) and (_single(after) or (not after and at - start >= 2))
    return _single(following) or (at - start >= 2 and not following)


def _single(word: str) -> bool:
    return (
        SMALL.get(word, 10) < 10
        or word in REPEATS
        or (word.isdigit() and len(word) == 1)
        or (word in MISHEARD)
    )


def ordinal_value(word: str) -> int | None:
    """1 for "first" or "1st"; `None` for what is no ordinal."""
    if word in ORDINALS:
        return ORDINALS[word]
    figures = _ORDINAL_FIGURES.match(word)
    return int(figures.group(1)) if figures else None


def _ordinal(said: list[str], first: int, last: int) -> Number | None:
    value = ordinal_value(said[last - 1])
    if value is None:
        return None
    if last - first == 2 and said[first] in TENS and value < 10:
        value += TENS[said[first]]
    elif last - first > 1:
        return _read(said, first, last - 1)
    return Number(first, last, str(value), Decimal(value), ordinal=True)


def _read(said: list[str], first: int, last: int) -> Number | None:
    run = said[first:last]
    digits = read_digits(run)
    if not digits:
        return None
    repaired = any(word in MISHEARD for word in run)
    return Number(first, last, digits, read_value(run), repaired=repaired)


def read_digits(run: list[str]) -> str:
    """The digits of a spoken run: "four oh seven double two" → `40722`, "twenty four" → `24`."""
    out = ""
    repeat = 1
    at = 0
    while at < len(run):
        if run[at] in REPEATS:
            repeat, at = REPEATS[run[at]], at + 1
            continue
        piece, at = _piece(run, at)
        out += piece * repeat
        repeat = 1
    return out


def _piece(run: list[str], at: int) -> tuple[str, int]:
    """The digits of the group at `at`, and where the next begins."""
    word = run[at]
    if word in TENS:
        unit = SMALL.get(run[at + 1], 0) if at + 1 < len(run) else 0
        joined = 0 < unit < 10 and run[at + 1] not in {"oh", "o"}
        end = at + 1 + joined
        return _scaled(run, str(TENS[word] + (unit if joined else 0)), end)
    if word in SMALL:
        return _scaled(run, str(SMALL[word]), at + 1)
    if word in MISHEARD:
        return str(MISHEARD[word]), at + 1
    if word in SCALES:
        return _scaled(run, "1", at)
    return _scaled(run, re.sub(r"\D", "", word), at + 1) if word[:1].isdigit() else ("", at + 1)


def _scaled(run: list[str], piece: str, at: int) -> tuple[str, int]:
    """`piece` times the scale words that follow, plus what belongs under them."""
    if at >= len(run) or run[at] not in SCALES:
        return piece, at
    end = at
    while end < len(run) and (run[end] in SCALES or run[end] == "and" or _under(run, end)):
        end += 1
    value = _cardinal([piece, *run[at:end]])
    return (str(value) if value is not None else piece), end


def _under(run: list[str], at: int) -> bool:
    """Whether the word adds to a scale said before it, as in "four hundred twenty five"."""
    word = run[at]
    if word in TENS:
        return run[at - 1] in SCALES or run[at - 1] == "and"
    if not 0 < SMALL.get(word, 0) < 20 or word in {"o", "oh"}:
        return False
    spelt = at + 1 < len(run) and _single(run[at + 1]) and run[at - 1] != "and"
    return not spelt and (run[at - 1] in SCALES or run[at - 1] == "and" or run[at - 1] in TENS)


_LARGEST = Decimal(10) ** 15
"""Beyond it nobody counts: what is that long is read out, digit by digit."""


def read_value(run: list[str]) -> Decimal | None:
    """The quantity a spoken run means, or `None` where it means none."""
    value = _quantity(run)
    return value if value is not None and value < _LARGEST else None


def _quantity(run: list[str]) -> Decimal | None:
    if "point" in run or "dot" in run:
        at = run.index("point") if "point" in run else run.index("dot")
        whole, part = _cardinal(run[:at]), read_digits(run[at + 1 :])
        return Decimal(f"{whole}.{part}") if whole is not None and part else None
    if any(word in MISHEARD or word in REPEATS for word in run):
        return None
    if len(run) == 1 and _FIGURES.fullmatch(run[0]):
        return _decimal(run[0])
    value = _cardinal(run)
    return None if value is None else Decimal(value)


def _decimal(figures: str) -> Decimal | None:
    try:
        return Decimal(figures.replace(",", ""))
    except InvalidOperation:
        return None


def _cardinal(run: list[str]) -> int | None:
    total = part = 0
    room = 10**9  # what may still be added below the word before
    for word in run:
        if word in {"and", "a", "an"}:
            continue
        if word in SCALES:
            scale = SCALES[word]
            part = max(part, 1) * scale
            if scale > 100:
                total, part = total + part, 0
            room = scale
            continue
        value = _small_value(word)
        if value is None or value >= room:
            return None
        part += value
        room = 10 if word in TENS else 1
    return total + part


def _small_value(word: str) -> int | None:
    if word in TENS:
        return TENS[word]
    if word in SMALL:
        return SMALL[word]
    return int(word) if word.isdecimal() and word.isascii() else None


def in_words(value: int) -> str:
    """`value` in English words: 1205 → "one thousand two hundred and five"."""
    if value < 0:
        return "minus " + in_words(-value)
    if value < 20:
        return (_UNITS + _TEENS)[value]
    if value < 100:
        rest = value % 10
        return _TENS[value // 10 - 2] + (f" {_UNITS[rest]}" if rest else "")
    for name, scale in (("million", 1_000_000), ("thousand", 1000), ("hundred", 100)):
        if value >= scale:
            return _with_rest(value, name, scale)
    raise AssertionError("every number from a hundred has a scale")


def _with_rest(value: int, name: str, scale: int) -> str:
    rest = value % scale
    joint = " and " if rest < 100 else " "
    return f"{in_words(value // scale)} {name}" + (f"{joint}{in_words(rest)}" if rest else "")


def digit_by_digit(code: str) -> str:
    """A code for the ear: `AB12` → "A B one two"."""
    said = [_UNITS[int(c)] if c in "0123456789" else c.upper() for c in code if c.isalnum()]
    return " ".join(said)


def ordinal_in_words(value: int) -> str:
    """1 → "first", 22 → "twenty second"; figures beyond 99."""
    by_value = {number: word for word, number in ORDINALS.items()}
    if value in by_value:
        return by_value[value]
    if 20 < value < 100:
        tens = value // 10 * 10
        if value % 10 == 0:
            return _TENS[value // 10 - 2].removesuffix("y") + "ieth"
        return f"{_TENS[tens // 10 - 2]} {by_value[value % 10]}"
    return f"{value}th"
