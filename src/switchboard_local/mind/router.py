"""Which tool a request means: the evidence weighed, as probabilities. Pure Python."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from switchboard_local.mind import weights
from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.evidence import FEATURES, Card, Lexical, Said, fillings
from switchboard_local.mind.turn import Turn

_ANY_DAY = date(2026, 1, 1)
_WITHOUT_NEARNESS = 1.4
"""What the columns of embeddings add to the right tool's strength on average."""
_CROWD, _BYSTANDER = 18, 1.0
"""A set of tools as large as those learnt on, and the score of a tool in it that is not meant."""


class Nearness(Protocol):
    """What embeddings add to the evidence."""

    def columns(self, said: Said, idf: Callable[[str], float]) -> list[tuple[float, ...]]:
        """For each tool the columns `gist`, `text`, `soft`, `softname`, `apart`."""
        ...


class Sense(Protocol):
    """What a sentence encoder adds to it."""

    def columns(self, text: str) -> list[tuple[float, float, float]]:
        """For each tool the columns `told`, `own`, `learnt`."""
        ...


type Reads = Callable[[Sequence[Card]], Nearness]
"""Prepares the vectors of a set of tools."""
type Feels = Callable[[Sequence[Card]], Sense]
"""The same, by a sentence encoder."""


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

    def __init__(
        self, tools: Sequence[Tool], reads: Reads | None, feels: Feels | None = None
    ) -> None:
        self.tools = tuple(tools)
        self.lexical = Lexical(tools)
        self._nearness = reads(self.lexical.cards) if reads else None
        self._sense = feels(self.lexical.cards) if feels else None
        self._weights = weights.SENSED if feels else weights.READ
        self.margin, self.weak = self._weights.margin, self._weights.weak
        self.rank = lru_cache(maxsize=512)(self._rank)

    def _rank(self, text: str) -> tuple[Candidate, ...]:
        """All tools, the likeliest first."""
        rows = self.features(text)
        if not rows:
            return ()
        learnt = [self._weights.router.get(name, 0.0) for name in FEATURES]
        scores = [sum(w * x for w, x in zip(learnt, row, strict=True)) for row in rows]
        highest = max(scores)
        shares = [math.exp(score - highest) for score in scores]
        total = sum(shares)
        # Among two tools one always looks likely: strength is judged as if there were a crowd.
        missing = max(_CROWD - len(rows), 0) * math.exp(_BYSTANDER - highest)
        ranked = [
            Candidate(tool, share / total, self._strength(row, share / (total + missing)))
            for tool, share, row in zip(self.tools, shares, rows, strict=True)
        ]
        return tuple(sorted(ranked, key=lambda one: -one.share))

    def features(self, text: str) -> list[list[float]]:
        """One row of `FEATURES` for each tool."""
        said = self.lexical.hear(text)
        rows = self.lexical.rows(said)
        near = self._nearness.columns(said, self.lexical.idf) if self._nearness else []
        felt = self._sense.columns(text) if self._sense else []
        turn = Turn(text, _ANY_DAY)
        for at, (row, tool) in enumerate(zip(rows, self.tools, strict=True)):
            if near:
                row[8:13] = near[at]
            if felt:
                row[19:22] = felt[at]
            row[14], row[15], row[16], row[18] = fillings(tool, turn)
        return rows

    def _strength(self, row: Sequence[float], share: float) -> float:
        """How well a tool fits by itself: low when nothing that was said is what it is about."""
        known = self._weights
        named: dict[str, float] = dict(zip(FEATURES, row, strict=True))
        drive = sum(weight * named[name] for name, weight in known.strength.items())
        base = known.base if self._nearness else known.base + _WITHOUT_NEARNESS
        return 1.0 / (1.0 + math.exp(-(drive + known.share * share + base)))
