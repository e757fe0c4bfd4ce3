"""What is made once is shared until one of its sources is another."""

import pytest

from switchboard.made import Made


def test_it_is_made_once_for_each_key_and_anew_from_other_sources() -> None:
    made: Made[str, list[str]] = Made()
    edition, date = object(), "2026-03-04, 09:00"
    first = made.of((edition, date), "bank", list)
    assert made.of((edition, f"{date[:-1]}0"), "bank", list) is first
    assert made.of((edition, date), "travel", list) is not first
    assert made.of((edition, "2026-03-04, 09:01"), "bank", list) is not first
    later = made.of((object(), date), "bank", list)
    assert later is not first


def test_what_could_not_be_made_is_tried_again() -> None:
    made: Made[str, int] = Made()

    def fails() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        made.of((), "bank", fails)
    assert made.of((), "bank", lambda: 3) == 3
