from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.mind.clock import clock_in_words, clocks
from switchboard_local.mind.dates import days, in_words

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("next tuesday at half past three", "2026-11-24"),
        ("the fifth of march", "2027-03-05"),
        ("tomorrow morning", "2026-11-23"),
        ("the day after tomorrow at noon", "2026-11-24"),
        ("on the 21st", "2026-12-21"),
        ("march 5th 2027", "2027-03-05"),
        ("in three days", "2026-11-25"),
        ("a week on tuesday", "2026-12-01"),
        ("a week from tomorrow", "2026-11-30"),
        ("two weeks ago", "2026-11-08"),
        ("last friday", "2026-11-20"),
        ("friday the fourth of december", "2026-12-04"),
        ("twelfth of march nineteen eighty five", "1985-03-12"),
        ("the third of the seventh eighty four", "1984-07-03"),
        ("christmas eve", "2026-12-24"),
        ("2026-12-01", "2026-12-01"),
    ],
)
def test_a_day_is_understood_as_it_is_spoken(said: str, expected: str) -> None:
    assert [found.day.isoformat() for found in days(said, TODAY)] == [expected]


@pytest.mark.parametrize("said", ["may i pay", "the second one", "march on", "i sat down", "no"])
def test_everyday_words_are_no_days(said: str) -> None:
    assert not [found for found in days(said, TODAY) if found.certain]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("half past three", "15:30"),
        ("quarter to five", "16:45"),
        ("half ten", "10:30"),
        ("three thirty", "15:30"),
        ("at eight tonight", "20:00"),
        ("six thirty in the evening", "18:30"),
        ("ten past nine", "09:10"),
        ("ten a.m.", "10:00"),
        ("3:05 pm", "15:05"),
        ("wake me at quarter to seven", "06:45"),
        ("at 15:30", "15:30"),
        ("noon", "12:00"),
    ],
)
def test_a_time_is_understood_as_it_is_spoken(said: str, expected: str) -> None:
    assert [found.at.strftime("%H:%M") for found in clocks(said)] == [expected]


@pytest.mark.parametrize("said", ["room one ten", "for two nights", "four people", "twenty pounds"])
def test_counts_and_room_numbers_are_no_times(said: str) -> None:
    assert not [found for found in clocks(said) if found.certain]


@given(st.integers(-150, 150))
def test_a_coming_day_in_words_is_heard_as_itself(ahead: int) -> None:
    day = TODAY + timedelta(days=ahead)
    said = in_words(day, TODAY)
    expected = day if ahead >= -1 else day.replace(year=day.year + 1)
    assert [found.day for found in days(said, TODAY)] == [expected]


@given(st.times())
def test_a_time_in_words_is_heard_as_itself(at: time) -> None:
    plain = at.replace(second=0, microsecond=0, tzinfo=None)
    assert [found.at for found in clocks("at " + clock_in_words(plain))] == [plain]
