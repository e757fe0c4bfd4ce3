from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.mind.catalogue import read_tools
from switchboard_local.mind.numbers import in_words
from switchboard_local.mind.slots import fill
from switchboard_local.mind.turn import Turn
from tests.local.mind.peers import TODAY, tool


def read(text: str, required: bool = True, /, **slot: object) -> object:
    """What `text` says for one slot, `value` unless named."""
    name = str(slot.pop("name", "value"))
    (made,) = read_tools([tool("do_it", "Do it.", [name] if required else [], **{name: slot})])
    found = fill(made.slots, Turn(text, TODAY))
    return found[name].value if name in found else None


@pytest.mark.parametrize(
    "said",
    [
        "can I come on sunday, no sorry, on saturday",
        "on sunday, no wait, make that saturday please",
        "sunday, I mean saturday",
    ],
)
def test_a_day_put_right_in_the_same_breath_counts_as_it_was_put_right(said: str) -> None:
    assert read(said, name="date", type="string", format="date") == "2026-11-28"


def test_a_range_of_days_is_not_taken_for_a_correction() -> None:
    said = "from monday to wednesday"
    assert read(said, name="date", type="string", format="date") == "2026-11-23"


@given(wrong=st.integers(20, 99), right=st.integers(100, 999))
def test_an_amount_put_right_counts_as_it_was_put_right(wrong: int, right: int) -> None:
    said = f"pay {in_words(wrong)} pounds, no wait, make that {in_words(right)} pounds"
    assert read(said, name="amount", type="number", description="Amount in pounds") == right


@pytest.mark.parametrize(
    ("said", "month"),
    [
        ("what is on in february", "2027-02"),
        ("what about next month", "2026-12"),
        ("anything in december", "2026-12"),
    ],
)
def test_a_month_is_written_as_the_pattern_wants_it(said: str, month: str) -> None:
    assert read(said, type="string", pattern=r"^\d{4}-\d{2}$") == month


def test_new_years_eve_is_a_day() -> None:
    assert read("on new year's eve", name="date", type="string", format="date") == str(
        date(2026, 12, 31)
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("it has done sixty three thousand, F L one nine K M O", "FL19KMO"),
        ("my plate is B N six two X Y Z please", "BN62XYZ"),
    ],
)
def test_a_plate_is_read_apart_from_the_numbers_beside_it(said: str, code: str) -> None:
    assert read(said, type="string", pattern=r"^[A-Z]{2}\d{2}[A-Z]{3}$") == code


def test_an_o_among_letters_is_a_letter_where_the_pattern_wants_one() -> None:
    assert read("did I pass B I O one one two", type="string", pattern=r"^[A-Z]{3}\d{3}$") == (
        "BIO112"
    )


def test_me_and_my_wife_are_two() -> None:
    said = "me and my wife would like to come"
    assert read(said, name="guests", type="integer", description="How many people") == 2
