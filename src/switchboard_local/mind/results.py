"""Tool results as sentences: generic over JSON, aware of money, days, times and codes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from switchboard_local.mind.clock import clock_in_words
from switchboard_local.mind.dates import in_words
from switchboard_local.mind.numbers import ordinal_in_words
from switchboard_local.mind.text import name_words
from switchboard_local.mind.values import (
    JsonObject,
    as_list,
    as_object,
    as_text,
    is_array,
    is_object,
)
from switchboard_local.mind.wording import one_of
from switchboard_local.mind.wordlists import listed

SPOKEN_KEYS = (
    "say",
    "spoken",
    "speech",
    "message",
    "summary",
    "answer",
    "text",
    "detail",
    "description",
)
_STATUS_KEYS = frozenset({"status", "ok", "success", "result"})
_FINE = listed("accepted completed confirmed done ok success successful true")
_MONEY_KEYS = listed(
    "amount price cost total balance due fee fine charge owed owing paid payment outstanding "
    "limit salary premium deposit refund credit rate_per_month monthly spent value"
)
_CURRENCIES = {"GBP": "£", "EUR": "€", "USD": "$"}
_UNITS = {
    "gb": "gigabytes", "mb": "megabytes", "kwh": "kilowatt hours", "km": "kilometres",
    "kg": "kilograms", "minutes": "minutes", "min": "minutes", "mins": "minutes",
    "hours": "hours", "days": "days", "percent": "percent", "pct": "percent",
    "months": "months", "weeks": "weeks", "years": "years", "nights": "nights",
    "mbps": "megabits per second", "seconds": "seconds", "miles": "miles",
}  # fmt: skip
_NOT_A_UNIT_ALONE = listed("days hours miles min minutes months nights weeks years")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?")
_CLOCK = re.compile(r"\d{2}:\d{2}(?::\d{2})?")
_IDS = listed("created_at customer_id id key ref updated_at user_id uuid")
_SELF_EVIDENT = listed(
    "name title description label reason kind type status date amount price time day plan city "
    "place location"
)
FIRST_FEW = 3
"""Items of a list told before the rest is offered."""
_MOST_FIELDS = 9
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A result put into words, and the sentences kept back."""

    sentences: tuple[str, ...]
    rest: tuple[str, ...] = ()


def error_of(output: object) -> str:
    """The reason of a failed call; empty for one that went well."""
    found = as_object(output)
    reason = found.get("error")
    if is_object(reason):
        reason = as_object(reason).get("message") or "it did not work"
    if reason:
        return as_text(reason) or as_text(found.get("message")) or "it did not work"
    if (
        found.get("ok") is False
        or found.get("success") is False
        or found.get("status") in {"error", "failed"}
    ):
        return next(
            (as_text(found[k]) for k in SPOKEN_KEYS if as_text(found.get(k))), "it did not work"
        )
    return ""


def confirmation_in(output: object) -> str:
    """The question of a tool that wants consent first; empty for any other result."""
    found = as_object(output)
    if found.get("status") in {"confirm", "needs_confirmation", "confirmation_required"}:
        return as_text(found.get("say")) or as_text(found.get("message")) or "Shall I go ahead?"
    return ""


def tell(output: object, today: date, given: JsonObject | None = None) -> Told:
    """The facts of a result, in sentences. What only echoes the arguments `given` is left out."""
    found = as_object(output)
    new = {key: value for key, value in found.items() if (given or {}).get(key) != value}
    return _Teller(today).tell(new if new else output)


def _sentence(text: str) -> str:
    text = " ".join(text.split()).strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def _key_words(key: str) -> str:
    parts = [part for part in name_words(key) if part not in {"gbp", "eur", "usd", "iso"}]
    if len(parts) > 1 and parts[-1] in _UNITS:
        parts = parts[:-1]
    return " ".join(parts) or key


