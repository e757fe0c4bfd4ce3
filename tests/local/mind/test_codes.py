import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.mind.codes import codes, fit
from switchboard_local.mind.numbers import digit_by_digit


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("the reference is K L M 4 5 6", "klm456"),
        ("alpha bravo one two", "ab12"),
        ("b as in bob c as in charlie four", "bc4"),
        ("N 1 6 X Y", "n16xy"),
        ("LS1 4AP", "ls14ap"),
        ("it is nw two oh four", "nw204"),
        ("AB12CDE", "ab12cde"),
        ("b one two double three", "b1233"),
    ],
)
def test_a_code_is_put_together_as_it_is_spelt(said: str, code: str) -> None:
    assert [found.text for found in codes(said)] == [code]


@pytest.mark.parametrize("said", ["i want a coffee", "i am here", "see you", "are you there"])
def test_plain_talk_holds_no_code(said: str) -> None:
    assert codes(said) == []


@pytest.mark.parametrize(
    ("raw", "pattern", "fitted"),
    [
        ("123456", r"^HM-\d{6}$", "HM-123456"),
        ("hm123456", r"^HM-\d{6}$", "HM-123456"),
        ("klm456", r"^[A-Z0-9]{6}$", "KLM456"),
        ("ls14ap", r"^[A-Z]{1,2}\d{1,2} \d[A-Z]{2}$", "LS1 4AP"),
        ("40722", r"^\d{5}$", "40722"),
        ("4072", r"^\d{5}$", None),
        ("abc", r"^\d{3}$", None),
        ("12", r"(a|b)+", None),
    ],
)
def test_a_code_is_written_as_the_pattern_wants_it(
    raw: str, pattern: str, fitted: str | None
) -> None:
    assert fit(raw, pattern) == fitted


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=2, max_size=3), st.integers(100, 99999))
def test_a_spelt_code_fits_its_pattern_again(letters: str, figures: int) -> None:
    code = f"{letters}-{figures}"
    pattern = rf"^[A-Z]{{{len(letters)}}}-\d{{{len(str(figures))}}}$"
    said = f"it is {' '.join(letters)} dash {digit_by_digit(str(figures))}"
    assert any(fit(found.text, pattern) == code for found in codes(said))


@given(st.text(max_size=30), st.text(max_size=20))
def test_whatever_the_pattern_what_fits_matches_it(raw: str, pattern: str) -> None:
    fitted = fit(raw, pattern)
    if fitted is not None:
        assert re.search(pattern, fitted)
