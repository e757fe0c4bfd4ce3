"""What is taken out of a text before it is stored, and what is not."""

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum import luhn

from bench.redaction import judge, lines
from switchboard.records.redaction.kinds import FULL, Kind, Pattern, Redaction, Span
from switchboard.records.redaction.redactor import Growing, Redactor
from switchboard.records.redaction.runs import _NUMBER, candidate  # pyright: ignore[reportPrivateUsage]

PATIENT = settings(deadline=None)  # a busy machine is no fault
REDACTOR = Redactor(FULL)
FLOORS = {"card": (0.95, 0.95), "email": (0.95, 0.95), "phone": (0.95, 0.95), "id": (0.95, 0.95)}
"""Precision and recall that no change may fall below."""
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
BEGINNINGS = ("4", "51", "55", "2221", "2720", "34", "37", "6011", "65", "36", "3530", "62", "56")


def redacted(text: str) -> str:
    return REDACTOR.text(text).text


@st.composite
def cards(draw: st.DrawFn) -> str:
    """The digits of a number that a card may have."""
    begin = draw(st.sampled_from(BEGINNINGS))
    length = 15 if begin in ("34", "37") else 14 if begin == "36" else 16
    rest = draw(st.text("0123456789", min_size=length, max_size=length))
    digits = (begin + rest)[: length - 1]
    return digits + luhn.calc_check_digit(digits)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A card's digits, and how somebody wrote or said them."""
    digits = draw(cards())
    if draw(st.booleans()):
        between = draw(st.sampled_from([" ", ", ", " um ", "-"]))
        return digits, f" {between.join(NAMES[int(digit)] for digit in digits)} "
    between = draw(st.sampled_from(["", " ", "-", ".", ", ", "\u00a0"]))
    size = draw(st.integers(1, 6))
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    return digits, between.join(groups)


def put_together(text: str, until: int, spans: Sequence[Span]) -> str:
    """The beginning of a text, with something else in the place of what was found."""
    at, pieces = 0, list[str]()
    for span in spans:
        pieces += text[at : span.start], f"[{span.kind}]"
        at = span.end
    return "".join([*pieces, text[at:until]])


AROUND = st.text("ab .,-:;\n!?12 é€", max_size=12)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "my",
                "number",
                "is",
                "card",
                "phone",
                "email",
                "at",
                "dot",
                "com",
                "example",
                "jane",
                "order",
                "double",
                "oh",
                "four",
                "forty",
                "two",
                "4242",
                "020",
                "7946",
                "0018",
                "4242424242424242",
                "+44",
                "jane@example.com",
                "219-09-9999",
                "social",
                "security",
                "passport",
                "AB1234567",
                "[card]",
                "[phone]",
                "12.50",
                "10:30",
                "a",
                ".",
                ",",
                "um",
                "plus",
                "@",
                "-",
                "(",
                ")",
                "$",
                "٤٢",
            ]
        ),
        st.text(max_size=6),
    ),
    max_size=24,
).map(" ".join)


@PATIENT
@given(AROUND, written(), AROUND)
def test_no_card_number_survives_whatever_is_around_it(
    before: str, card: tuple[str, str], after: str
) -> None:
    digits, text = card
    left = redacted(f"{before}{text}{after}")
    assert text.strip() not in left
    assert digits not in re.sub(r"\D", "", left)


