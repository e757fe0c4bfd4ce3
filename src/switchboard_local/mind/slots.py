"""Finds in what was said the values that a tool's arguments ask for."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from switchboard_local.mind import codes, dates
from switchboard_local.mind.catalogue import Role, Slot
from switchboard_local.mind.choices import Nearness, Picked, pick_choice
from switchboard_local.mind.corrections import standing
from switchboard_local.mind.freetext import asked_words, volunteered_words
from switchboard_local.mind.numbers import Number, Token, scan, tokens
from switchboard_local.mind.schema import fits
from switchboard_local.mind.text import stem, words
from switchboard_local.mind.wordlists import listed

_LONGEST = 2000
_CURRENCY = listed("pound pounds quid euro euros dollar dollars pence cents bucks £ $ € p grand")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_EMAIL = re.compile(
    r"((?:[\w-]+ (?:dot|underscore|dash) )*[\w.+-]+) at ((?:[\w-]+ dot )+[a-z]{2,})\b",
    re.IGNORECASE,
)
_SPANS = {
    "minute": 1,
    "hour": 60,
    "day": 1440,
    "night": 1440,
    "week": 10_080,
    "month": 43_200,
    "year": 525_600,
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A value for a slot, and whether it had to be guessed at."""

    value: object
    unsure: bool = False


@dataclass(frozen=True)
class Turn:
    """What was said in one go, with all that can be read from it; read once, used by every slot."""

    text: str
    today: date
    asked: str = ""
    """The slot the agent had asked for, if any."""
    likeness: Callable[[str, str], float] = field(default=lambda _one, _other: 0.0, compare=False)
    """How near two texts are in meaning, 0 to 1."""
    nearness: Nearness | None = field(default=None, compare=False)
    """How near a text is to others by whole sentences, where there is an encoder."""

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.text)

    @cached_property
    def said(self) -> list[str]:
        return [token.word for token in self.tokens]

    @cached_property
    def days(self) -> list[dates.Day]:
        return dates.days(self.text, self.today)

    @cached_property
    def clocks(self) -> list[dates.Clock]:
        dated = _taken_by(self.days)
        return [
            clock
            for clock in dates.clocks(self.text)
            if not dated & set(range(clock.first, clock.last))
        ]

    @cached_property
    def codes(self) -> list[codes.Code]:
        return codes.codes(self.text)

    @cached_property
    def numbers(self) -> list[Number]:
        """Numbers that are no part of a day or a time."""
        taken = _taken_by(self.days) | _taken_by(self.clocks)
        return scan(["" if at in taken else word for at, word in enumerate(self.said)])

    @cached_property
    def emails(self) -> list[str]:
        written = _EMAIL.findall(self.text)
        spoken = [_written(*match) for match in _SPOKEN_EMAIL.findall(self.text)]
        return [str(found).strip(".").lower() for found in [*written, *spoken]]


def _taken_by(spans: Iterable[dates.Day | dates.Clock]) -> set[int]:
    return {n for span in spans if span.certain for n in range(span.first, span.last)}


def _written(local: str, domain: str) -> str:
    for spoken, sign in ((" dot ", "."), (" underscore ", "_"), (" dash ", "-")):
        local = local.lower().replace(spoken, sign)
        domain = domain.lower().replace(spoken, sign)
    return f"{local}@{domain}"


def fill(slots: Sequence[Slot], turn: Turn) -> dict[str, Filled]:
    """What the turn says for these slots. Each piece of it serves one slot only."""
    used: set[object] = set()
    found: dict[str, Filled] = {}
    asked = [slot for slot in slots if slot.name == turn.asked]
    for slot in [*asked, *sorted((s for s in slots if s.name != turn.asked), key=_eagerness)]:
        filled = _fill(slot, turn, used, alone=_alone(slot, slots))
        if filled is not None and fits(filled.value, slot.schema):
            found[slot.name] = filled
    return found


def _alone(slot: Slot, slots: Sequence[Slot]) -> bool:
    """Whether no other slot wants the same kind of thing."""
    return sum(other.role is slot.role for other in slots) == 1


