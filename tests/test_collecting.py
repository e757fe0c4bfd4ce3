"""The garbage collector looks at everything only when nobody speaks, or when it must."""

import gc
import weakref
from collections.abc import Generator

import pytest

from switchboard.collecting import Collecting


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def old_knot() -> "weakref.ref[Knot]":
    """One that has been passed over by every look but a full one."""
    knot = Knot()
    gc.collect(1)
    return weakref.ref(knot)


@pytest.fixture(autouse=True)
def by_hand() -> Generator[None]:
    """The collector looks when these scenes say so."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_what_is_old_is_freed_once_nobody_speaks() -> None:
    collecting = Collecting()
    knot = old_knot()
    assert knot() is not None
    assert collecting.look(speaking=0)
    assert knot() is None


def test_nobody_who_speaks_waits_for_it() -> None:
    collecting = Collecting()
    knot = old_knot()
    assert not collecting.look(speaking=1)
    assert knot() is not None


def test_yet_it_does_not_wait_for_ever() -> None:
    collecting = Collecting(most=3)
    knot = old_knot()
    for _ in range(2):
        assert not collecting.look(speaking=1)
        gc.collect(1)
    assert collecting.look(speaking=1)
    assert knot() is None
    assert not collecting.look(speaking=1)  # and then it begins anew


def test_where_nothing_has_grown_old_it_does_not_look() -> None:
    collecting = Collecting()
    assert not collecting.look(speaking=0)


def test_a_server_looks_often_at_a_little_and_leaves_what_was_there_alone() -> None:
    before = gc.get_threshold()
    with Collecting().ruling():
        young, middle, everything = gc.get_threshold()
        assert young * (middle + 1) < 5_000
        assert everything > 1_000 * middle
        assert gc.get_freeze_count() > 1_000
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_what_has_been_old_for_long_is_looked_at_no_more_while_somebody_speaks() -> None:
    collecting = Collecting(most=1_000)
    with collecting.ruling():
        kept = [Knot() for _ in range(100)]
        gc.collect(1)  # as the collector does by itself
        aside = gc.get_freeze_count()
        assert not set(map(id, kept)) & set(map(id, gc.get_objects()))
        knots = [weakref.ref(knot) for knot in kept]
        del kept
        gc.collect(1)
        assert gc.get_freeze_count() >= aside
        assert all(knot() for knot in knots)
        assert collecting.look(speaking=0)
        assert not any(knot() for knot in knots)
