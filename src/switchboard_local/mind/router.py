"""Which tool a request means: the evidence weighed, as probabilities. Pure Python."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.evidence import FEATURES, Card, Lexical, Said, fillings
from switchboard_local.mind.slots import Turn

# Learnt by softmax regression over requests to tools of invented businesses, each business held
# out in turn; see the development set beside the tests.
WEIGHTS: dict[str, float] = {
    "bm25": 1.47, "name": 0.71, "cover": 1.45, "concept": 1.99, "verb": 0.06, "object": 1.23,
    "act": 1.08, "choice": 0.61, "gist": 0.65, "text": 0.94, "soft": 0.69, "softname": -0.16,
    "first": 0.65, "conflict": 0.3, "filled": 1.31, "unfilled": -1.4, "odd": -0.66,
    "opposite": -2.0,
}  # fmt: skip
_ANY_DAY = date(2026, 1, 1)


class Nearness(Protocol):
    """What embeddings add to the evidence."""

    def columns(self, said: Said, idf: Callable[[str], float]) -> list[tuple[float, ...]]:
        """For each tool the columns `gist`, `text`, `soft`, `softname`, `first`."""
        ...


type Reads = Callable[[Sequence[Card]], Nearness]
"""Prepares the vectors of a set of tools."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tool the request may mean."""

    tool: Tool
    share: float
    """Its probability among the tools, if any is meant."""
    strength: float
    """How well it fits by itself, whatever the others do; 0 to 1."""


class Router:
    """Ranks one set of tools."""

    def __init__(self, tools: Sequence[Tool], reads: Reads | None) -> None:
        self.tools = tuple(tools)
        self.lexical = Lexical(tools)
        self._nearness = reads(self.lexical.cards) if reads else None
        self.rank = lru_cache(maxsize=512)(self._rank)

    def _rank(self, text: str) -> tuple[Candidate, ...]:
        """All tools, the likeliest first."""
        rows = self.features(text)
        if not rows:
            return ()
        scores = [sum(WEIGHTS[n] * x for n, x in zip(FEATURES, row, strict=True)) for row in rows]
        highest = max(scores)
        shares = [math.exp(score - highest) for score in scores]
        total = sum(shares)
        ranked = [
            Candidate(tool, share / total, strength(row, share / total))
            for tool, share, row in zip(self.tools, shares, rows, strict=True)
        ]
        return tuple(sorted(ranked, key=lambda one: -one.share))

    def features(self, text: str) -> list[list[float]]:
        """One row of `FEATURES` for each tool."""
        said = self.lexical.hear(text)
        rows = self.lexical.rows(said)
        near = self._nearness.columns(said, self.lexical.idf) if self._nearness else []
        turn = Turn(text, _ANY_DAY)
        for at, (row, tool) in enumerate(zip(rows, self.tools, strict=True)):
            if near:
                row[8:13] = near[at]
            row[14:17] = fillings(tool, turn)
        return rows


# Learnt the same way: requests to a business of their own against requests meant for another.
_STRENGTH: dict[str, float] = {
    "cover": 0.35, "gist": 0.73, "bm25": -0.46, "object": 3.38, "concept": 3.39, "soft": 0.55,
    "text": 3.42, "name": -1.06, "conflict": 0.11, "filled": 3.22, "odd": -2.74,
}  # fmt: skip
_STRENGTH_SHARE, _STRENGTH_BASE = 1.93, -3.63


def strength(row: Sequence[float], share: float) -> float:
    """How well a tool fits by itself: low when nothing that was said is what it is about."""
    named: dict[str, float] = dict(zip(FEATURES, row, strict=True))
    drive = sum(weight * named[name] for name, weight in _STRENGTH.items())
    return 1.0 / (1.0 + math.exp(-(drive + _STRENGTH_SHARE * share + _STRENGTH_BASE)))
