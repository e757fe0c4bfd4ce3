"""Takes out of a text what is not to be stored, and keeps track of where everything went."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import re2  # pyright: ignore[reportMissingTypeStubs]

from switchboard.records.redaction import emails, ids, numbers
from switchboard.records.redaction.ibans import ibans
from switchboard.records.redaction.kinds import PLACEHOLDER, Kind, Redaction, Span, joined
from switchboard.records.redaction.runs import Run, candidate, runs_of
from switchboard.records.redaction.tail import closed_until

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None

RE2: Final[Any] = re2  # it comes without types
CUE_CHARS: Final = 80
"""How far back the words are that say what a number is."""
FEWEST: Final = 3
"""Digits that can be anything: the code on a card's back."""
MAX_PASSES: Final = 4
GONE: Final = "\0"


class Growing(StrEnum):
    """Whether more of a text is to come."""

    NOT = "not"
    PERHAPS = "perhaps"
    """Then its end is kept where it is only words."""
    SURELY = "surely"


@dataclass(frozen=True, slots=True)
class Redacted:
    """What may be stored of a text, and what was taken out of it."""

    text: str
    spans: Sequence[Span]
    """In the text as it was, in order."""

    def place(self, at: int) -> int:
        """Where the character `at` of the old text is in the new one. Of what was taken out, any
        part is the end of what stands in its place."""
        moved = at
        for span in self.spans:
            if at <= span.start:
                break
            instead = len(_instead(span))
            moved += instead - (min(at, span.end) - span.start)
        return min(max(moved, 0), len(self.text))


class Redactor:
    """What is taken out of one agent's calls. Raises `re2.error` for a pattern that is none."""

    def __init__(self, rules: Redaction) -> None:
        self._rules = rules
        self._patterns: list[tuple[str, Any]] = [
            (pattern.name, RE2.compile(pattern.expression)) for pattern in rules.patterns
        ]

    def text(self, text: str, growing: Growing = Growing.NOT) -> Redacted:
        """What may be stored of a text; of one that grows, without its unsettled end."""
        if growing is not Growing.NOT:
            settled = self._settled(text)
            if growing is Growing.SURELY or self._patterns or candidate(text, settled) is not None:
                text = text[:settled].rstrip()
        return _without(text, self.find(text))

    def _settled(self, text: str) -> int:
        settled = closed_until(text, patterns=bool(self._patterns))
        for _, pattern in self._patterns:
            for match in pattern.finditer(text):
                if match.start() < settled < match.end():
                    settled = match.start()
        return settled

    def find(self, text: str, before: str = "") -> list[Span]:
        """Everything in a text that is not to be stored, in order. `before` says what it is."""
        if not self._patterns and candidate(text) is None:
            return []
        masked = text
        if "[" in text:
            masked = PLACEHOLDER.sub(lambda match: GONE * len(match.group()), text)
        found: list[Span] = []
        # What is taken out may have hidden something else: looked at again, nothing new is found.
        for _ in range(MAX_PASSES):
            new = [each for each in self._pass(masked, before) if _is_new(each, masked)]
            if not new:
                break
            found += new
            masked = _masked(masked, joined(new))
        return joined(found)

    def _pass(self, text: str, before: str) -> Iterator[Span]:
        kinds = self._rules.kinds
        for name, pattern in self._patterns:
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    yield Span(match.start(), match.end(), name)
        if Kind.EMAIL in kinds:
            yield from (Span(*place, Kind.EMAIL) for place in emails.emails(text))
        accounts = [Span(*place, Kind.IBAN) for place in ibans(text)]
        if Kind.IBAN in kinds:
            yield from accounts
        lettered = [Span(*place, Kind.ID) for place in ids.with_letters(text)]
        if Kind.ID in kinds:
            yield from lettered
        for run in runs_of(text):
            if len(run.digits) >= FEWEST and not any(
                account.start <= run.start < account.end for account in accounts
            ):
                yield from self._run(run, text, before)

    def _run(self, run: Run, text: str, before: str) -> Iterator[Span]:
        since = max(text.rfind(GONE, 0, run.start) + 1, run.start - CUE_CHARS, 0)
        lead = text[since : run.start]
        if since == 0:
            lead = f"{before} {lead}" if before else lead
        kinds = self._rules.kinds
        if Kind.CARD in kinds and (found := numbers.cards(run, lead)):
            yield from (Span(*run.span(*each), Kind.CARD) for each in found)
        elif Kind.ID in kinds and (place := ids.announced(run, text, lead)):
            yield Span(*place, Kind.ID)
        elif Kind.PHONE in kinds and (found := numbers.phones(run, lead, self._rules.countries)):
            yield from (Span(*run.span(*each), Kind.PHONE) for each in found)
        elif Kind.ID in kinds:
            yield from (Span(*run.span(*each), Kind.ID) for each in ids.proven(run, lead))

    def data(self, text: str) -> str:
        """The same for what is JSON, or not: JSON stays JSON."""
        if not self._patterns and candidate(text) is None and "\\" not in text:
            return text
        try:
            value: Json = json.loads(text)
            clean = self._value(value, "")
        except (ValueError, RecursionError):
            return self.text(text).text
        if clean == value:
            return text
        return json.dumps(clean, ensure_ascii=False)

    def _value(self, value: Json, name: str) -> Json:
        """`name` is what JSON calls it, and says what a number is."""
        match value:
            case str():
                return _without(value, self.find(value, name)).text
            case bool() | None:
                return value
            case int() | float():
                written = json.dumps(value)
                found = self.find(written, name)
                return _without(written, found).text if found else value
            case list():
                return [self._value(each, name) for each in value]
            case dict():
                return {
                    self.text(key).text: self._value(each, key.replace("_", " "))
                    for key, each in value.items()
                }


def _is_new(span: Span, masked: str) -> bool:
    return masked.find(GONE, span.start, span.end) < 0


def _masked(text: str, spans: Sequence[Span]) -> str:
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += text[at : span.start], GONE * (span.end - span.start)
        at = span.end
    return "".join([*parts, text[at:]])


def _instead(span: Span) -> str:
    return f"[{span.kind}]"


def _without(text: str, spans: Sequence[Span]) -> Redacted:
    if not spans:
        return Redacted(text, ())
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += text[at : span.start], _instead(span)
        at = span.end
    return Redacted("".join([*parts, text[at:]]), spans)
