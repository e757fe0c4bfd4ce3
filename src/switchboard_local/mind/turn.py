"""What was said in one go, with all that can be read from it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from switchboard_local.mind import codes, dates
from switchboard_local.mind.clock import Clock, clocks
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.numbers import Number, Token, scan, tokens

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_EMAIL = re.compile(
    r"((?:[\w-]+ (?:dot|underscore|dash) )*[\w.+-]+) at ((?:[\w-]+ dot )+[a-z]{2,})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A value for a slot, and whether it had to be guessed at."""

    value: object
    unsure: bool = False


@dataclass(frozen=True)
class Turn:
    """What was said in one go, with all that can be read from it; read once, used by every slot."""

    text: str
    today: date
    asked: str = ""
    """The slot the agent had asked for, if any."""
    likeness: Callable[[str, str], float] = field(default=lambda _one, _other: 0.0, compare=False)
    """How near two texts are in meaning, 0 to 1."""
    insight: Insight | None = field(default=None, compare=False)
    """A reader of sentences, where there is one."""

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.text)

    @cached_property
    def said(self) -> list[str]:
        return [token.word for token in self.tokens]

    @cached_property
    def days(self) -> list[dates.Day]:
        return dates.days(self.text, self.today)

    @cached_property
    def clocks(self) -> list[Clock]:
        dated = taken_by(self.days)
        return [
            clock for clock in clocks(self.text) if not dated & set(range(clock.first, clock.last))
        ]

    @cached_property
    def codes(self) -> list[codes.Code]:
        return codes.codes(self.text)

    @cached_property
    def numbers(self) -> list[Number]:
        """Numbers that are no part of a day or a time."""
        taken = taken_by(self.days) | taken_by(self.clocks)
        return scan(["" if at in taken else word for at, word in enumerate(self.said)])

    @cached_property
    def emails(self) -> list[str]:
        written = _EMAIL.findall(self.text)
        spoken = [_written(*match) for match in _SPOKEN_EMAIL.findall(self.text)]
        return [str(found).strip(".").lower() for found in [*written, *spoken]]


def taken_by(spans: Iterable[dates.Day | Clock]) -> set[int]:
    return {n for span in spans if span.certain for n in range(span.first, span.last)}


def _written(local: str, domain: str) -> str:
    for spoken, sign in ((" dot ", "."), (" underscore ", "_"), (" dash ", "-")):
        local = local.lower().replace(spoken, sign)
        domain = domain.lower().replace(spoken, sign)
    return f"{local}@{domain}"
