"""The garbage collector looks when nobody speaks, or when it must."""

import gc
import weakref
from collections.abc import Generator

import pytest

from switchboard.collecting import (
    FEW,
    MOST_BYTES,
    OF_A_CALL,
    OF_A_CALL_BYTES,
    Collecting,
    resident_bytes,
)


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def knots(count: int = FEW) -> "list[weakref.ref[Knot]]":
    """So many of them, which nobody holds."""
    return [weakref.ref(Knot()) for _ in range(count)]


class Memory:
    """What a process has."""

    def __init__(self) -> None:
        self.bytes = 1_000_000

    def __call__(self) -> int:
        return self.bytes


@pytest.fixture(autouse=True)
def by_hand() -> Generator[None]:
    """The collector looks when these scenes say so."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_garbage_is_freed_once_nobody_speaks() -> None:
    collecting = Collecting()
    several = knots()
    assert all(knot() for knot in several)
    assert collecting.look(speaking=0)
    assert not any(knot() for knot in several)


def test_nobody_who_speaks_waits_for_it() -> None:
    several = knots()
    assert not Collecting().look(speaking=1)
    assert all(knot() for knot in several)


def test_yet_it_does_not_wait_until_there_is_too_much() -> None:
    collecting = Collecting(most=2 * FEW)
    several = knots()
    assert not collecting.look(speaking=1)
    several += knots(2 * OF_A_CALL + FEW)
    assert collecting.look(speaking=1)
    assert not any(knot() for knot in several)
    assert not collecting.look(speaking=1)  # and then it begins anew


def test_what_the_calls_themselves_have_is_not_too_much() -> None:
    collecting = Collecting(most=FEW)
    several = knots(2 * OF_A_CALL)
    assert not collecting.look(speaking=9)
    assert collecting.look(speaking=1)
    assert not several[0]()


def test_few_objects_that_hold_much_are_too_much() -> None:
    memory = Memory()
    collecting = Collecting(resident=memory)
    (knot,) = knots(1)
    memory.bytes += MOST_BYTES + OF_A_CALL_BYTES
    assert not collecting.look(speaking=1)
    memory.bytes += 1
    assert collecting.look(speaking=1)
    assert knot() is None
    assert not collecting.look(speaking=1)


def test_where_next_to_nothing_has_come_it_does_not_look() -> None:
    assert not Collecting().look(speaking=0)


def test_a_server_leaves_what_was_there_alone_and_looks_when_it_is_told_to() -> None:
    collecting = Collecting()
    with collecting.ruling():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 1_000
        several = knots()
        assert collecting.look(speaking=0)
        assert not several[0]()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_memory_is_told_where_the_system_tells_it() -> None:
    assert resident_bytes() > 10_000_000 or resident_bytes() == 0
