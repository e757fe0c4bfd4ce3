"""Days and times for the slots that ask for them."""

import re
from datetime import date

from switchboard_local.mind import dates
from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.clock import Clock, clocks
from switchboard_local.mind.corrections import standing
from switchboard_local.mind.schema import fits
from switchboard_local.mind.text import words
from switchboard_local.mind.turn import Filled, Turn
from switchboard_local.mind.wordlists import listed

_INSTEAD = re.compile(
    r"\b(?:instead|rather|no good|not good|can't|cannot|can not|won't|could we do|can we do|"
    r"make it)\b"
)


def read_date(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    asked = slot.name == turn.asked
    days = standing([day for day in turn.days if day.certain or asked], turn.said)
    days = [day for day in days if not _given_up(turn, day.first)] or days
    if alone and _INSTEAD.search(turn.text.lower()):
        days.reverse()  # "Wednesday is no good, could we do Friday": the last one counts
    for day in _by_cue(slot, turn, days):
        if ("day", day.first) not in used:
            used.add(("day", day.first))
            return Filled(_shaped_date(slot, _past_or_coming(slot, day.day, turn)))
    return None


def _given_up(turn: Turn, at: int) -> bool:
    """Whether what is said there is what the caller does not want: "instead of Thursday"."""
    before = " ".join(turn.said[max(at - 3, 0) : at])
    return bool(re.search(r"\b(?:instead of|rather than)(?: on| the)?$", before))


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


def read_time(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    for clock in _clocks(slot, turn):
        if ("clock", clock.first) not in used:
            used.add(("clock", clock.first))
            shapes = ("%H:%M", "%H:%M:%S", "%H:%M:%SZ", "%H%M", "%I:%M %p")
            text = next((t for s in shapes if fits(t := clock.at.strftime(s), slot.schema)), "")
            return Filled(text) if text else None
    return None


def _clocks(slot: Slot, turn: Turn) -> list[Clock]:
    sure = standing([clock for clock in turn.clocks if clock.certain], turn.said)
    if sure:
        return sure
    if turn.clocks or slot.name != turn.asked:
        return turn.clocks
    return clocks(f"at {turn.text}")


def read_moment(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    if not turn.days or not turn.clocks or ("day", turn.days[0].first) in used:
        return None
    used.update({("day", turn.days[0].first), ("clock", turn.clocks[0].first)})
    stamp = f"{turn.days[0].day.isoformat()}T{turn.clocks[0].at.strftime('%H:%M:%S')}"
    shapes = (stamp, stamp + "Z", stamp.replace("T", " ")[:-3], stamp[:-3])
    return Filled(next((shape for shape in shapes if fits(shape, slot.schema)), stamp))