_ORDER = (
    Role.EMAIL, Role.DATE, Role.MOMENT, Role.TIME, Role.CODE, Role.PHONE, Role.CHOICE, Role.FLAG,
    Role.MONEY, Role.COUNT, Role.LIST, Role.PERSON, Role.PLACE, Role.WORDS,
)  # fmt: skip


def _eagerness(slot: Slot) -> tuple[int, int]:
    order = _ORDER.index(slot.role) if slot.role in _ORDER else len(_ORDER)
    return order, not (slot.required or slot.pattern)


def _fill(slot: Slot, turn: Turn, used: set[object], *, alone: bool) -> Filled | None:
    reader = _READERS.get(slot.role)
    if reader is None or len(turn.text) > _LONGEST:
        return None
    return reader(slot, turn, used, alone)


_INSTEAD = re.compile(
    r"\b(?:instead|rather|no good|not good|can't|cannot|can not|won't|could we do|can we do|"
    r"make it)\b"
)


def _date(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    asked = slot.name == turn.asked
    days = standing([day for day in turn.days if day.certain or asked], turn.said)
    if alone and _INSTEAD.search(turn.text.lower()):
        days.reverse()  # "Wednesday is no good, could we do Friday": the last one counts
    for day in _by_cue(slot, turn, days):
        if ("day", day.first) not in used:
            used.add(("day", day.first))
            return Filled(_shaped_date(slot, _past_or_coming(slot, day.day, turn)))
    return None


_FROM_CUES = listed("from start begin begins starting since arrival departure outbound check_in")
_TO_CUES = listed("to until till end ends through return back last")


def _by_cue(slot: Slot, turn: Turn, days: list[dates.Day]) -> list[dates.Day]:
    """Days for this slot, those introduced by its own word first: "from …", "until …"."""
    named = set(slot.title_words)
    cues = (
        _FROM_CUES if named & _FROM_CUES else (_TO_CUES if named & _TO_CUES else frozenset[str]())
    )
    if not cues:
        return days
    return sorted(days, key=lambda day: not _introduced(turn, day.first, cues))


def _introduced(turn: Turn, at: int, cues: frozenset[str]) -> bool:
    return bool(set(turn.said[max(at - 2, 0) : at]) & cues)


_PAST = listed("birth born dob incident happened occurred occurrence since loss accident past")


def _past_or_coming(slot: Slot, day: date, turn: Turn) -> date:
    """A day named without its year: coming, unless the slot is about what has been."""
    about = set(slot.title_words) | set(words(slot.description)) | ({"since"} & set(turn.said))
    if day <= turn.today or not about & _PAST or str(day.year) in turn.text:
        return day
    weekday_named = any(word in dates.WEEKDAYS for word in turn.said)
    if weekday_named and (day - turn.today).days <= 7:
        return date.fromordinal(day.toordinal() - 7)
    if not any(word in dates.MONTHS for word in turn.said) and " of the " not in turn.text.lower():
        return _same_day_before(day, turn.today)
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day


def _same_day_before(day: date, today: date) -> date:
    """The latest day of a past month with the same number."""
    for back in range(1, 4):
        month = today.month - back + (today.day >= day.day)
        year = today.year + (month - 1) // 12
        try:
            return date(year, (month - 1) % 12 + 1, day.day)
        except ValueError:
            continue
    return day


def _shaped_date(slot: Slot, day: date) -> str:
    shapes = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")
    if "dd/mm/yyyy" in slot.description.lower():
        return day.strftime("%d/%m/%Y")
    if "mm/dd/yyyy" in slot.description.lower():
        return day.strftime("%m/%d/%Y")
    return next((t for s in shapes if fits(t := day.strftime(s), slot.schema)), day.isoformat())


def _time(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    for clock in _clocks(slot, turn):
        if ("clock", clock.first) not in used:
            used.add(("clock", clock.first))
            shapes = ("%H:%M", "%H:%M:%S", "%H:%M:%SZ", "%H%M", "%I:%M %p")
            text = next((t for s in shapes if fits(t := clock.at.strftime(s), slot.schema)), "")
            return Filled(text) if text else None
    return None


def _clocks(slot: Slot, turn: Turn) -> list[dates.Clock]:
    sure = standing([clock for clock in turn.clocks if clock.certain], turn.said)
    if sure:
        return sure
    if turn.clocks or slot.name != turn.asked:
        return turn.clocks
    return dates.clocks(f"at {turn.text}")


def _moment(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    if not turn.days or not turn.clocks or ("day", turn.days[0].first) in used:
        return None
    used.update({("day", turn.days[0].first), ("clock", turn.clocks[0].first)})
    stamp = f"{turn.days[0].day.isoformat()}T{turn.clocks[0].at.strftime('%H:%M:%S')}"
    shapes = (stamp, stamp + "Z", stamp.replace("T", " ")[:-3], stamp[:-3])
    return Filled(next((shape for shape in shapes if fits(shape, slot.schema)), stamp))


def _email(_slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    for found in turn.emails:
        if found not in used:
            used.add(found)
            return Filled(found)
    return None


def _code(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    for code in turn.codes:
        if used & {("code", n) for n in range(code.first, code.last)}:
            continue
        text = _code_text(slot, turn, code, alone=alone)
        if text is not None:
            used.update(("code", n) for n in range(code.first, code.last))
            return Filled(text, unsure=code.repaired and not slot.pattern)
    return _month(slot, turn) or _written_code(slot, turn, used)


_LOOKS_BACK = listed("statement statements history usage used past previous bill payslip payments")


def _month(slot: Slot, turn: Turn) -> Filled | None:
    """A month by its name, where the pattern wants "2027-02"."""
    if not slot.pattern or not fits(f"{turn.today:%Y-%m}", slot.schema):
        return None
    number = next((dates.MONTHS[word] for word in turn.said if word in dates.MONTHS), None)
    shift = next((n for said, n in _NEAR_MONTHS.items() if said in " ".join(turn.said)), None)
    if number is None and shift is None:
        return None
    months = turn.today.year * 12 + turn.today.month - 1 + (shift or 0)
    if number is not None:
        back = bool(_LOOKS_BACK & {*words(slot.tool.replace("_", " ")), *words(slot.purpose)})
        away = (number - turn.today.month) % 12
        months += away - 12 if back and away else away
    return Filled(f"{months // 12}-{months % 12 + 1:02}")


_NEAR_MONTHS = {"this month": 0, "next month": 1, "last month": -1}


def _code_text(slot: Slot, turn: Turn, code: codes.Code, *, alone: bool) -> str | None:
    if slot.pattern:
        return _fitted(slot, turn, code)
    length = len(re.sub(r"\W", "", code.text))
    asked, named = slot.name == turn.asked, _named_before(slot, turn, code.first)
    if not (asked or named or (alone and length >= 4)) or _counted(turn, code.last):
        return None
    if not any(c.isdigit() for c in code.text) or (length < 2 and not asked):
        return None
    if _overlaps(turn, code) and not named:
        return None
    return _postcode(slot, code.text.upper())


def _postcode(slot: Slot, text: str) -> str:
    """A British postcode is written in two halves."""
    about = {*slot.title_words, *words(slot.description)}
    british = re.fullmatch(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", text)
    return f"{british[1]} {british[2]}" if british and "postcode" in about else text


def _overlaps(turn: Turn, code: codes.Code) -> bool:
    return bool((_taken_by(turn.days) | _taken_by(turn.clocks)) & set(range(code.first, code.last)))


def _counted(turn: Turn, at: int) -> bool:
    """Whether what follows makes an amount of it: "fifty pounds", "three nights"."""
    following = turn.said[at] if at < len(turn.said) else ""
    return following in _CURRENCY or stem(following) in {stem(span) for span in _SPANS}


def _fitted(slot: Slot, turn: Turn, code: codes.Code) -> str | None:
    """The code, or the end of it, as the pattern wants it."""
    bare = re.sub(r"\W", "", code.text)
    if _counted(turn, code.last) and slot.name != turn.asked:
        return None
    if _overlaps(turn, code) and slot.name != turn.asked and len(bare) < 5:
        return None
    for start in range(min(len(bare), 8)):
        text = codes.fit(code.text if not start else bare[start:], slot.pattern)
        if text is not None and fits(text, slot.schema) and (not start or _begins(bare, start)):
            return text
    return None


def _begins(bare: str, start: int) -> bool:
    """Whether a code may begin there: not within a number, nor within a run of letters for long."""
    if bare[:start].isdigit():
        return bare[start].isalpha()
    return start < 4


def _written_code(slot: Slot, turn: Turn, used: set[object]) -> Filled | None:
    """A code that is a plain word, for a pattern that words may match."""
    if not slot.pattern or slot.name != turn.asked or used:
        return None
    for text in (turn.text.strip(" .!?"), re.sub(r"[\s.,!?-]", "", turn.text)):
        fitted = codes.fit(text, slot.pattern)
        if fitted is not None:
            return Filled(fitted)
    return None


def _named_before(slot: Slot, turn: Turn, at: int) -> bool:
    near = {stem(word) for word in turn.said[max(at - 4, 0) : at]}
    return bool(
        near & {stem(word) for word in slot.title_words if word not in {"id", "number", "no"}}
    )


def _phone(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    for code in turn.codes:
        digits = re.sub(r"\D", "", code.text)
        if len(digits) < 7 or ("code", code.first) in used or not code.text.isdigit():
            continue
        text = _plus(turn, code) + digits
        if slot.pattern:
            fitted = codes.fit(text, slot.pattern) or codes.fit(digits, slot.pattern)
            if fitted is None:
                continue
            text = fitted
        used.update(("code", n) for n in range(code.first, code.last))
        return Filled(text, unsure=code.repaired)
    return None


def _plus(turn: Turn, code: codes.Code) -> str:
    token = turn.tokens[code.first]
    signed = turn.text[max(token.start - 1, 0) : token.start] == "+"
    return "+" if signed or turn.said[max(code.first - 1, 0)] == "plus" else ""


def _choice(slot: Slot, turn: Turn, _used: set[object], _alone: bool) -> Filled | None:
    picked = _picked(slot, turn)
    if picked is None or (picked.hinted and not slot.required and slot.name != turn.asked):
        return None
    return Filled(picked.value, picked.unsure and (picked.hinted or slot.name == turn.asked))


def _picked(slot: Slot, turn: Turn) -> Picked | None:
    asked = slot.name == turn.asked
    return pick_choice(slot, turn.text, asked=asked, likeness=turn.likeness, nearness=turn.nearness)


_YES = listed("yes yeah yep yup sure please definitely absolutely ok okay correct right true on")
_NO = listed("no nope nah not never without off false")


def _flag(slot: Slot, turn: Turn, _used: set[object], _alone: bool) -> Filled | None:
    said = words(turn.text)
    if slot.name == turn.asked:
        no, yes = set(said) & _NO, set(said) & _YES
        return Filled(not no) if no or yes else None
    if slot.name in {"enabled", "enable", "active", "on"} and slot.required:
        return _switched(said)
    named = {
        stem(word) for word in slot.title_words if len(word) > 3 and word not in {"with", "include"}
    }
    for at, word in enumerate(said):
        if stem(word) in named:
            return Filled(not set(said[max(at - 3, 0) : at]) & _NO)
    return None


def _switched(said: list[str]) -> Filled | None:
    switch = re.search(r"\b(?:turn|switch|put|set)\b(?: \w+){0,3} (on|off)\b", " ".join(said))
    if switch or {"disable", "deactivate", "enable", "activate"} & set(said):
        on = switch.group(1) == "on" if switch else bool({"enable", "activate"} & set(said))
        return Filled(on)
    return None


def _money(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    amounts = _amounts(turn)
    asked = slot.name == turn.asked
    for first, amount, marked in amounts:
        if ("code", first) in used or not (
            marked or asked or (alone and not _is_digits(turn, first))
        ):
            continue
        used.add(("code", first))
        return Filled(_number_for(slot, amount * (100 if _in_pence(slot) else 1)))
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
        elif after in _CURRENCY:
            value, skip = _with_small_change(turn, number, value)
        found.append((number.first, value, after in _CURRENCY or before in _CURRENCY))
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


def _number_for(slot: Slot, value: Decimal) -> int | float:
    return int(value) if slot.kind == "integer" or value % 1 == 0 else float(value)


def _count(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    best: tuple[int, Number, Decimal] | None = None
    for number in _countable(slot, turn):
        value = _as_count(slot, number)
        if value is None or used & {("code", n) for n in range(number.first, number.last)}:
            continue
        rank = _count_rank(slot, turn, number, alone=alone)
        value = _converted(slot, turn, number, value)
        if (
            rank
            and (best is None or rank > best[0])
            and fits(_number_for(slot, value), slot.schema)
        ):
            best = (rank, number, value)
    if best is None:
        return _vague_count(slot, turn)
    used.update(("code", n) for n in range(best[1].first, best[1].last))
    return Filled(_number_for(slot, best[2]))


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
        return Filled(_number_for(slot, span))
    if _about_people(slot) and _PAIR.search(joined):
        return Filled(2)
    only = re.search(r"\b(?:just|only) (?:the )?(?:one|me|myself)\b", joined)
    return Filled(1) if asked and only else None


_PAIR = re.compile(r" (?:me|myself) and (?:my|the|a|our) \w+ | my \w+ and (?:i|me|myself) ")


def _one_span(slot: Slot, joined: str) -> Decimal | None:
    """A single stretch of time, in the unit that the slot wants."""
    wanted = next((s for w in slot.title_words if (s := _SPANS.get(w.removesuffix("s")))), None)
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
    value = (
        part * 12 if (match[2], wanted) == ("year", 43_200) else part * _SPANS[match[2]] / wanted
    )
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
    other_unit = unit in _CURRENCY or stem(unit) in {stem(span) for span in _SPANS}
    if number.ordinal or other_unit:
        return (
            2
            if stem(unit) in {stem(w) for w in _span_words(slot)}
            else int(_ordinal_day(slot, number))
        )
    return 2 if slot.required and alone else 0


_PEOPLE = {
    stem(word) for word in listed("people guests persons adults passengers person guest travellers")
}
_PARTY = listed(
    "guests people passengers party attendees covers persons adults seats size travellers"
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
    return {} if not any(span in about or span + "s" in about for span in _SPANS) else _SPANS


def _converted(slot: Slot, turn: Turn, number: Number, value: Decimal) -> Decimal:
    """Two hours for a slot in minutes are 120."""
    unit = turn.said[number.last] if number.last < len(turn.said) else ""
    said = _SPANS.get(unit.removesuffix("s"))
    wanted = next((s for w in slot.title_words if (s := _SPANS.get(w.removesuffix("s")))), None)
    if not said or not wanted or said == wanted or {said, wanted} == {1440}:
        return value
    if (said, wanted) == (525_600, 43_200):
        return value * 12
    return value * said / wanted


def _list(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    inner = Slot(slot.name, slot.items.schema, required=True)
    if inner.choices:
        several = pick_choice(
            inner, turn.text, asked=slot.name == turn.asked, likeness=turn.likeness
        )
        return None if several is None else Filled(list(several.every), unsure=several.unsure)
    one = _fill(inner, turn, used, alone=alone)
    return None if one is None else Filled([one.value], unsure=one.unsure)


def _words(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    if slot.name == turn.asked:
        text = asked_words(slot, turn.text)
    else:
        text = volunteered_words(slot, turn.text)
    if not text or text.lower() in used:
        return None
    used.add(text.lower())
    return Filled(text)


type _Reader = Callable[[Slot, Turn, set[object], bool], Filled | None]
_READERS: Mapping[Role, _Reader] = {
    Role.DATE: _date,
    Role.TIME: _time,
    Role.MOMENT: _moment,
    Role.EMAIL: _email,
    Role.CODE: _code,
    Role.PHONE: _phone,
    Role.CHOICE: _choice,
    Role.FLAG: _flag,
    Role.MONEY: _money,
    Role.COUNT: _count,
    Role.LIST: _list,
    Role.PERSON: _words,
    Role.PLACE: _words,
    Role.WORDS: _words,
}
