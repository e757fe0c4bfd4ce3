"""The blind exams: their requests, their toolsets, and how an answer is marked.

The marking lives here, apart from whatever sits the exam.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

DATA: Final = Path(__file__).parent / "data"
FIRST: Final = "first"
SEALED: Final = "sealed"
THIRD: Final = "third"
EXAMS: Final = {
    FIRST: ("foreign_tools.json", "requests.json"),
    SEALED: ("sealed_tools.json", "sealed_requests.json"),
    THIRD: ("third_tools.json", "third_requests.json"),
}
"""For each exam, its toolsets and its requests."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """What one agent is: its prompt and its tools, as the realtime dialect writes them."""

    instructions: str
    tools: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """One thing a caller says, and what should come of it."""

    id: str
    toolset: str
    text: str
    tool: str | None
    arguments: Mapping[str, Any]
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    answered: Mapping[str, Any] = field(default_factory=dict[str, Any])
    clarify: str | None = None


def foreign_toolsets(exam: str = FIRST) -> dict[str, Toolset]:
    """The toolsets of an exam's industries, which the product does not serve."""
    raw = json.loads((DATA / EXAMS[exam][0]).read_text(encoding="utf-8"))
    return {name: Toolset(**value) for name, value in raw.items()}


def requests(exam: str = FIRST) -> list[Request]:
    """All requests of an exam, in file order."""
    raw = json.loads((DATA / EXAMS[exam][1]).read_text(encoding="utf-8"))
    return [Request(**value) for value in raw]


def same_value(expected: object, given: object) -> bool:
    """Whether a given argument says what the caller said.

    Numbers compare as numbers; strings without case, punctuation, spaces or a leading "the", "my".
    """
    if isinstance(expected, bool) or isinstance(given, bool):
        return expected is given
    if isinstance(expected, int | float) and isinstance(given, int | float):
        return abs(expected - given) < 1e-6
    if isinstance(expected, str) and isinstance(given, str):
        return _plain(expected) == _plain(given)
    if isinstance(expected, list) and isinstance(given, list):
        wanted, got = cast("list[object]", expected), cast("list[object]", given)
        return len(wanted) == len(got) and all(map(same_value, wanted, got))
    return False


def _plain(text: str) -> str:
    without_article = re.sub(r"^(the|an?|my|our)\s+", "", text.strip().casefold())
    return re.sub(r"[^\w]|_", "", without_article)


@dataclass(frozen=True, slots=True)
class Marks:
    """Arguments of one answer: how many were expected, and how many of them came out right."""

    expected: int
    right: int
    invented: tuple[str, ...]
    """Arguments given that nobody said."""


def mark_arguments(request: Request, given: Mapping[str, Any], *, asked: bool = True) -> Marks:
    """Mark the arguments of a call to the right tool.

    `asked` says whether the answers to the missing arguments were given by then.
    """
    wanted = {**request.arguments, **(request.answered if asked else {})}
    right = sum(name in given and same_value(value, given[name]) for name, value in wanted.items())
    invented = tuple(sorted(name for name in given if name not in wanted))
    return Marks(len(wanted), right, invented)
