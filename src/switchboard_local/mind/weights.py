"""How much each piece of evidence weighs: learnt, see the development set beside the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one reading of the evidence; the names are columns of `evidence.FEATURES`."""

    router: Mapping[str, float]
    """Softmax regression over requests to tools of invented businesses."""
    strength: Mapping[str, float]
    """Logistic regression: requests to a business of their own against those meant for another."""
    share: float
    base: float
    margin: float
    """How far ahead of the next the best tool must be, in probability, to be taken unasked."""
    weak: float
    """Below this strength no tool is even asked about."""


READ: Final = Weights(
    router={
        "bm25": 1.62, "name": 1.96, "cover": 1.4, "concept": 2.93, "verb": 0.33, "object": 1.75,
        "act": 1.18, "choice": 0.49, "gist": 0.76, "text": 1.03, "softname": -0.5, "apart": 0.35,
        "conflict": -0.23, "filled": 1.7, "unfilled": -1.63, "odd": -0.8, "opposite": -2.0,
        "coded": 1.5,
    },
    strength={
        "cover": 0.61, "gist": 1.24, "bm25": 2.18, "object": 1.32, "concept": 2.17, "soft": 0.96,
        "text": 2.03, "name": 0.71, "conflict": -0.89, "filled": 1.84, "odd": 0.14, "apart": -0.31,
        "choice": 0.18,
    },
    share=1.56,
    base=-4.13,
    margin=0.2,
    weak=0.12,
)  # fmt: skip
"""Without the sentence encoder."""
SENSED: Final = Weights(
    router={
        "bm25": 0.4, "name": 0.71, "cover": 0.41, "concept": 0.35, "verb": -0.17, "object": -0.11,
        "act": 0.13, "choice": -0.83, "gist": 0.18, "text": 1.13, "soft": -0.1,
        "softname": -0.42, "apart": 0.18, "conflict": -0.31, "filled": 1.62, "unfilled": -0.61,
        "odd": -0.84, "opposite": -1.0, "coded": 0.8, "told": 0.76, "own": 0.74, "learnt": 8.3,
    },
    strength={
        "cover": -0.13, "gist": -0.47, "bm25": 0.62, "object": -0.17, "concept": -0.03,
        "soft": 0.13, "text": -0.32, "name": 0.38, "conflict": -0.05, "filled": 1.47,
        "odd": 0.75, "apart": -0.03, "choice": 0.12, "told": -0.92, "own": -0.19, "learnt": 7.06,
    },
    share=0.36,
    base=-0.73,
    margin=0.1,
    weak=0.2,
)  # fmt: skip
"""With it. Learnt by `tests/local/mind/teach.py` on businesses that the lesson had not seen."""
