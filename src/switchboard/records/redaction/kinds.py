"""What is taken out of a text, and what stands in its place."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What can be found."""

    CARD = "card"
    """Numbers of payment cards, and the codes on their backs."""
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    """Numbers by which a state knows a person."""
    IBAN = "iban"


USUAL: Final = frozenset({Kind.CARD, Kind.EMAIL, Kind.PHONE, Kind.ID})
"""What is taken out unless a profile says otherwise."""
PLACEHOLDER: Final = re.compile(r"\[[a-z][a-z0-9_]{0,30}\]")
"""What was taken out before is not looked at again."""


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` is not to be stored."""

    start: int
    end: int
    kind: str

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something else that is not to be stored: an expression of RE2, which takes no more than
    linear time."""

    name: str
    """What stands in its place: `[name]`."""
    expression: str


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out of an agent's calls."""

    kinds: frozenset[Kind] = USUAL
    countries: tuple[str, ...] = ("US", "GB")
    """Whose telephone numbers are known without their `+`, ISO 3166, upper case."""
    patterns: tuple[Pattern, ...] = ()


FULL: Final = Redaction()
"""For calls of which nobody said anything else."""


def joined(spans: list[Span]) -> list[Span]:
    """Spans in their order, those that overlap made one. Of the kinds, the first given wins."""
    ranks = {span: rank for rank, span in reversed(list(enumerate(spans)))}
    whole: list[tuple[Span, int]] = []
    for span in sorted(set(spans), key=lambda each: (each.start, each.end)):
        rank = ranks[span]
        if whole and span.overlaps(whole[-1][0]):
            last, best = whole.pop()
            kind = last.kind if best <= rank else span.kind
            merged = Span(last.start, max(last.end, span.end), kind)
            whole.append((merged, min(best, rank)))
        else:
            whole.append((span, rank))
    return [span for span, _ in whole]
