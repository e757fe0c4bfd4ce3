"""Figures, their intervals, and whether a difference is real."""

import math
from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from switchboard.evals.figures import figure, mean_moved, percentile, rate, success_moved

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_share_lies_in_its_interval(hits: int, misses: int) -> None:
    found = rate(hits, hits + misses)
    if hits + misses == 0:
        assert found.value is None
        return
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_wilson_by_the_book() -> None:
    found = rate(81, 263)

    assert found.low is not None
    assert found.high is not None
    assert math.isclose(found.low, 0.2553, abs_tol=5e-4)
    assert math.isclose(found.high, 0.3662, abs_tol=5e-4)


@given(values, st.integers(0, 100))
def test_a_bootstrap_repeats_itself_and_stays_among_the_values(
    found: list[float], seed: int
) -> None:
    first, again = figure(found, seed=seed), figure(found, seed=seed)

    assert first == again
    assert first.low is not None
    assert first.high is not None
    slack = 1e-6 * (1 + max(map(abs, found)))
    assert min(found) - slack <= first.low <= first.high <= max(found) + slack
    assert first.value == fmean(found)


@given(values, st.floats(0, 100))
def test_a_percentile_lies_between_the_smallest_and_the_largest(
    found: list[float], at: float
) -> None:
    value = percentile(found, at)

    assert value is not None
    assert min(found) <= value <= max(found) or math.isclose(value, max(found))
    assert percentile([], at) is None


def test_ten_that_failed_and_now_pass_are_no_chance() -> None:
    moved = success_moved([False] * 10 + [True] * 5, [True] * 15)

    assert moved.real
    assert (moved.before, moved.after) == (5 / 15, 1.0)


def test_one_better_and_one_worse_is_chance() -> None:
    assert not success_moved([True, False, True], [False, True, True]).real


def test_a_mean_that_moved_everywhere_is_real_and_one_that_moved_anyhow_is_not() -> None:
    before = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

    assert mean_moved("turns", before, [each + 1 for each in before]).real
    assert not mean_moved("turns", before, [2.0, 1.0, 4.0, 3.0, 6.0, 5.0]).real
