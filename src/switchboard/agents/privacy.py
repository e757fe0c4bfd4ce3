"""What is kept of an agent's calls: `redaction` and `retention_days` of its entry."""

from typing import Annotated, Any, Final, Literal

import re2  # pyright: ignore[reportMissingTypeStubs]
from pydantic import Field, field_validator

from switchboard.agents.turns import Written

RE2: Final[Any] = re2  # it comes without types
type Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
type Kind = Literal["card", "email", "phone", "id", "iban"]


class PatternEntry(Written):
    """Something else that is not to be stored."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,30}$")]
    """What stands in its place: `[member]` for `member`."""
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    """An expression as RE2 has them: `\\bM-[0-9]{6}\\b`. No look-around, no references back."""

    @field_validator("pattern")
    @classmethod
    def _is_one(cls, pattern: str) -> str:
        try:
            compiled = RE2.compile(pattern)
        except RE2.error as reason:
            raise ValueError(f"this is no expression of RE2: {reason}") from None
        if compiled.match("") is not None:
            raise ValueError("this matches nothing at all, so it would be found everywhere")
        return pattern


class RedactionEntry(Written):
    """What is taken out of its calls' texts before they are stored."""

    kinds: tuple[Kind, ...] = ("card", "email", "phone", "id")
    """`card`, `email`, `phone`, `id` (national ids), `iban`. None: nothing of these is."""
    countries: Annotated[tuple[Country, ...], Field(max_length=10)] = ("US", "GB")
    """Whose telephone numbers are known without their `+`, ISO 3166. Each costs time."""
    patterns: Annotated[tuple[PatternEntry, ...], Field(max_length=20)] = ()
    """What else is taken out."""
