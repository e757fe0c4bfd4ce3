"""Arguments that stand in earlier results: "pay the first one", "that one", "the bigger fine"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from switchboard_local.mind.catalogue import Role, Slot
from switchboard_local.mind.lexicon import content
from switchboard_local.mind.numbers import numbers, ordinal_value
from switchboard_local.mind.schema import fits
from switchboard_local.mind.state import Ran
from switchboard_local.mind.text import name_words, stem, words
from switchboard_local.mind.values import JsonObject, as_list, as_object, is_array, is_object
from switchboard_local.mind.wordlists import listed

_ID_KEYS = frozenset({"id", "number", "reference", "code", "ref", "key"})
_POINTERS = listed("it that this them those one these same")
_MOST = listed(
    "bigger biggest larger largest highest higher dearest dearer expensive most longest latest "
    "newest"
)
_LEAST = listed(
    "smaller smallest lower lowest cheaper cheapest least shortest earliest oldest soonest"
)
_CARRIED = frozenset({Role.CODE, Role.PHONE, Role.EMAIL, Role.PERSON})
_OTHER = frozenset(["another", "other", "different", "else", "new", "someone"])
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Thing:
    """Something an earlier result told of, and the value that names it."""

    value: object
    item: JsonObject


def resolve(slot: Slot, text: str, ran: Sequence[Ran]) -> object | None:
    """The value for `slot` that `text` points at; `None` when it points at nothing known."""
    things = candidates(slot, ran)
    if not things:
        return None
    said = words(text)
    picked = _by_order(things, said) or _by_size(things, said) or _by_words(things, said)
    if picked is None and len(things) == 1 and not set(said) & _OTHER:
        picked = things[0]
    return picked.value if picked else None


def candidates(slot: Slot, ran: Sequence[Ran]) -> list[Thing]:
    """What the newest result that knows such a thing lists for `slot`."""
    if slot.role not in _CARRIED:
        return []
    for call in reversed(ran):
        found = list(_things(slot, call.output, "", 0)) if call.answered else []
        if found:
            return found
    return []


def carried(slot: Slot, text: str, ran: Sequence[Ran]) -> object | None:
    """The value an argument of the same name had before, where it names a lasting thing."""
    if slot.role not in _CARRIED or (slot.role is Role.PERSON and slot.name != "name"):
        return None
    if set(words(text)) & _OTHER:
        return None
    for call in reversed(ran):
        value = call.given.get(slot.name)
        if value is not None and fits(value, slot.schema) and not _failed(call):
            return value
    return None


def _failed(call: Ran) -> bool:
    return bool(as_object(call.output).get("error"))


def _things(slot: Slot, value: object, under: str, depth: int) -> Iterator[Thing]:
    if depth > _DEEPEST:
        return
    if is_array(value):
        for one in as_list(value):
            yield from _things(slot, one, under, depth + 1)
        return
    found = as_object(value)
    named = next((found[key] for key in found if _names(slot, key, under)), None)
    if named is not None and fits(named, slot.schema):
        yield Thing(named, found)
        return
    for key, inner in found.items():
        if is_object(inner) or is_array(inner):
            yield from _things(slot, inner, key, depth + 1)


def _names(slot: Slot, key: str, under: str) -> bool:
    """Whether a result's key holds what the slot wants: `fine_id`, or `id` under `fines`."""
    if key == slot.name or name_words(key) == slot.title_words:
        return True
    about = {stem(word) for word in slot.title_words if word not in _ID_KEYS}
    near = {stem(word) for word in name_words(under)}
    return key.lower() in _ID_KEYS and (
        not about or bool(about & near) or bool(slot.pattern and near)
    )


def _by_order(things: Sequence[Thing], said: list[str]) -> Thing | None:
    for word in said:
        place = ordinal_value(word)
        if place is not None and 0 < place <= len(things):
            return things[place - 1]
    return things[-1] if "last" in said else None


def _by_size(things: Sequence[Thing], said: list[str]) -> Thing | None:
    wanted = set(said)
    if not wanted & (_MOST | _LEAST):
        return None
    key = _size_key(
        things, dated=bool(wanted & {"latest", "newest", "earliest", "oldest", "soonest"})
    )
    if key is None:
        return None
    return sorted(things, key=lambda thing: _order_of(thing.item.get(key)))[
        -1 if wanted & _MOST else 0
    ]


def _size_key(things: Sequence[Thing], *, dated: bool) -> str | None:
    for key, value in things[0].item.items():
        measured = isinstance(value, int | float) and not isinstance(value, bool)
        if measured != dated and (measured or (isinstance(value, str) and value[:4].isdigit())):
            return key
    return None


def _order_of(value: object) -> tuple[float, str]:
    if isinstance(value, int | float):
        return float(value), ""
    return 0.0, str(value)


def _by_words(things: Sequence[Thing], said: list[str]) -> Thing | None:
    """The thing whose own words or amounts were said, where just one has them."""
    heard = {stem(word) for word in content(said)}
    amounts = {float(n.value) for n in numbers(" ".join(said)) if n.value is not None}
    scores = [_likeness(thing, heard, amounts) for thing in things]
    best = max(scores)
    if best == 0 or scores.count(best) > 1:
        return None
    return things[scores.index(best)]


def _likeness(thing: Thing, heard: set[str], amounts: set[float]) -> int:
    values = [value for value in thing.item.values() if not (is_object(value) or is_array(value))]
    told = {stem(word) for value in values if isinstance(value, str) for word in words(value)}
    figures = {float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)}
    return len(heard & told) + 2 * len(amounts & figures)


def points(text: str) -> bool:
    """Whether the turn points at something told before."""
    said = set(words(text))
    return bool(said & (_POINTERS | _MOST | _LEAST | {"last"})) or any(
        ordinal_value(w) for w in said
    )