class _Teller:
    def __init__(self, today: date) -> None:
        self._today = today

    def tell(self, output: object) -> Told:
        if is_array(output):
            return self._list("results", as_list(output))
        found = as_object(output)
        if not found:
            return Told((self._bare(output),))
        spoken = next(
            (as_text(found[key]) for key in SPOKEN_KEYS[:3] if as_text(found.get(key))), ""
        )
        if spoken:
            return Told((_sentence(spoken),))
        return self._object(found)

    def _bare(self, output: object) -> str:
        if output is None or output in ("", {}, []) or output is True:
            return "That is done."
        if output is False:
            return "No."
        return _sentence(self.value("", output, {}))

    def _object(self, found: JsonObject) -> Told:
        said = next(
            (
                key
                for key in SPOKEN_KEYS
                if as_text(found.get(key)) and not self._is_list_like(found)
            ),
            "",
        )
        head = (_sentence(as_text(found[said])),) if said and " " in as_text(found[said]) else ()
        lists = [(k, as_list(v)) for k, v in found.items() if is_array(v) and k not in _STATUS_KEYS]
        spoken_lists = [self._list(key, items, found) for key, items in lists[:2]]
        skipped = {key for key, _ in lists} | ({said} if head else set[str]())
        plain = self._fields({k: v for k, v in found.items() if k not in skipped})
        listed = tuple(s for told in spoken_lists for s in told.sentences)
        whole = (*head, *plain, *listed) or ("That is done.",)
        return Told(whole, tuple(s for told in spoken_lists for s in told.rest))

    def _is_list_like(self, found: JsonObject) -> bool:
        return any(is_array(value) and value for value in found.values()) and "say" not in found

    def _fields(self, found: JsonObject, depth: int = 0) -> tuple[str, ...]:
        """Sentences of an object's own fields, a few facts in each."""
        pairs: list[str] = []
        for key, value in found.items():
            pairs += self._field(key, value, found, depth)
        pairs = pairs[:_MOST_FIELDS]
        grouped = [pairs[at : at + 2] for at in range(0, len(pairs), 2)]
        return tuple(_sentence(" and ".join(group)) for group in grouped)

    def _field(self, key: str, value: object, near: JsonObject, depth: int) -> list[str]:
        low = key.lower()
        if value is None or value == "" or low in {"currency"}:
            return []
        if low in _STATUS_KEYS and str(value).lower() in _FINE:
            return ["that is done"] if len(near) == 1 else []
        inner = as_object(value)
        if inner:
            return self._nested(key, inner, depth)
        if isinstance(value, bool):
            return [f"{_key_words(key)}: {'yes' if value else 'no'}"]
        said = self.value(key, value, near)
        named = _key_words(key)
        if _participle(named):
            return [f"{said} {named}" if _is_figure(value) else f"{named}: {said}"]
        return [f"the {named} {'are' if named.endswith('s') and is_array(value) else 'is'} {said}"]

    def _nested(self, key: str, inner: JsonObject, depth: int) -> list[str]:
        if depth >= _DEEPEST:
            return []
        parts = [
            part
            for k, v in inner.items()
            for part in self._field(f"{key}_{k}", v, inner, depth + 1)
        ]
        return parts[:4]

    def _list(self, key: str, items: Sequence[object], near: JsonObject | None = None) -> Told:
        noun = _key_words(key)
        if not items:
            return Told((f"There are no {noun}.",))
        lines = [self.item(item, near or {}) for item in items]
        one = _singular(noun)
        if len(lines) == 1:
            return Told((f"There is one {one}: {lines[0]}.",))
        if all(not is_object(item) for item in items) and len(lines) <= 6:
            return Told((f"The {noun} are {one_of(lines, 'and')}.",))
        numbered = [f"The {ordinal_in_words(n)}: {line}." for n, line in enumerate(lines, 1)]
        head = f"There are {len(lines)} {noun}."
        if len(lines) <= FIRST_FEW + 1:
            return Told((head, *numbered))
        offer = f"Would you like to hear the other {len(lines) - FIRST_FEW}?"
        return Told((head, *numbered[:FIRST_FEW], offer), tuple(numbered[FIRST_FEW:]))

    def item(self, item: object, near: JsonObject) -> str:
        """One thing of a list in a few words."""
        found = as_object(item)
        if not found:
            return self.value("", item, near)
        shown = {k: v for k, v in found.items() if not _hidden(k, v, found)}
        titled = [
            k
            for k in shown
            if k in {"name", "title", "description", "label", "reason", "kind", "type"}
        ]
        ordered = [*titled[:1], *(k for k in shown if k not in titled[:1])][:6]
        return ", ".join(self._item_part(key, found[key], {**near, **found}) for key in ordered)

    def _item_part(self, key: str, value: object, near: JsonObject) -> str:
        text = self.value(key, value, near)
        if isinstance(value, bool):
            return _key_words(key) if value else f"not {_key_words(key)}"
        told = key in _SELF_EVIDENT
        return (
            text
            if told or (_is_dated(value) and key.endswith("at"))
            else f"{_key_words(key)} {text}"
        )

    def value(self, key: str, value: object, near: JsonObject) -> str:
        """One value for the ear."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int | float):
            return self._number(key, value, near)
        if is_array(value):
            listed = as_list(value)
            return one_of([self.value(key, one, near) for one in listed[:6]], "and") or "none"
        inner = as_object(value)
        if inner:
            return self.item(inner, near)
        return self._text(str(value))

    def _number(self, key: str, value: float, near: JsonObject) -> str:
        parts = name_words(key)
        sign = _currency(parts, near)
        money = sign or (set(parts) & _MONEY_KEYS and isinstance(value, float))
        unit = next((_UNITS[part] for part in parts[::-1] if part in _UNITS), "")
        if unit and not (len(parts) == 1 and parts[0] in _NOT_A_UNIT_ALONE) and not sign:
            return f"{_figures(value)} {unit}"
        if money or value < 0:
            amount = f"{abs(value):,.2f}".removesuffix(".00").replace(",", "")
            return f"{'minus ' if value < 0 else ''}{sign}{amount}"
        return _figures(value)

    def _text(self, text: str) -> str:
        try:
            if _DATE.fullmatch(text):
                return in_words(date.fromisoformat(text), self._today)
            if _STAMP.fullmatch(text):
                stamp = datetime.fromisoformat(text)
                return f"{in_words(stamp.date(), self._today)} at {clock_in_words(stamp.time())}"
            if _CLOCK.fullmatch(text):
                return clock_in_words(time.fromisoformat(text))
        except ValueError:
            return text
        if re.fullmatch(r"[a-z]+(?:_[a-z]+)+", text):
            return text.replace("_", " ")
        return _in_prose(text, self._today)


def _in_prose(text: str, today: date) -> str:
    """Days in ISO form inside a sentence, said as days."""

    def said(match: re.Match[str]) -> str:
        try:
            return in_words(date.fromisoformat(match.group()), today)
        except ValueError:
            return match.group()

    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", said, text).rstrip(".")


def _participle(named: str) -> bool:
    """Whether a key tells what was done: "paid", "data used", "left"."""
    last = (named.split() or [""])[-1]
    return last in {"paid", "left", "due", "sent", "remaining", "owed"} or (
        last.endswith("ed") and len(last) > 4
    )


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_dated(value: object) -> bool:
    return isinstance(value, str) and bool(_DATE.match(value))


def _hidden(key: str, value: object, near: JsonObject) -> bool:
    if value is None or value == "" or key.lower() == "currency":
        return True
    return key.lower() in _IDS and len(near) > 2 and len(str(value)) > 12


def _currency(parts: list[str], near: JsonObject) -> str:
    for part in parts:
        if part.upper() in _CURRENCIES:
            return _CURRENCIES[part.upper()]
        if part in {"pounds", "euros", "dollars"}:
            return {"pounds": "£", "euros": "€", "dollars": "$"}[part]
    stated = as_text(near.get("currency")).upper()
    return _CURRENCIES.get(stated, "") if set(parts) & _MONEY_KEYS else ""


def _figures(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.2f}".rstrip("0").rstrip(".")


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
