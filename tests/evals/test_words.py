"""Texts compared as a listener compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.evals.words import has, language_of, rude, word_errors


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("Your bill is 42.10 euros.", "42.10"),
        ("Your bill is 42.10 euros.", "42.1 euros"),
        ("1,204.50 euros are left.", "1204.50"),
        ("It ends in 4 4 1 7.", "4417"),
        ("It ends in 4417.", "4 4 1 7"),
        ("Good BYE, then!", "good bye"),
        ("I can't do that.", "can't"),
    ],
)
def test_the_same_thing_said_in_another_way_is_found(text: str, needle: str) -> None:
    assert has(text, needle)


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("Your bill is 142.10 euros.", "42.10"),
        ("It is unpaid.", "paid"),
        ("Fine 2041 is paid.", "204"),
        ("", "anything"),
        ("anything", ""),
    ],
)
def test_something_else_is_not(text: str, needle: str) -> None:
    assert not has(text, needle)


def test_words_that_were_not_heard_are_counted() -> None:
    assert word_errors("one two three four", "one two three four") == 0
    assert word_errors("one two three four", "one three four") == 0.25
    assert word_errors("one two", "one two three four") == 1.0
    assert word_errors("", "") == 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_is_said_breaks_a_judge(one: str, other: str) -> None:
    assert word_errors(one, one) == 0
    assert word_errors(one, other) >= 0
    has(one, other)
    language_of(one)
    rude([one, other])


def test_a_language_is_told_by_its_commonest_words() -> None:
    assert language_of("Your bill is due on Friday, and you can pay it now.") == "en"
    assert language_of("Ihre Rechnung ist am Freitag fällig, und Sie können sie zahlen.") == "de"
    assert language_of("4417") is None


def test_blame_and_shouting_are_rude() -> None:
    assert rude(["Please calm down."]) == "calm down"
    assert rude(["That is WRONG!"]) == "WRONG"
    assert rude(["Your IBAN, please. It costs 10 EUR."]) is None
