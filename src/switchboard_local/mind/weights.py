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
)  # fmt: skip
"""Without the sentence encoder."""
SENSED: Final = Weights(
    router={
        "bm25": 1.13, "name": 1.16, "cover": 0.57, "concept": 1.5, "verb": 0.39, "object":
        0.59, "act": 0.99, "choice": 0.54, "gist": -0.3, "text": 2.76, "soft": -0.02,
        "softname": -1.91, "apart": 0.56, "conflict": 0.29, "filled": 3.13, "unfilled":
        -2.18, "odd": -0.77, "opposite": -1.5, "coded": 1.21, "told": 2.91, "own": 2.74,
        "learnt": 3.38,
    },
    strength={
        "cover": -0.79, "gist": 0.6, "bm25": 2.49, "object": 0.83, "concept": 0.6, "soft":
        0.42, "text": 2.4, "name": 0.56, "conflict": -2.05, "filled": 2.69, "odd": 1.25,
        "apart": -0.45, "choice": 0.34, "told": 3.11, "own": 0.36, "learnt": 1.67,
    },
    share=1.39,
    base=-3.45,
)  # fmt: skip
"""With it."""
