"""How often, and how many at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.access.rates import Bucket, Places, Rate, Rates
from switchboard.access.refusals import TooOften
from switchboard.errors import LinesBusy


def test_a_burst_then_a_steady_trickle() -> None:
    now = 0.0
    rates = Rates(Rate(per_second=2, burst=3), clock=lambda: now)
    for _ in range(3):
        rates.check("a")
    with pytest.raises(TooOften) as refusal:
        rates.check("a")
    assert refusal.value.retry_after_s == pytest.approx(0.5)  # pyright: ignore[reportUnknownMemberType]
    rates.check("b")
    now = 0.5
    rates.check("a")


def test_the_longest_unseen_is_forgotten_first() -> None:
    rates = Rates(Rate(per_second=0.001, burst=1), remember=2, clock=lambda: 0.0)
    for name in ("a", "b", "c"):
        rates.check(name)
    with pytest.raises(TooOften):
        rates.check("c")
    rates.check("a")  # forgotten, so it may again


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 4)), max_size=60))
def test_no_bucket_gives_more_than_its_burst_and_its_rate(takes: list[tuple[float, float]]) -> None:
    bucket, now, given_out = Bucket(2, 5, 0), 0.0, 0.0
    for pause, cost in takes:
        now += pause
        if bucket.take(now, cost):
            given_out += cost
        assert given_out <= 5 + 2 * now + 1e-6


def test_places_are_given_back_whatever_happens() -> None:
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.take():
        with pytest.raises(LinesBusy), places.take():
            pass
        raise ZeroDivisionError
    with places.take():
        assert places.taken == 1
    assert places.taken == 0
