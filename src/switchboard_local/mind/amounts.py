"""Money and counts for the slots that ask for them."""

import re
from collections.abc import Mapping
from decimal import Decimal

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.corrections import standing
from switchboard_local.mind.numbers import CURRENCIES, MISHEARD, Number, scan
from switchboard_local.mind.schema import fits
from switchboard_local.mind.text import stem, words
from switchboard_local.mind.turn import Filled, Turn
from switchboard_local.mind.wordlists import listed

SPANS = {
    "minute": 1,
    "hour": 60,
    "day": 1440,
    "night": 1440,
    "week": 10_080,
    "month": 43_200,
    "year": 525_600,
}


def read_money(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    amounts = _amounts(turn)
    asked = slot.name == turn.asked
    for first, amount, marked in amounts:
        if ("code", first) in used or not (
            marked or asked or (alone and not _is_digits(turn, first))
        ):
            continue
        used.add(("code", first))
        return Filled(number_for(slot, amount * (100 if _in_pence(slot) else 1)))
    return None


def _is_digits(turn: Turn, first: int) -> bool:
    """Whether the number there is read out digit by digit, and so is no amount."""
    return any(code.first <= first < code.last and len(code.text) > 4 for code in turn.codes)


def _in_pence(slot: Slot) -> bool:
    about = {*slot.title_words, *words(slot.description)}
    return bool(about & {"pence", "cents", "minor"})


def _amounts(turn: Turn) -> list[tuple[int, Decimal, bool]]:
    """Each number that may be money: where, how much, and whether a currency was said."""
    found: list[tuple[int, Decimal, bool]] = []
    skip = -1
    for number in standing(turn.numbers, turn.said):
        if number.value is None:
            found += _two_part_price(turn, number)
            continue
        if number.ordinal or number.first < skip:
            continue
        after = turn.said[number.last] if number.last < len(turn.said) else ""
        before = turn.said[number.first - 1] if number.first else ""
        value = number.value
        if after in {"pence", "cents", "p"}:
            value = value / 100
        elif after == "grand":
            value = value * 1000
        elif after in CURRENCIES:
            value, skip = _with_small_change(turn, number, value)
        found.append((number.first, value, after in CURRENCIES or before in CURRENCIES))
    return found


def _two_part_price(turn: Turn, number: Number) -> list[tuple[int, Decimal, bool]]:
    """ "twelve ninety nine" is 12.99."""
    run = turn.said[number.first : number.last]
    pence = number.digits[-2:]
    if (
        not 3 <= len(number.digits) <= 5
        or len(run) < 2
        or len(run) >= len(number.digits)
        or pence < "10"
    ):
        return []
    return [(number.first, Decimal(f"{number.digits[:-2]}.{pence}"), False)]


def _with_small_change(turn: Turn, number: Number, value: Decimal) -> tuple[Decimal, int]:
    """ "two pounds forty" is 2.40."""
    start = number.last + 1 + (turn.said[number.last + 1 : number.last + 2] == ["and"])
    for small in turn.numbers:
        if small.first == start and small.value is not None and 0 < small.value < 100:
            return value + small.value / 100, small.last
    return value, -1


def number_for(slot: Slot, value: Decimal) -> int | float:
    return int(value) if slot.kind == "integer" or value % 1 == 0 else float(value)


def read_count(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    best: tuple[int, Number, Decimal] | None = None
    for number in _countable(slot, turn):
        value = _as_count(slot, number)
        if value is None or used & {("code", n) for n in range(number.first, number.last)}:
            continue
        rank = _count_rank(slot, turn, number, alone=alone)
        value = _converted(slot, turn, number, value)
        if rank and (best is None or rank > best[0]) and fits(number_for(slot, value), slot.schema):
            best = (rank, number, value)
    if best is None:
        return _vague_count(slot, turn)
    used.update(("code", n) for n in range(best[1].first, best[1].last))
    return Filled(number_for(slot, best[2]))


def _countable(slot: Slot, turn: Turn) -> list[Number]:
    """Numbers for this slot; where it was asked for, or is a day, those of days and times too."""
    if slot.name == turn.asked or "day" in slot.title_words:
        return standing(scan(turn.said), turn.said)
    return standing(turn.numbers, turn.said)


def _as_count(slot: Slot, number: Number) -> Decimal | None:
    if number.value is not None:
        return number.value
    return Decimal(number.digits) if slot.kind == "integer" and len(number.digits) < 16 else None


_VAGUE = {"couple": 2, "pair": 2, "dozen": 12, "once": 1, "twice": 2}


def _vague_count(slot: Slot, turn: Turn) -> Filled | None:
    """ "a couple of nights", "half an hour", "a week", "just the one"."""
    joined = f" {' '.join(turn.said)} "
    count = next((value for word, value in _VAGUE.items() if word in turn.said), None)
    asked = slot.name == turn.asked
    if count is not None and (asked or set(slot.title_words) & set(turn.said)):
        return Filled(count)
    span = _one_span(slot, joined)
    if span is not None:
        return Filled(number_for(slot, span))
    if _about_people(slot) and _PAIR.search(joined):
        return Filled(2)
    if _about_people(slot) and (misheard := re.search(r" (for|to|too) of (?:us|them) ", joined)):
        return Filled(MISHEARD[misheard[1]])
    only = re.search(r"\b(?:just|only) (?:the )?(?:one|me|myself)\b", joined)
    return Filled(1) if asked and only else None


_PAIR = re.compile(r" (?:me|myself) and (?:my|the|a|our) \w+ | my \w+ and (?:i|me|myself) ")


def _one_span(slot: Slot, joined: str) -> Decimal | None:
    """A single stretch of time, in the unit that the slot wants."""
    wanted = next((s for w in slot.title_words if (s := SPANS.get(w.removesuffix("s")))), None)
    match = re.search(
        r" (half (?:an?|the)|an?|one|(?:an? )?half an?|three quarters of an) "
        r"(minute|hour|day|night|week|month|year)( and a half)? ",
        joined,
    )
    if not wanted or not match:
        return None
    part = (
        Decimal("0.5")
        if "half" in match[1]
        else Decimal("0.75")
        if "quarters" in match[1]
        else Decimal(1)
    )
    part += Decimal("0.5") if match[3] else 0
    value = part * 12 if (match[2], wanted) == ("year", 43_200) else part * SPANS[match[2]] / wanted
    return value if value % 1 == 0 else None


def _count_rank(slot: Slot, turn: Turn, number: Number, *, alone: bool) -> int:
    """How surely a number is this slot's: 0 when it is not."""
    around = {stem(word) for word in turn.said[number.last : number.last + 2]}
    if _about_people(slot) and (
        around & _PEOPLE or turn.said[number.last : number.last + 2] == ["of", "us"]
    ):
        return 5
    before = {stem(word) for word in turn.said[max(number.first - 3, 0) : number.first]}
    named = {stem(word) for word in slot.title_words}
    described = {stem(word) for word in words(slot.description) if len(word) > 3}
    aged = "age" in named and turn.said[number.last : number.last + 2] in (
        ["year", "old"],
        ["years", "old"],
        ["month", "old"],
        ["months", "old"],
    )
    if named & around or aged:
        return 5
    if named & before - {"number"} or described & around:
        return 4
    if slot.name == turn.asked or _latest(slot, turn, number):
        return 3
    unit = turn.said[number.last] if number.last < len(turn.said) else ""
    other_unit = unit in CURRENCIES or stem(unit) in {stem(span) for span in SPANS}
    if number.ordinal or other_unit:
        return (
            2
            if stem(unit) in {stem(w) for w in _span_words(slot)}
            else int(_ordinal_day(slot, number))
        )
    return 2 if alone and (slot.required or _counts_things(slot, turn, number)) else 0


_HOW_MANY = listed("quantity count copies many")


def _counts_things(slot: Slot, turn: Turn, number: Number) -> bool:
    """ "two pots of tea", for a slot that asks how many."""
    following = turn.said[number.last : number.last + 1]
    several = bool(following) and following[0].endswith("s") and len(following[0]) > 3
    return several and bool(_HOW_MANY & {*slot.title_words, *words(slot.description)})


_PEOPLE = {
    stem(word) for word in listed("people guests persons adults passengers person guest travellers")
}
_PARTY = listed(
    "guests people passengers party attendees covers persons adults seats size travellers places"
)


def _about_people(slot: Slot) -> bool:
    return bool(_PARTY & {*slot.title_words, *words(slot.description)})


def _latest(slot: Slot, turn: Turn, number: Number) -> bool:
    """ "the last five" counts."""
    before = turn.said[number.first - 1] if number.first else ""
    return before in {"last", "latest", "recent", "past"} and bool(
        {"count", "limit", "number"} & set(slot.title_words)
    )


def _ordinal_day(slot: Slot, number: Number) -> bool:
    return number.ordinal and "day" in slot.title_words


def _span_words(slot: Slot) -> Mapping[str, int]:
    about = {*slot.title_words, *words(slot.description)}
    return {} if not any(span in about or span + "s" in about for span in SPANS) else SPANS


def _converted(slot: Slot, turn: Turn, number: Number, value: Decimal) -> Decimal:
    """Two hours for a slot in minutes are 120."""
    unit = turn.said[number.last] if number.last < len(turn.said) else ""
    said = SPANS.get(unit.removesuffix("s"))
    wanted = next((s for w in slot.title_words if (s := SPANS.get(w.removesuffix("s")))), None)
    if not said or not wanted or said == wanted or {said, wanted} == {1440}:
        return value
    if (said, wanted) == (525_600, 43_200):
        return value * 12
    return value * said / wanted
