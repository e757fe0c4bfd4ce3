"""Days and times as they are spoken: "next Tuesday at half past three", "the fifth of March"."""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal

from switchboard_local.mind.numbers import Number, Token, ordinal_value, scan, tokens
from switchboard_local.mind.wordlists import listed

MONTHS = {
    name.lower(): number
    for number in range(1, 13)
    for name in (calendar.month_name[number], calendar.month_abbr[number])
} | {"sept": 9}
WEEKDAYS = {
    name.lower(): number
    for number in range(7)
    for name in (calendar.day_name[number], calendar.day_abbr[number])
} | {"tues": 1, "thur": 3, "thurs": 3}
_UNSURE = frozenset({"may", "march", "sat", "sun", "mar", "wed"})
"""Names that are also everyday words: a date only beside a day."""
_FIXED = {"christmas eve": (12, 24), "christmas day": (12, 25), "boxing day": (12, 26),
          "christmas": (12, 25), "new year eve": (12, 31), "new years eve": (12, 31),
          "new year day": (1, 1), "new years day": (1, 1),
          "valentine day": (2, 14), "halloween": (10, 31)}  # fmt: skip
_UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14, "night": 1, "nights": 1}
_PARTS = {
    "morning": (0, 12),
    "afternoon": (12, 18),
    "evening": (17, 24),
    "tonight": (17, 24),
    "night": (18, 24),
}
_NAMED_TIMES = {"noon": time(12), "midday": time(12), "midnight": time(0), "lunchtime": time(12)}
_CLOCK_CUES = listed("about after around at before by for from past say till to until")


@dataclass(frozen=True, slots=True)
class Day:
    """A day somebody named, between two tokens."""

    first: int
    last: int
    day: date
    certain: bool = True
    """False for a bare number that is only perhaps a day of the month."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day somebody named, between two tokens."""

    first: int
    last: int
    at: time
    certain: bool = True
    """False for a bare number that is only perhaps an hour."""


@dataclass(frozen=True, slots=True)
class _Scene:
    said: list[str]
    numbers: dict[int, Number]
    today: date

    def word(self, at: int) -> str:
        return self.said[at] if 0 <= at < len(self.said) else ""

    def value(self, at: int) -> int | None:
        number = self.numbers.get(at)
        if number is None or number.value is None or number.value % 1:
            return None
        return int(number.value)

    def end(self, at: int) -> int:
        return self.numbers[at].last if at in self.numbers else at + 1


def days(text: str, today: date) -> list[Day]:
    """Every day named in `text`."""
    scene = _scene(tokens(text), today)
    found: list[Day] = []
    at = 0
    while at < len(scene.said):
        day = _day_at(scene, at)
        found += [day] if day else []
        at = day.last if day else at + 1
    return found


def clocks(text: str) -> list[Clock]:
    """Every time of day named in `text`."""
    scene = _scene(tokens(text), date(2000, 1, 1))
    found: list[Clock] = []
    at = 0
    while at < len(scene.said):
        clock = _clock_at(scene, at)
        found += [clock] if clock else []
        at = clock.last if clock else at + 1
    return found


def _scene(said: Sequence[Token], today: date) -> _Scene:
    listed = [token.word for token in said]
    return _Scene(listed, {number.first: number for number in _small_numbers(listed)}, today)


def _small_numbers(said: list[str]) -> Iterator[Number]:
    """Numbers; runs such as "three thirty" are taken apart where they make no value."""
    for number in scan(said):
        if number.value is not None:
            yield number
            continue
        at = number.first
        while at < number.last:
            piece = scan(said[at : min(at + 2, number.last)])
            joined = bool(piece) and piece[0].value is not None and piece[0].last == 2
            width = 2 if joined else 1
            single = scan(said[at : at + width])
            if single:
                one = single[0]
                yield Number(at, at + width, one.digits, one.value, one.ordinal)
            at += width


