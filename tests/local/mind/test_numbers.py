import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.mind.numbers import (
    digit_by_digit,
    in_words,
    numbers,
    ordinal_in_words,
)


@given(st.integers(0, 999_999_999))
def test_a_number_in_words_is_heard_as_itself(value: int) -> None:
    (heard,) = numbers(in_words(value))
    assert heard.value == value
    assert heard.digits == str(value)


@given(st.integers(1, 99))
def test_an_ordinal_in_words_is_heard_as_itself(value: int) -> None:
    (heard,) = numbers(ordinal_in_words(value))
    assert (heard.value, heard.ordinal) == (value, True)


@given(st.text("0123456789", min_size=2, max_size=16))
def test_digits_read_out_one_by_one_come_back_as_they_were(code: str) -> None:
    (heard,) = numbers(digit_by_digit(code))
    assert heard.digits == code


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four oh seven double two", "40722"),
        ("twenty four", "24"),
        ("nine for one zero seven", "94107"),
        ("triple seven oh one", "77701"),
        ("nineteen eighty four", "1984"),
        ("four thousand five hundred", "4500"),
        ("double four ten", "4410"),
        ("407 22", "40722"),
    ],
)
def test_spoken_digits_are_put_together(said: str, digits: str) -> None:
    (heard,) = numbers(said)
    assert heard.digits == digits


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a hundred and twenty", 120),
        ("three point five", 3.5),
        ("twenty one and a half", 21.5),
        ("seven and a half thousand", 7500),
        ("1,250.50", 1250.5),
        ("eleven k", 11000),
    ],
)
def test_spoken_quantities_have_their_value(said: str, value: float) -> None:
    (heard,) = numbers(said)
    assert heard.value is not None
    assert float(heard.value) == value


def test_a_repaired_digit_is_known_to_be_a_guess() -> None:
    assert numbers("nine for one zero seven")[0].repaired
    assert not numbers("nine four one zero seven")[0].repaired


@pytest.mark.parametrize(
    "said", ["pay the first one", "that one", "i want to pay for it", "for to"]
)
def test_little_words_are_no_numbers(said: str) -> None:
    assert all(number.ordinal for number in numbers(said))


def test_to_between_two_amounts_is_no_digit() -> None:
    assert [n.digits for n in numbers("card four four one two to three hundred")] == ["4412", "300"]


def test_what_is_too_long_to_count_is_only_read_out() -> None:
    (number,) = numbers("1" + 28 * "0")
    assert number.value is None
    assert number.digits == "1" + 28 * "0"
