"""How misheard words are counted."""

from hypothesis import given
from hypothesis import strategies as st

from bench.words import Heard, confidence_interval, distance, normal_words, word_error_rate

WORDS = st.lists(st.sampled_from(["press", "one", "to", "pay", "now"]), max_size=8)


def test_spellings_of_the_same_sounds_are_no_errors() -> None:
    assert normal_words("Press 1 for Voice-Mail, OK?") == normal_words(
        "press one for voicemail okay"
    )
    assert normal_words("Dial 28 or 500") == [
        "dial",
        "twenty",
        "eight",
        "or",
        "five",
        "zero",
        "zero",
    ]
    assert normal_words("press * then #") == ["press", "star", "then", "pound"]


def test_every_wrong_missing_and_added_word_counts() -> None:
    assert distance([*"abc"], [*"axc"]) == 1
    assert distance([*"abc"], [*"ac"]) == 1
    assert distance([*"abc"], [*"abbcd"]) == 2
    assert distance([], ["a"]) == 1


@given(WORDS, WORDS, WORDS)
def test_the_distance_between_texts_is_one(a: list[str], b: list[str], c: list[str]) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_the_rate_is_of_all_words_together_and_lies_in_its_interval() -> None:
    heard = [Heard("x", "one two three four", "one two three")] * 5
    heard += [Heard("y", "one two three four five six", "one two three four five six")] * 5
    assert word_error_rate(heard) == 5 / 50
    low, high = confidence_interval(heard)
    assert 0 < low < 0.1 < high < 0.25
    assert confidence_interval(heard) == (low, high)