def _day_at(scene: _Scene, at: int) -> Day | None:
    readers = (
        _numbered_month,
        _iso,
        _slashed,
        _relative,
        _fixed,
        _weekday,
        _month_first,
        _day_first,
        _in_days,
        _bare_ordinal,
    )
    for read in readers:
        day = read(scene, at)
        if day:
            return day
    return None


def _iso(scene: _Scene, at: int) -> Day | None:
    parts = [scene.word(at + n) for n in range(3)]
    if len(parts[0]) != 4 or not all(part.isdigit() for part in parts):
        return None
    day = _make(int(parts[0]), int(parts[1]), int(parts[2]))
    return Day(at, at + 3, day) if day else None


def _slashed(scene: _Scene, at: int) -> Day | None:
    parts = [scene.word(at + n) for n in range(3)]
    if not all(part.isdigit() for part in parts) or len(parts[2]) != 4:
        return None
    first, second, year = (int(part) for part in parts)
    day = _make(year, second, first) or _make(year, first, second)
    return Day(at, at + 3, day) if day else None


def _relative(scene: _Scene, at: int) -> Day | None:
    said = scene.said[at : at + 4]
    named = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
    if said[:3] == ["day", "after", "tomorrow"]:
        return Day(at, at + 3, scene.today + timedelta(days=2))
    if said[:3] == ["day", "before", "yesterday"]:
        return Day(at, at + 3, scene.today - timedelta(days=2))
    if said[:2] in (
        ["this", "morning"],
        ["this", "afternoon"],
        ["this", "evening"],
        ["last", "night"],
    ):
        return Day(at, at + 2, scene.today - timedelta(days=said[0] == "last"))
    if said and said[0] in named:
        return Day(at, at + 1, scene.today + timedelta(days=named[said[0]]))
    return None


def _fixed(scene: _Scene, at: int) -> Day | None:
    for width in (4, 3, 2, 1):
        name = " ".join(word for word in scene.said[at : at + width] if word != "s")
        if name in _FIXED and at + width <= len(scene.said):
            month, day = _FIXED[name]
            return Day(at, at + width, _coming(scene.today, month, day) or scene.today)
    return None


def _weekday(scene: _Scene, at: int) -> Day | None:
    word = scene.word(at).removesuffix("s") if scene.word(at) not in WEEKDAYS else scene.word(at)
    before = scene.word(at - 1)
    if word not in WEEKDAYS or (word in _UNSURE and before not in {"on", "next", "this"}):
        return None
    number = WEEKDAYS[word]
    ahead = (number - scene.today.weekday()) % 7 or 7
    last = at + 1
    if before == "next":
        ahead = 7 - scene.today.weekday() + number
    elif before == "last":
        ahead = (number - scene.today.weekday()) % 7 - 7
    elif scene.said[at + 1 : at + 2] == ["week"] or _week_on(scene, at):
        ahead += 7
        last += scene.word(at + 1) == "week"
    dated = _dated_weekday(scene, last)
    return dated or Day(at, last, scene.today + timedelta(days=ahead))


def _week_on(scene: _Scene, at: int) -> bool:
    return scene.said[max(at - 2, 0) : at] == ["week", "on"] and scene.word(at - 3) in {"a", "one"}


def _dated_weekday(scene: _Scene, at: int) -> Day | None:
    """ "Friday the fourth of December": the date counts, not the weekday."""
    start = at + (scene.word(at) == "the")
    return _month_first(scene, start) or _day_first(scene, start)


def _month_first(scene: _Scene, at: int) -> Day | None:
    month = MONTHS.get(scene.word(at))
    if not month:
        return None
    number_at = at + 1 + (scene.word(at + 1) == "the")
    day = scene.value(number_at)
    if day is None or not 1 <= day <= 31:
        return None
    return _with_year(scene, at, scene.end(number_at), month, day)


