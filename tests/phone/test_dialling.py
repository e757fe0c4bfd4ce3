"""Whom we call: real numbering ranges, held against the rules."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.errors import ConfigurationError
from switchboard.phone.dialling import WORDS, DiallingRules, NotDialled, QuietHours, Why, consider

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
EVERYWHERE = ("GB", "US", "CA", "DE", "FR", "IT", "ES", "CH", "IE", "AU", "IN", "EE", "RU", "JE")
AWAKE = DiallingRules(EVERYWHERE, quiet=None)
BRITAIN = DiallingRules(("+44",), quiet=None)


def refused(text: str, rules: DiallingRules = AWAKE, now: datetime = NOON) -> Why:
    with pytest.raises(NotDialled) as refusal:
        consider(text, rules, now)
    assert str(refusal.value) == WORDS[refusal.value.why]
    return refusal.value.why


@pytest.mark.parametrize(
    ("text", "number", "country"),
    [
        ("+44 20 7946 0018", "+442079460018", "GB"),  # a house in London
        ("+44 (0)20 7946 0018", "+442079460018", "GB"),
        ("+44 7400 123456", "+447400123456", "GB"),  # a mobile
        ("+44 808 157 0123", "+448081570123", "GB"),  # free of charge
        ("+1 (212) 555-0123", "+12125550123", "US"),
        ("+1-416-555-0123", "+14165550123", "CA"),
        ("+49 30 901820", "+4930901820", "DE"),
        ("+49 1511 2345678", "+4915112345678", "DE"),
        ("+33 1 23 45 67 89", "+33123456789", "FR"),
        ("+33 9 12 34 56 78", "+33912345678", "FR"),  # over the internet, an ordinary line there
        ("+39 06 1234 5678", "+390612345678", "IT"),  # Italy keeps its zero
        ("+34 912 345 678", "+34912345678", "ES"),
        ("+61 2 9123 4567", "+61291234567", "AU"),
        ("+91 98765 43210", "+919876543210", "IN"),
    ],
)
def test_ordinary_telephones_are_called(text: str, number: str, country: str) -> None:
    target = consider(text, AWAKE, NOON)
    assert (target.number, target.country) == (number, country)


@pytest.mark.parametrize(
    "text",
    [
        "+449098790000",  # United Kingdom: premium
        "+448701234567",  # at a revenue share
        "+447012345678",  # a personal number, dear and loved by fraud
        "+19005551234",  # United States: premium
        "+15005551234",  # personal
        "+33899123456",  # France: premium
        "+41900123456",  # Switzerland
        "+34807123456",  # Spain
        "+37270012345",  # Estonia: personal
        "+498001234567890123",
    ],
)
def test_numbers_that_earn_by_being_called_are_not(text: str) -> None:
    assert refused(text) in (Why.PREMIUM, Why.NO_NUMBER)


@pytest.mark.parametrize(
    "text",
    [
        "+881612345678",  # Iridium, Globalstar
        "+870773111632",  # Inmarsat
        "+8821612345678",  # international networks
        "+883510012345678",
        "+80012345678",  # international freephone
        "+80812345678",  # international shared cost
        "+979123456789",  # international premium
    ],
)
def test_satellites_and_international_networks_are_not(text: str) -> None:
    assert refused(text) is Why.SATELLITE


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("+442079460018", DiallingRules()),  # nothing listed, nothing dialled
        ("+442079460018", DiallingRules(("US",), quiet=None)),
        ("+447797712345", BRITAIN),  # Jersey has Britain's code, not its prices
        ("+441481712345", BRITAIN),  # Guernsey
        ("+441624612345", BRITAIN),  # Isle of Man
        ("+18765551234", DiallingRules(("+1", "US", "CA"), quiet=None)),  # Jamaica rings once
        ("+18095551234", DiallingRules(("+1", "US", "CA"), quiet=None)),  # Dominican Republic
        ("+12684641234", DiallingRules(("+1", "US", "CA"), quiet=None)),  # Antigua
        ("+14165550123", DiallingRules(("+1",), quiet=None)),  # Canada must be named
        ("+77012345678", DiallingRules(("+7",), quiet=None)),  # Kazakhstan is not Russia
        ("+14165550123", DiallingRules(("+1212",), quiet=None)),
        ("+25261234567", AWAKE),
        ("+5352345678", AWAKE),
    ],
)
def test_what_is_not_listed_is_not_called(text: str, rules: DiallingRules) -> None:
    assert refused(text, rules) is Why.NOT_ALLOWED


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("+442079460018", "+44"),
        ("+442079460018", "+4420"),
        ("+442079460018", "+442079460018"),
        ("+12125550123", "+1"),
        ("+14165550123", "+1416"),
        ("+14165550123", "CA"),
        ("+447797712345", "JE"),
    ],
)
def test_what_is_listed_is(text: str, entry: str) -> None:
    assert consider(text, DiallingRules((entry,), quiet=None), NOON).number == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "020 7946 0018",
        "442079460018",
        "0044 20 7946 0018",
        "999",
        "112",
        "+44999",
        "+44123",
        "+999123456",
        "+44 20 7946 0018 ext. 5",
        "+442079460018;ext=5",
        "+442079460018;phone-context=evil.example",
        "tel:+442079460018",
        "sip:+442079460018@evil.example",
        "+44 20 7946 0018,+44 909 879 0000",
        "+44 20 7946 0018" + "0" * 40,
        "+٤٤٢٠٧٩٤٦٠٠١٨",
        "\uff0b442079460018",
        "+1800FLOWERS",
        "\x00",
    ],
)
def test_what_is_no_number_is_not_dialled(text: str) -> None:
    assert refused(text) is Why.NO_NUMBER


@pytest.mark.parametrize(
    "entry", ["", "+", "44", "gb", "XX", "001", "+44x", "*", "+٤٤", "Britain", "+4", "+42", "+0"]
)
def test_a_rule_that_says_nothing_is_a_mistake(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="DIAL_ALLOWED"):
        DiallingRules((entry,))


@pytest.mark.parametrize(
    ("text", "hour_utc", "called"),
    [
        ("+442079460018", 7, False),
        ("+442079460018", 8, True),
        ("+442079460018", 20, True),
        ("+442079460018", 21, False),
        ("+12125550123", 12, False),  # seven in the morning in New York
        ("+12125550123", 14, True),
        ("+12125550123", 1, True),  # eight in the evening
        ("+12125550123", 2, False),
        ("+61291234567", 12, False),  # eleven at night in Sydney, in summer time
        ("+61291234567", 22, True),
        ("+919876543210", 2, False),  # half past seven
        ("+919876543210", 3, True),
        ("+79161234567", 12, False),  # a Russian mobile: it may be in Anadyr, where it is midnight
    ],
)
def test_nobody_is_woken_up(text: str, hour_utc: int, called: bool) -> None:
    rules = DiallingRules(EVERYWHERE)
    now = NOON.replace(hour=hour_utc)
    if called:
        assert consider(text, rules, now).number == text
    else:
        assert refused(text, rules, now) is Why.QUIET


def test_summer_time_is_known() -> None:
    rules, summer = DiallingRules(("GB",)), datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert consider("+442079460018", rules, summer)
    assert refused("+442079460018", rules, summer.replace(hour=20)) is Why.QUIET


@pytest.mark.parametrize(
    ("begin", "end", "quiet", "loud"),
    [(21, 8, [21, 23, 0, 7], [8, 12, 20]), (13, 15, [13, 14], [12, 15, 0]), (0, 0, [], [0, 12])],
)
def test_quiet_hours_may_pass_midnight_or_not(
    begin: int, end: int, quiet: list[int], loud: list[int]
) -> None:
    hours = QuietHours(time(begin), time(end))
    assert all(hours.cover(time(hour)) for hour in quiet)
    assert not any(hours.cover(time(hour)) for hour in loud)


@given(st.text(max_size=50) | st.from_regex(r"\+[0-9 ()-]{0,20}", fullmatch=True))
def test_whatever_is_asked_what_is_dialled_is_an_allowed_e164_number(text: str) -> None:
    try:
        target = consider(text, BRITAIN, NOON)
    except NotDialled:
        return
    assert target.number.startswith("+44")
    assert target.number[1:].isdecimal()
    assert target.country == "GB"
