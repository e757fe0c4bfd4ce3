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
        "bm25": 0.77, "name": 0.38, "cover": 0.75, "concept": 0.66, "verb": 0.09, "object": -0.03,
        "act": 0.42, "choice": -0.28, "gist": 0.48, "text": 1.42, "soft": -0.09,
        "softname": -1.19, "apart": 0.33, "conflict": 0.15, "filled": 1.52, "unfilled": -0.95,
        "odd": -0.91, "opposite": -1.5, "coded": 1.2, "told": 2.09, "own": 2.16, "learnt": 9.97,
    },
    strength={
        "cover": -0.01, "gist": -0.21, "bm25": 2.6, "object": -0.08, "concept": 0.44,
        "soft": -0.09, "text": -0.16, "name": -0.22, "conflict": 0.28, "filled": 2.21,
        "odd": 2.21, "apart": -0.29, "choice": -0.53, "told": 0.76, "own": 0.71, "learnt": 2.61,
    },
    share=1.74,
    base=-2.88,
    margin=0.1,
    weak=0.15,
)  # fmt: skip
"""With it. Learnt by `tests/local/mind/teach.py` on businesses that the lesson had not seen."""
