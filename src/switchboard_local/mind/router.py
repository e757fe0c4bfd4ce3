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
    "bm25": 1.62, "name": 1.96, "cover": 1.4, "concept": 2.93, "verb": 0.33, "object": 1.75,
    "act": 1.18, "choice": 0.49, "gist": 0.76, "text": 1.03, "soft": -0.0, "softname": -0.5,
    "apart": 0.35, "conflict": -0.23, "filled": 1.7, "unfilled": -1.63, "odd": -0.8,
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
        # Among two tools one always looks likely: strength is judged as if there were a crowd.
        missing = max(_CROWD - len(rows), 0) * math.exp(_BYSTANDER - highest)
        base = _STRENGTH_BASE if self._nearness else _STRENGTH_BASE + _WITHOUT_NEARNESS
        ranked = [
            Candidate(tool, share / total, strength(row, share / (total + missing), base))
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
    "cover": 0.61, "gist": 1.24, "bm25": 2.18, "object": 1.32, "concept": 2.17, "soft": 0.96,
    "text": 2.03, "name": 0.71, "conflict": -0.89, "filled": 1.84, "odd": 0.14, "apart":
    -0.31, "choice": 0.18,
}  # fmt: skip
_STRENGTH_SHARE, _STRENGTH_BASE = 1.56, -4.13
_WITHOUT_NEARNESS = 1.4
"""What the columns of embeddings add to the right tool's strength on average."""
_CROWD, _BYSTANDER = 18, 1.0
"""A set of tools as large as those learnt on, and the score of a tool in it that is not meant."""


def strength(row: Sequence[float], share: float, base: float = _STRENGTH_BASE) -> float:
    """How well a tool fits by itself: low when nothing that was said is what it is about."""
    named: dict[str, float] = dict(zip(FEATURES, row, strict=True))
    drive = sum(weight * named[name] for name, weight in _STRENGTH.items())
    return 1.0 / (1.0 + math.exp(-(drive + _STRENGTH_SHARE * share + base)))