@PATIENT
@given(TEXTS)
@example("order jo@x.io 4155550199")
@example("[phone] 1234567 my phone [card] 020 7946 0018 and 7654321")
def test_what_was_redacted_stays_as_it_is(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@PATIENT
@given(
    st.lists(
        st.sampled_from(
            ["Hello", "there", "how", "can", "I", "help", "you", "today", "4242", "at", "six"]
        )
    )
)
def test_a_text_without_findings_is_unchanged(words: list[str]) -> None:
    text = " ".join(words)
    found = REDACTOR.find(text)
    assert (redacted(text) == text) == (not found)


@PATIENT
@given(TEXTS)
def test_nothing_but_what_was_found_changes(text: str) -> None:
    done = REDACTOR.text(text)
    assert put_together(text, len(text), done.spans) == done.text


@PATIENT
@given(TEXTS)
def test_what_is_stored_of_a_growing_line_is_how_the_whole_begins(text: str) -> None:
    whole = redacted(text)
    for end in range(len(text)):
        part = REDACTOR.text(text[:end], Growing.SURELY).text
        assert whole.startswith(part), (text[:end], part, whole)


def test_a_number_that_is_being_spoken_is_held_back_until_it_is_whole() -> None:
    digits = "four two four two um four two four two four two four two four two four two"
    said = f"My card is {digits}, thanks a lot"
    stored = [REDACTOR.text(said[:end], Growing.SURELY).text for end in range(len(said))]
    assert set(stored) <= {"", "My", "My card", "My card is [card],"}
    assert redacted(said) == "My card is [card], thanks a lot"


@PATIENT
@given(TEXTS, st.data())
def test_a_place_in_a_text_is_found_again(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    done = REDACTOR.text(text)
    place = done.place(at)
    assert 0 <= place <= len(done.text)
    if not any(span.start < at < span.end for span in done.spans):
        before = [span for span in done.spans if span.end <= at]
        assert done.text[:place] == put_together(text, at, before)


@pytest.mark.parametrize("kind", FLOORS)
def test_precision_and_recall_hold(kind: str) -> None:
    known = list(lines())
    assert len(known) >= 150
    marks = judge(known, REDACTOR.find)[kind]
    precision, recall = FLOORS[kind]
    assert marks.labels >= 15
    assert marks.precision >= precision, marks.false
    assert marks.recall >= recall, marks.missed


def test_a_profile_may_ask_for_less_and_for_more() -> None:
    text = "Member M-204417, jane@example.com, 4242 4242 4242 4242, GB29 NWBK 6016 1331 9268 19"
    less = Redactor(Redaction(kinds=frozenset({Kind.EMAIL})))
    member = Pattern("member", r"\bM-[0-9]{6}\b")
    more = Redactor(Redaction(frozenset(Kind), patterns=(member,)))
    assert less.text(text).text == text.replace("jane@example.com", "[email]")
    assert more.text(text).text == "Member [member], [email], [card], [iban]"
    assert redacted(text) == text.replace("jane@example.com", "[email]").replace(
        "4242 4242 4242 4242", "[card]"
    )


def test_a_growing_line_is_held_back_further_where_patterns_are_configured() -> None:
    member = Redactor(Redaction(patterns=(Pattern("member", r"member [a-z]+ [a-z]+"),)))
    text = "I am member blue heron and would like to know what there is to pay this month, please"
    whole = member.text(text).text
    assert whole.startswith("I am [member] and")
    for end in range(len(text)):
        assert whole.startswith(member.text(text[:end], Growing.SURELY).text)


def test_json_stays_json_and_its_names_say_what_a_number_is() -> None:
    told = {
        "card": 4242424242424242,
        "mobile": "5550142",
        "order": 12345678,
        "jane@example.com": [{"note": "call \u0030\u0032\u0030 7946 0018"}, None, True, 1.5],
    }
    escaped = json.dumps(told).replace("@", "\\u0040")
    assert json.loads(REDACTOR.data(escaped)) == {
        "card": "[card]",
        "mobile": "[phone]",
        "order": 12345678,
        "[email]": [{"note": "call [phone]"}, None, True, 1.5],
    }
    plain = '{"order":12345678}'
    assert REDACTOR.data(plain) is plain
    assert REDACTOR.data("card 4242424242424242, not JSON {") == "card [card], not JSON {"


@pytest.mark.parametrize(
    "text",
    [
        *("4242 " * 4_000, "4" * 20_000, "a@" * 10_000, "a." * 10_000 + "@", "at " * 7_000),
        *("j " * 10_000 + "at a dot com", "one two " * 2_500, "(+" * 10_000, "1-" * 10_000),
        *("[" * 20_000, "{" * 20_000, "AB12" * 5_000, "passport " * 2_000, "double " * 3_000),
        *("-" * 20_000 + "1", "a" * 20_000 + "1", "AA 11 " * 3_000, "card " * 4_000 + "12"),
    ],
    ids=lambda text: text[:6],
)
@pytest.mark.timeout(20)
def test_no_text_takes_long(text: str) -> None:
    REDACTOR.text(text)
    REDACTOR.data(text)
    REDACTOR.text(text, Growing.SURELY)


SIX_OF_OLD = "\u017fIX"
DOTLESS, DOTTED = "\u0131", "\u0130"
PIECES = st.sampled_from(
    ["six", "One", SIX_OF_OLD, "o", "at", "Ten", DOTTED, DOTLESS, "٣", "²", "é", "x", "7", "@", " "]
)


@PATIENT
@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_is_looked_at_first_overlooks_no_number(text: str) -> None:
    numbers = [match.span() for match in _NUMBER.finditer(text)]
    first = candidate(text)
    assert numbers == [] or (first is not None and first <= numbers[0][0])
    for number, _ in numbers:
        assert candidate(text, number) is not None
    assert first is None or [match.span() for match in _NUMBER.finditer(text, first)] == numbers