def _day_first(scene: _Scene, at: int) -> Day | None:
    day = scene.value(at)
    if day is None or not 1 <= day <= 31:
        return None
    end = scene.end(at)
    month_at = end + (scene.word(end) == "of")
    month = MONTHS.get(scene.word(month_at))
    return _with_year(scene, at, month_at + 1, month, day) if month else None


def _numbered_month(scene: _Scene, at: int) -> Day | None:
    """ "the third of the seventh eighty four": a month by its number."""
    number = scene.numbers.get(at)
    if (
        number is None
        or not number.ordinal
        or scene.said[number.last : number.last + 2] != ["of", "the"]
    ):
        return None
    month_at = number.last + 2
    month = scene.numbers.get(month_at)
    day, in_year = scene.value(at), scene.value(month_at)
    if month is None or not month.ordinal or not day or not in_year or in_year > 12:
        return None
    return _with_year(scene, at, month.last, in_year, day)


def _with_year(scene: _Scene, first: int, last: int, month: int, day: int) -> Day | None:
    year, end = _year(scene, last)
    made = _make(year, month, day) if year else _coming(scene.today, month, day)
    return Day(first, end, made) if made else None


def _year(scene: _Scene, at: int) -> tuple[int | None, int]:
    start = at + (scene.word(at) in {"in", "of"})
    run = [n for n in scan(scene.said[start : start + 6]) if n.first == 0 and not n.ordinal]
    if not run:
        return None, at
    end = start + run[0].last
    if len(run[0].digits) == 2 and end == len(scene.said) and not run[0].ordinal:
        short = int(run[0].digits)
        return (1900 if short > 40 else 2000) + short, end
    if len(run[0].digits) != 4 or not 1900 <= int(run[0].digits) <= 2100:
        return None, at
    return int(run[0].digits), end


def _in_days(scene: _Scene, at: int) -> Day | None:
    """ "in three days", "two weeks ago", "a week from now", "next week" is no day."""
    number = 1 if scene.word(at) in {"a", "an"} else scene.value(at)
    unit_at = at + 1 if scene.word(at) in {"a", "an"} else scene.end(at)
    unit = scene.word(unit_at)
    if number is None or unit not in _UNITS or number > 400:
        return None
    span = timedelta(days=number * _UNITS[unit])
    if unit in {"night", "nights"}:
        return None
    if scene.word(unit_at + 1) in {"from", "on"} or scene.word(unit_at + 1) == "tomorrow":
        later = _day_at(scene, unit_at + 1 + (scene.word(unit_at + 1) != "tomorrow"))
        if later and scene.said[unit_at + 1 : unit_at + 3] != ["from", "today"]:
            shifted = later.day + span
            # "a week on Tuesday" is read at the weekday itself, which looks back at "week on".
            aside = scene.word(unit_at + 1) == "on"
            return None if aside else Day(at, later.last, shifted)
    if scene.word(at - 1) == "in":
        return Day(at - 1, unit_at + 1, scene.today + span)
    if scene.word(unit_at + 1) == "ago":
        return Day(at, unit_at + 2, scene.today - span)
    if scene.said[unit_at + 1 : unit_at + 3] in (["from", "now"], ["from", "today"]):
        return Day(at, unit_at + 3, scene.today + span)
    return None


def _bare_ordinal(scene: _Scene, at: int) -> Day | None:
    """ "the twenty first": the next such day of a month."""
    number = scene.numbers.get(at)
    if number is None or not number.ordinal or scene.word(number.last) in {"one", "of", "floor"}:
        return None
    day = scene.value(at)
    if day is None or not 1 <= day <= 31 or scene.word(at - 1) != "the":
        return None
    coming = _coming_day(scene.today, day)
    sure = scene.word(at - 2) in {"on", "from", "until", "till", "to"} or day > 3
    return Day(at, number.last, coming, certain=sure) if coming else None


