"""What a voice is given to read, and where it may breathe."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.engine.clauses import LONGEST, clauses
from switchboard_local.engine.numerals import cardinal, date, digits, ordinal, year
from switchboard_local.engine.speakable import speakable

SAID = [
    ("Order ORD-6614 is on its way.", "Order O R D, six six one four is on its way."),
    ("Your card ending in 4217", "Your card ending in four two one seven"),
    ("That is £42.10.", "That is forty-two pounds and ten pence."),
    ("$1,250.00 or -$5.50", "one thousand two hundred and fifty dollars or minus five dollars and "
     "fifty cents"),
    ("$2.5 million", "two point five million dollars"),
    ("45.00 USD", "forty-five dollars"),
    ("Due 2026-03-01.", "Due March first, twenty twenty-six."),
    ("the 3rd of March 2005", "March third, two thousand and five"),
    ("at 14:30", "at two thirty P M"),
    ("at 9:05", "at nine oh five"),
    ("Call (555) 123-4567", "Call five five five, one two three, four five six seven"),
    ("account 12345678", "account one two three four, five six seven eight"),
    ("Mr. Smith, 12 Main St.", "mister Smith, twelve Main street,"),
    ("12.5% of 12 GB", "twelve point five percent of twelve gigabytes"),
    ("a 5G SIM", "a five G SIM"),
    ("1500 minutes, 312", "one thousand five hundred minutes, three hundred and twelve"),
    ("In 2026", "In twenty twenty-six"),
    ("**Yes**, `ok`", "Yes, ok"),
    ("naïve “café” 😀", "naive cafe"),
    ("a.b@example.com", "a dot b at example dot com"),
    ("...", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SAID)
def test_text_is_said_as_a_person_would(text: str, said: str) -> None:
    assert speakable(text).rstrip(".") == said.rstrip(".,")


PIECES = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[£$€]?\d{1,9}([.,:/-]\d{1,4}){0,3}(%|am| PM| GB|th|st)?", fullmatch=True),
    st.sampled_from(
        ["March ", " 2026", "ORD-6614", "Dr. ", "No. ", "- ", "\n", "e.g. ", "T14:00Z"]
    ),
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_written_only_letters_and_plain_signs_are_said(text: str) -> None:
    said = speakable(text)
    assert re.fullmatch(r"[A-Za-z .,;:!?'-]*", said)
    assert "  " not in said
    assert said == said.strip()


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_sayable_has_a_letter_to_say(text: str) -> None:
    said = speakable(text)
    assert not said or re.search("[A-Za-z]", said)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_no_text_grows_out_of_proportion(text: str) -> None:
    assert len(speakable(text)) <= 40 + 30 * len(text)


@given(st.integers(0, 10**9))
def test_every_digit_of_an_identifier_is_said(value: int) -> None:
    said = speakable(f"reference {value:010}")
    words = re.findall("[a-z]+", said)[1:]
    assert len(words) == 10
    assert digits(f"{value:010}").replace(",", "").split() == words


def test_many_rules_on_a_long_text_take_no_long_time() -> None:
    for text in (
        "1" * 20_000,
        "a-1" * 7000,
        "1,000" * 4000,
        "((((" * 5000,
        "a@" * 10_000,
        "9 " * 9000,
    ):
        assert isinstance(speakable(text), str)  # the suite's time-out is the assertion


@given(st.integers(0, 10**18))
def test_numbers_in_words_hold_no_digits(value: int) -> None:
    assert re.fullmatch("[a-z ,-]+", cardinal(value))
    assert re.fullmatch("[a-z ,-]+", ordinal(value))


def test_days_that_do_not_exist_are_no_dates() -> None:
    assert date(31, 2, 2026) is None
    assert date(1, 13) is None
    assert year(1999) == "nineteen ninety-nine"


@given(st.text(alphabet="abc ,.;?!", max_size=2000))
def test_clauses_keep_every_word_in_order_and_stay_short(text: str) -> None:
    cut = list(clauses(text))
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(0 < len(clause) <= LONGEST for clause in cut)


def test_a_long_first_sentence_is_begun_early() -> None:
    text = "I have found three open orders on your account, and the newest was sent out yesterday."
    assert next(clauses(text)) == "I have found three open orders on your account,"


def test_a_short_sentence_is_said_in_one_breath() -> None:
    assert list(clauses("Yes, of course. One moment.")) == ["Yes, of course.", "One moment."]
