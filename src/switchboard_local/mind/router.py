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
    "bm25": 1.92, "name": 1.73, "cover": 2.31, "concept": 2.45, "verb": 0.58, "object": 2.2,
    "act": 1.17, "choice": 0.28, "gist": 1.09, "text": 1.13, "soft": 0.0, "softname": -0.66,
    "apart": 0.14, "conflict": 0.81, "filled": 2.21, "unfilled": -2.62, "odd": -0.8,
    "opposite": -2.0, "coded": 1.5,
}  # fmt: skip
_ANY_DAY = date(2026, 1, 1)


class Nearness(Protocol):
    """What embeddings add to the evidence."""

    def columns(self, said: Said, idf: Callable[[str], float]) -> list[tuple[float, ...]]:
        """For each tool the columns `gist`, `text`, `soft`, `softname`, `apart`."""
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
            row[14], row[15], row[16], row[18] = fillings(tool, turn)
        return rows


# Learnt the same way: requests to a business of their own against requests meant for another.
_STRENGTH: dict[str, float] = {
    "cover": -0.09, "gist": 0.99, "bm25": 1.72, "object": 2.2, "concept": 2.16, "soft": 0.76,
    "text": 1.94, "name": 0.5, "conflict": -0.61, "filled": 2.12, "odd": 0.32, "apart": -0.27,
    "choice": 0.47,
}  # fmt: skip
_STRENGTH_SHARE, _STRENGTH_BASE = 2.2, -3.58


def strength(row: Sequence[float], share: float) -> float:
    """How well a tool fits by itself: low when nothing that was said is what it is about."""
    named: dict[str, float] = dict(zip(FEATURES, row, strict=True))
    drive = sum(weight * named[name] for name, weight in _STRENGTH.items())
    return 1.0 / (1.0 + math.exp(-(drive + _STRENGTH_SHARE * share + _STRENGTH_BASE)))