def _coming_day(today: date, day: int) -> date | None:
    for ahead in range(4):
        month = today.month + ahead
        made = _make(today.year + (month - 1) // 12, (month - 1) % 12 + 1, day)
        if made and made >= today:
            return made
    return None


def _coming(today: date, month: int, day: int) -> date | None:
    for year in range(today.year, today.year + 9):
        made = _make(year, month, day)
        if made and made >= today:
            return made
    return None


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock_at(scene: _Scene, at: int) -> Clock | None:
    word = scene.word(at)
    if word in _NAMED_TIMES:
        return Clock(at, at + 1, _NAMED_TIMES[word])
    if word in {"half", "quarter"}:
        return _fraction(scene, at)
    value = scene.value(at)
    if value is None or scene.numbers[at].ordinal:
        return None
    return _minutes_past(scene, at, value) or _hour(scene, at, value)


def _fraction(scene: _Scene, at: int) -> Clock | None:
    """ "half past three", "quarter to five", British "half three"."""
    joint = scene.word(at + 1)
    hour_at = at + 2 if joint in {"past", "to", "after", "before"} else at + 1
    hour = scene.value(hour_at)
    if hour is None or not 1 <= hour <= 12 or (hour_at == at + 1 and scene.word(at) == "quarter"):
        return None
    minutes = 30 if scene.word(at) == "half" else 15
    minutes = -minutes if joint in {"to", "before"} else minutes
    return _timed(scene, at, scene.end(hour_at), hour, minutes)


def _minutes_past(scene: _Scene, at: int, minutes: int) -> Clock | None:
    joint_at = scene.end(at) + (scene.word(scene.end(at)) in {"minutes", "minute"})
    if scene.word(joint_at) not in {"past", "to"} or not 1 <= minutes <= 59:
        return None
    hour = scene.value(joint_at + 1)
    if hour is None or not 1 <= hour <= 12 or (scene.word(joint_at) == "to" and minutes % 5):
        return None
    sign = -1 if scene.word(joint_at) == "to" else 1
    return _timed(scene, at, scene.end(joint_at + 1), hour, sign * minutes)


def _hour(scene: _Scene, at: int, value: int) -> Clock | None:
    end = scene.end(at)
    split = _four_figures(scene.word(at)) if end == at + 1 else None
    if split and _timed_context(scene, at, end):
        return _timed(scene, at, end, *split)
    if not 0 <= value <= 23:
        return None
    if scene.word(end) in {"o", "oclock"}:
        end += 2 if scene.word(end + 1) == "clock" else 1
        return _timed(scene, at, end, value, 0)
    minutes = scene.value(end)
    if minutes is not None and _minute_like(scene, end, minutes) and _may_be_time(scene, at, end):
        return _timed(scene, at, scene.end(end), value, minutes)
    decimal = scene.numbers[at].value
    exact = decimal is not None and decimal % 1 == Decimal(0)
    if not exact:
        return None
    if _half_of_day(scene, end)[0] or _timed_context(scene, at, end):
        return _timed(scene, at, end, value, 0)
    loose = scene.word(at - 1) in {"for", "from", "say", "till", "before", "after", "about"}
    if not loose or not 1 <= value <= 12 or scene.word(end) not in _AFTER_TIME:
        return None
    timed = _timed(scene, at, end, value, 0)
    return replace(timed, certain=False) if timed else None


_COUNTED = listed(
    "room number card house flat bus gate flight order ticket page ending table bed unit platform"
)


def _may_be_time(scene: _Scene, at: int, end: int) -> bool:
    """Whether "three twelve" there may be a time rather than the number of something."""
    if scene.word(at).isdigit() and scene.word(end).isdigit():
        return True
    return scene.word(at - 1) not in _COUNTED and scene.word(scene.end(end)) not in _AMOUNTS


_AMOUNTS = listed("days nights people weeks months hours minutes pounds euros dollars quid percent")


def _minute_like(scene: _Scene, at: int, minutes: int) -> bool:
    """Minutes are said as two figures: "three thirty", "3:05", not "three four"."""
    figures = scene.word(at)
    return 10 <= minutes <= 59 or (figures.isdigit() and len(figures) == 2 and minutes < 60)


def _four_figures(word: str) -> tuple[int, int] | None:
    if len(word) == 4 and word.isdigit() and int(word[:2]) < 24 and int(word[2:]) < 60:
        return int(word[:2]), int(word[2:])
    return None


def _timed_context(scene: _Scene, at: int, end: int) -> bool:
    introduced = scene.word(at - 1) in {"at", "around", "by", "until", "till"}
    return introduced and scene.word(end) not in {
        "days", "nights", "people", "weeks", "months", "hours", "pounds", "percent",
    }  # fmt: skip


def _half_of_day(scene: _Scene, at: int) -> tuple[str, int]:
    """`am` or `pm` as said right after the time, and where it ends."""
    said = scene.said[at : at + 4]
    if said[:1] in (["am"], ["pm"]):
        return said[0], at + 1
    if said[:2] in (["a", "m"], ["p", "m"]):
        return said[0] + said[1], at + 2
    if said[:2] == ["in", "the"] and said[2:3] and said[2] in _PARTS:
        return ("am" if said[2] == "morning" else "pm"), at + 3
    if said[:2] == ["at", "night"]:
        return "pm", at + 2
    return "", at


def _timed(scene: _Scene, first: int, last: int, hour: int, minutes: int) -> Clock | None:
    half, end = _half_of_day(scene, last)
    half = half or _elsewhere(scene)
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    elif not half and 1 <= hour <= 7 and not _leading_zero(scene, first):
        hour += 12
    total = hour * 60 + minutes
    if not 0 <= total < 1440:
        return None
    start = first - 1 if scene.word(first - 1) in {"at", "around", "by"} else first
    return Clock(start, end, time(total // 60, total % 60))


_AFTER_TIME = frozenset(
    {"", "to", "on", "for", "at", "please", "tomorrow", "today", "tonight", "in", "until"}
)


def _leading_zero(scene: _Scene, at: int) -> bool:
    return scene.word(at).startswith("0") or scene.word(at) in {"zero", "oh"}


def _elsewhere(scene: _Scene) -> str:
    """A part of the day said anywhere: "tomorrow morning at seven"."""
    for word in scene.said:
        if word in _PARTS:
            return "am" if word == "morning" else "pm"
    if "wake" in scene.said or {"be", "up"} <= set(scene.said):
        return "am"
    return ""


def part_of_day(text: str) -> str:
    """`morning`, `afternoon` or `evening` where one was said."""
    for token in tokens(text):
        if token.word in _PARTS:
            return "evening" if token.word in {"tonight", "night"} else token.word
    return ""


def ordinal_day(word: str) -> int | None:
    """The day of the month that an ordinal names."""
    value = ordinal_value(word)
    return value if value is not None and 1 <= value <= 31 else None


def in_words(day: date, today: date) -> str:
    """A day for the ear: "tomorrow", "Tuesday the 24th of November"."""
    ahead = (day - today).days
    if ahead in {-1, 0, 1}:
        return {-1: "yesterday", 0: "today", 1: "tomorrow"}[ahead]
    suffix = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    spoken = f"the {day.day}{suffix} of {calendar.month_name[day.month]}"
    if abs(ahead) < 200:
        return f"{calendar.day_name[day.weekday()]} {spoken}"
    return f"{spoken} {day.year}"


def clock_in_words(at: time) -> str:
    """A time for the ear: "3:30 pm", "noon"."""
    if (at.hour, at.minute) in {(12, 0), (0, 0)}:
        return "noon" if at.hour else "midnight"
    half = "am" if at.hour < 12 else "pm"
    hour = at.hour % 12 or 12
    return f"{hour}:{at.minute:02d} {half}" if at.minute else f"{hour} {half}"
