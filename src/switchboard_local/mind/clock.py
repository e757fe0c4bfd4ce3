"""Times of day as they are spoken: "half past three", "nine in the morning"."""

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal

from switchboard_local.mind.numbers import tokens
from switchboard_local.mind.scene import Scene, scene_of
from switchboard_local.mind.wordlists import listed

_PARTS = {
    "morning": (0, 12),
    "afternoon": (12, 18),
    "evening": (17, 24),
    "tonight": (17, 24),
    "night": (18, 24),
}
_NAMED_TIMES = {"noon": time(12), "midday": time(12), "midnight": time(0), "lunchtime": time(12)}


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day somebody named, between two tokens."""

    first: int
    last: int
    at: time
    certain: bool = True
    """False for a bare number that is only perhaps an hour."""


def clocks(text: str) -> list[Clock]:
    """Every time of day named in `text`."""
    scene = scene_of(tokens(text), date(2000, 1, 1))
    found: list[Clock] = []
    at = 0
    while at < len(scene.said):
        clock = _clock_at(scene, at)
        found += [clock] if clock else []
        at = clock.last if clock else at + 1
    return found


def _clock_at(scene: Scene, at: int) -> Clock | None:
    word = scene.word(at)
    if word in _NAMED_TIMES:
        return Clock(at, at + 1, _NAMED_TIMES[word])
    if word in {"half", "quarter"}:
        return _fraction(scene, at)
    value = scene.value(at)
    if value is None or scene.numbers[at].ordinal:
        return None
    return _minutes_past(scene, at, value) or _hour(scene, at, value)


def _fraction(scene: Scene, at: int) -> Clock | None:
    """ "half past three", "quarter to five", British "half three"."""
    joint = scene.word(at + 1)
    hour_at = at + 2 if joint in {"past", "to", "after", "before"} else at + 1
    hour = scene.value(hour_at)
    if hour is None or not 1 <= hour <= 12 or (hour_at == at + 1 and scene.word(at) == "quarter"):
        return None
    minutes = 30 if scene.word(at) == "half" else 15
    minutes = -minutes if joint in {"to", "before"} else minutes
    return _timed(scene, at, scene.end(hour_at), hour, minutes)


def _minutes_past(scene: Scene, at: int, minutes: int) -> Clock | None:
    joint_at = scene.end(at) + (scene.word(scene.end(at)) in {"minutes", "minute"})
    if scene.word(joint_at) not in {"past", "to"} or not 1 <= minutes <= 59:
        return None
    hour = scene.value(joint_at + 1)
    if hour is None or not 1 <= hour <= 12 or (scene.word(joint_at) == "to" and minutes % 5):
        return None
    sign = -1 if scene.word(joint_at) == "to" else 1
    return _timed(scene, at, scene.end(joint_at + 1), hour, sign * minutes)


def _hour(scene: Scene, at: int, value: int) -> Clock | None:
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


def _may_be_time(scene: Scene, at: int, end: int) -> bool:
    """Whether "three twelve" there may be a time rather than the number of something."""
    if scene.word(at).isdigit() and scene.word(end).isdigit():
        return True
    return scene.word(at - 1) not in _COUNTED and scene.word(scene.end(end)) not in _AMOUNTS


_AMOUNTS = listed("days nights people weeks months hours minutes pounds euros dollars quid percent")


def _minute_like(scene: Scene, at: int, minutes: int) -> bool:
    """Minutes are said as two figures: "three thirty", "3:05", not "three four"."""
    figures = scene.word(at)
    return 10 <= minutes <= 59 or (figures.isdigit() and len(figures) == 2 and minutes < 60)


def _four_figures(word: str) -> tuple[int, int] | None:
    if len(word) == 4 and word.isdigit() and int(word[:2]) < 24 and int(word[2:]) < 60:
        return int(word[:2]), int(word[2:])
    return None


def _timed_context(scene: Scene, at: int, end: int) -> bool:
    introduced = scene.word(at - 1) in {"at", "around", "by", "until", "till"}
    return introduced and scene.word(end) not in {
        "days", "nights", "people", "weeks", "months", "hours", "pounds", "percent",
    }  # fmt: skip


def _half_of_day(scene: Scene, at: int) -> tuple[str, int]:
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


def _timed(scene: Scene, first: int, last: int, hour: int, minutes: int) -> Clock | None:
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


def _leading_zero(scene: Scene, at: int) -> bool:
    return scene.word(at).startswith("0") or scene.word(at) in {"zero", "oh"}


def _elsewhere(scene: Scene) -> str:
    """A part of the day said anywhere: "tomorrow morning at seven"."""
    for word in scene.said:
        if word in _PARTS:
            return "am" if word == "morning" else "pm"
    if "wake" in scene.said or {"be", "up"} <= set(scene.said):
        return "am"
    return ""


def clock_in_words(at: time) -> str:
    """A time for the ear: "3:30 pm", "noon"."""
    if (at.hour, at.minute) in {(12, 0), (0, 0)}:
        return "noon" if at.hour else "midnight"
    half = "am" if at.hour < 12 else "pm"
    hour = at.hour % 12 or 12
    return f"{hour}:{at.minute:02d} {half}" if at.minute else f"{hour} {half}"
