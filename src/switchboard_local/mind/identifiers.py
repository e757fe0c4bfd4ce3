"""Codes, telephone numbers and addresses of mail for the slots that ask for them."""

import re

from switchboard_local.mind import codes, dates
from switchboard_local.mind.amounts import SPANS
from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.numbers import CURRENCIES
from switchboard_local.mind.schema import fits
from switchboard_local.mind.text import stem, words
from switchboard_local.mind.turn import Filled, Turn, taken_by
from switchboard_local.mind.wordlists import listed


def read_email(_slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
    for found in turn.emails:
        if found not in used:
            used.add(found)
            return Filled(found)
    return None


def read_code(slot: Slot, turn: Turn, used: set[object], alone: bool) -> Filled | None:
    for code in sorted(turn.codes, key=lambda code: not _named_before(slot, turn, code.first)):
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
    if not (asked or named or (alone and length >= 4)) or counted(turn, code.last):
        return None
    if not any(c.isdigit() for c in code.text) or (length < 2 and not asked):
        return None
    if overlaps(turn, code) and not named:
        return None
    return _postcode(slot, code.text.upper())


def _postcode(slot: Slot, text: str) -> str:
    """A British postcode is written in two halves."""
    about = {*slot.title_words, *words(slot.description)}
    british = re.fullmatch(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", text)
    return f"{british[1]} {british[2]}" if british and "postcode" in about else text


def overlaps(turn: Turn, code: codes.Code) -> bool:
    return bool((taken_by(turn.days) | taken_by(turn.clocks)) & set(range(code.first, code.last)))


def counted(turn: Turn, at: int) -> bool:
    """Whether what follows makes an amount of it: "fifty pounds", "three nights"."""
    following = turn.said[at] if at < len(turn.said) else ""
    return following in CURRENCIES or stem(following) in {stem(span) for span in SPANS}


def _fitted(slot: Slot, turn: Turn, code: codes.Code) -> str | None:
    """The code, or the end of it, as the pattern wants it."""
    bare = re.sub(r"\W", "", code.text)
    if counted(turn, code.last) and slot.name != turn.asked:
        return None
    if overlaps(turn, code) and slot.name != turn.asked and len(bare) < 5:
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


def read_phone(slot: Slot, turn: Turn, used: set[object], _alone: bool) -> Filled | None:
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
