"""Words placed in time: what had been heard when a reply was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.realtime.words import Sentence, first_words, heard_text


@pytest.mark.parametrize(
    ("heard_ms", "text"),
    [
        (0, ""),
        (400, ""),
        (600, "Hello"),
        (1000, "Hello there."),
        (1500, "Hello there. I am"),
        (2000, "Hello there. I am glad."),
        (9000, "Hello there. I am glad."),
    ],
)
def test_a_word_is_heard_once_its_last_letter_is(heard_ms: float, text: str) -> None:
    said = [Sentence("Hello there.", 0, 1000), Sentence("I am glad.", 1000, 2000)]
    assert heard_text(said, heard_ms) == text


def test_a_sentence_that_was_never_finished_is_taken_at_an_even_pace() -> None:
    assert heard_text([Sentence("one two three four five six", 0, None)], 900) == "one two three"


@given(st.text(alphabet="ab .", max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_more_time_never_means_fewer_words(text: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert first_words(text, more).startswith(first_words(text, less))
    assert text.startswith(first_words(text, more))
    assert first_words(text, 1) == text.rstrip()
