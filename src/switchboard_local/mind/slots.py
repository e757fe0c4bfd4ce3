"""Finds in what was said the values that a tool's arguments ask for."""

import re
from collections.abc import Callable, Mapping, Sequence

from switchboard_local.mind import codes
from switchboard_local.mind.amounts import read_count, read_money
from switchboard_local.mind.catalogue import Role, Slot
from switchboard_local.mind.choices import Picked, pick_choice
from switchboard_local.mind.freetext import asked_words, trimmed, volunteered_words
from switchboard_local.mind.identifiers import read_code, read_email, read_phone
from switchboard_local.mind.schema import fits
from switchboard_local.mind.text import stem, words
from switchboard_local.mind.turn import Filled, Turn
from switchboard_local.mind.when import read_date, read_moment, read_time
from switchboard_local.mind.wordlists import listed

_LONGEST = 2000


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


def _choice(slot: Slot, turn: Turn, _used: set[object], _alone: bool) -> Filled | None:
    picked = _picked(slot, turn)
    if picked is None or (picked.hinted and not slot.required and slot.name != turn.asked):
        return None
    return Filled(picked.value, picked.unsure and (picked.hinted or slot.name == turn.asked))


def _picked(slot: Slot, turn: Turn) -> Picked | None:
    asked = slot.name == turn.asked
    return pick_choice(slot, turn.text, asked=asked, likeness=turn.likeness, insight=turn.insight)


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
        return _volunteered(slot, turn, used)
    if not text or text.lower() in used:
        return None
    used.add(text.lower())
    return Filled(text)


_SAID = 0.6
"""The chance from which words are taken for an argument."""
_NEEDED = 0.25
"""The same where it must be given anyway: below the other, it is read back."""


def _volunteered(slot: Slot, turn: Turn, used: set[object]) -> Filled | None:
    """Words of a request: as they are marked, or by what they mean."""
    marked = volunteered_words(slot, turn.text)
    meant = None
    if not (marked and slot.role in {Role.PERSON, Role.PLACE}):
        meant = _meant(slot, turn)
    found = meant or (Filled(marked) if marked and (turn.insight is None or _asks(slot)) else None)
    if found is None or str(found.value).lower() in used:
        return None
    used.add(str(found.value).lower())
    return found


def _asks(slot: Slot) -> bool:
    return slot.required or slot.role in {Role.PERSON, Role.PLACE}


def _meant(slot: Slot, turn: Turn) -> Filled | None:
    """What the reader takes for the argument; nothing that is read out as a number."""
    span = turn.insight.span(slot, turn.text) if turn.insight else None
    if span is None or span.chance < (_NEEDED if slot.required else _SAID):
        return None
    text = trimmed(slot, span.text)
    if not text or any(len(code.text) > 3 for code in codes.codes(text)):
        return None
    return Filled(text, span.chance < _SAID)


type _Reader = Callable[[Slot, Turn, set[object], bool], Filled | None]
_READERS: Mapping[Role, _Reader] = {
    Role.DATE: read_date,
    Role.TIME: read_time,
    Role.MOMENT: read_moment,
    Role.EMAIL: read_email,
    Role.CODE: read_code,
    Role.PHONE: read_phone,
    Role.CHOICE: _choice,
    Role.FLAG: _flag,
    Role.MONEY: read_money,
    Role.COUNT: read_count,
    Role.LIST: _list,
    Role.PERSON: _words,
    Role.PLACE: _words,
    Role.WORDS: _words,
}
