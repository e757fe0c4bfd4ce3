"""Figures over many conversations, each with the interval in which it truly lies.

Rates have Wilson's interval, everything else a bootstrap's. Two runs are compared conversation by
conversation: McNemar's exact test for success, a bootstrap of the differences for the rest.
"""

import math
import random
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Final

import msgspec

Z: Final = 1.959964
"""95 %."""
SAMPLES: Final = 1_000
SURE: Final = 0.05


class Figure(msgspec.Struct, frozen=True):
    """A value and its 95 % interval; `None` where nothing was measured."""

    value: float | None
    low: float | None
    high: float | None
    count: int


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Between the two nearest values; `None` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * percent / 100
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def rate(hits: int, of: int) -> Figure:
    """A share, with Wilson's interval."""
    if not of:
        return Figure(None, None, None, 0)
    share, z2 = hits / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Figure(share, max(0.0, middle - half), min(1.0, middle + half), of)


def figure(
    values: Sequence[float], of: Callable[[Sequence[float]], float | None] = fmean, seed: int = 0
) -> Figure:
    """`of` the values, with a bootstrap's interval. The same seed gives the same interval."""
    if not values:
        return Figure(None, None, None, 0)
    chance = random.Random(seed)  # noqa: S311  (a sample, no secret)
    drawn = [of(chance.choices(values, k=len(values))) for _ in range(SAMPLES)]
    known = [each for each in drawn if each is not None]
    return Figure(of(values), percentile(known, 2.5), percentile(known, 97.5), len(values))


class Difference(msgspec.Struct, frozen=True):
    """How one figure moved between two runs."""

    name: str
    before: float | None
    after: float | None
    real: bool
    """Chance alone would seldom do that: less than once in twenty."""
    why: str


def success_moved(before: Sequence[bool], after: Sequence[bool]) -> Difference:
    """McNemar's exact test over pairs."""
    worse = sum(b and not a for b, a in zip(before, after, strict=True))
    better = sum(a and not b for b, a in zip(before, after, strict=True))
    p = _sign_test(worse, better)
    shares = [sum(each) / len(each) if each else None for each in (before, after)]
    why = f"{better} better, {worse} worse of {len(before)}; p = {p:.3f}"
    return Difference("task success", shares[0], shares[1], p < SURE, why)


def mean_moved(
    name: str, before: Sequence[float], after: Sequence[float], seed: int = 0
) -> Difference:
    """A bootstrap of the paired differences."""
    gaps = [a - b for b, a in zip(before, after, strict=True)]
    if not gaps:
        return Difference(name, None, None, False, "nothing to compare")
    found = figure(gaps, seed=seed)
    low, high = found.low or 0.0, found.high or 0.0
    real = (low > 0 or high < 0) and len(gaps) > 1
    why = f"the difference lies between {low:.3g} and {high:.3g}"
    return Difference(name, fmean(before), fmean(after), real, why)


def _sign_test(one: int, other: int) -> float:
    """Two-sided: how likely chance alone would split `one + other` at least so unevenly."""
    count = one + other
    if not count:
        return 1.0
    tail = sum(math.comb(count, k) for k in range(min(one, other) + 1)) / 2**count
    return min(1.0, 2 * tail)
