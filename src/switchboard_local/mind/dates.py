"""Days as they are spoken: "next Tuesday", "the fifth of March", "in a fortnight"."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from switchboard_local.mind.numbers import scan, tokens
from switchboard_local.mind.scene import Scene, scene_of

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


@dataclass(frozen=True, slots=True)
class Day:
    """A day somebody named, between two tokens."""

    first: int
    last: int
    day: date
    certain: bool = True
    """False for a bare number that is only perhaps a day of the month."""


def days(text: str, today: date) -> list[Day]:
    """Every day named in `text`."""
    scene = scene_of(tokens(text), today)
    found: list[Day] = []
    at = 0
    while at < len(scene.said):
        day = _day_at(scene, at)
        found += [day] if day else []
        at = day.last if day else at + 1
    return found


def _day_at(scene: Scene, at: int) -> Day | None:
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


def _iso(scene: Scene, at: int) -> Day | None:
    parts = [scene.word(at + n) for n in range(3)]
    if len(parts[0]) != 4 or not all(part.isdigit() for part in parts):
        return None
    day = _make(int(parts[0]), int(parts[1]), int(parts[2]))
    return Day(at, at + 3, day) if day else None


def _slashed(scene: Scene, at: int) -> Day | None:
    parts = [scene.word(at + n) for n in range(3)]
    if not all(part.isdigit() for part in parts) or len(parts[2]) != 4:
        return None
    first, second, year = (int(part) for part in parts)
    day = _make(year, second, first) or _make(year, first, second)
    return Day(at, at + 3, day) if day else None


def _relative(scene: Scene, at: int) -> Day | None:
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


def _fixed(scene: Scene, at: int) -> Day | None:
    for width in (4, 3, 2, 1):
        name = " ".join(word for word in scene.said[at : at + width] if word != "s")
        if name in _FIXED and at + width <= len(scene.said):
            month, day = _FIXED[name]
            return Day(at, at + width, _coming(scene.today, month, day) or scene.today)
    return None


def _weekday(scene: Scene, at: int) -> Day | None:
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


def _week_on(scene: Scene, at: int) -> bool:
    return scene.said[max(at - 2, 0) : at] == ["week", "on"] and scene.word(at - 3) in {"a", "one"}


def _dated_weekday(scene: Scene, at: int) -> Day | None:
    """ "Friday the fourth of December": the date counts, not the weekday."""
    start = at + (scene.word(at) == "the")
    return _month_first(scene, start) or _day_first(scene, start)


def _month_first(scene: Scene, at: int) -> Day | None:
    month = MONTHS.get(scene.word(at))
    if not month:
        return None
    number_at = at + 1 + (scene.word(at + 1) == "the")
    day = scene.value(number_at)
    if day is None or not 1 <= day <= 31:
        return None
    return _with_year(scene, at, scene.end(number_at), month, day)


def _day_first(scene: Scene, at: int) -> Day | None:
    day = scene.value(at)
    if day is None or not 1 <= day <= 31:
        return None
    end = scene.end(at)
    month_at = end + (scene.word(end) == "of")
    month = MONTHS.get(scene.word(month_at))
    return _with_year(scene, at, month_at + 1, month, day) if month else None


def _numbered_month(scene: Scene, at: int) -> Day | None:
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


def _with_year(scene: Scene, first: int, last: int, month: int, day: int) -> Day | None:
    year, end = _year(scene, last)
    made = _make(year, month, day) if year else _coming(scene.today, month, day)
    return Day(first, end, made) if made else None


def _year(scene: Scene, at: int) -> tuple[int | None, int]:
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


def _in_days(scene: Scene, at: int) -> Day | None:
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


def _bare_ordinal(scene: Scene, at: int) -> Day | None:
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
