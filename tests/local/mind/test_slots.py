from datetime import date

import pytest

from switchboard_local.mind.catalogue import Role, Slot, read_tools
from switchboard_local.mind.slots import fill
from switchboard_local.mind.turn import Turn
from tests.local.mind.peers import TODAY, tool

TEXT = {"type": "string"}
COUNT = {"type": "integer"}
MONEY = {"type": "number", "description": "Amount in pounds"}
DAY = {"type": "string", "format": "date"}
TIME = {"type": "string", "format": "time"}


def filled(
    text: str, *, asked: str = "", required: bool = True, **slots: object
) -> dict[str, object]:
    """What `text` says for these slots of a tool."""
    made = tool("do_it", "Do it.", list(slots) if required else [], **slots)
    found = fill(read_tools([made])[0].slots, Turn(text, TODAY, asked))
    return {name: one.value for name, one in found.items()}


def test_several_arguments_come_in_one_breath() -> None:
    got = filled(
        "a table for four next friday at half past seven",
        guests={**COUNT, "description": "How many people"},
        date=DAY,
        time=TIME,
    )
    assert got == {"guests": 4, "date": "2026-11-27", "time": "19:30"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("it's four oh seven double two", "40722"),
        ("um nine for one zero seven", "94107"),
        ("4 0 7 2 2", "40722"),
        ("407-22 please", "40722"),
    ],
)
def test_a_number_is_read_digit_by_digit_where_the_pattern_wants_it(said: str, code: str) -> None:
    assert filled(said, asked="ref", ref={**TEXT, "pattern": r"^\d{5}$"}) == {"ref": code}


def test_a_prefix_that_was_left_out_is_put_in() -> None:
    policy = {**TEXT, "pattern": r"^HM-\d{6}$"}
    assert filled("one two three four five six", asked="policy", policy=policy) == {
        "policy": "HM-123456"
    }


def test_a_code_that_does_not_fit_is_not_taken() -> None:
    assert filled("one two three", asked="ref", ref={**TEXT, "pattern": r"^\d{5}$"}) == {}


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("the gold card please", "gold"),
        ("the second one", "gold"),
        ("the last one", "platinum"),
        ("the middle one", "gold"),
        ("goal", None),
        ("golt", "gold"),
        ("not the silver, the platinum one", "platinum"),
    ],
)
def test_a_choice_is_named_by_word_sound_or_place(said: str, choice: str | None) -> None:
    plan = {"type": "string", "enum": ["silver", "gold", "platinum"]}
    assert filled(said, asked="plan", plan=plan).get("plan") == choice


def test_a_choice_of_times_is_named_as_a_time() -> None:
    slot = {"type": "string", "enum": ["first free", "09:30", "14:00"]}
    assert filled("half past nine would be good", slot=slot) == {"slot": "09:30"}


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("forty two pounds fifty", 42.5),
        ("fifty quid", 50),
        ("£1,250.50", 1250.5),
        ("ten grand", 10000),
        ("ninety nine pence", 0.99),
    ],
)
def test_money_is_understood(said: str, amount: float) -> None:
    assert filled(f"i want to pay {said}", amount=MONEY) == {"amount": amount}


def test_a_price_in_two_parts_is_understood_when_asked_for() -> None:
    assert filled("twelve ninety nine", asked="amount", amount=MONEY) == {"amount": 12.99}


def test_money_in_minor_units_is_converted() -> None:
    pence = {"type": "integer", "description": "Amount in pence"}
    assert filled("three pounds fifty", amount_pence=pence) == {"amount_pence": 350}


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("two hours", 120), ("half an hour", 30), ("an hour and a half", 90), ("45 minutes", 45)],
)
def test_a_length_of_time_is_put_in_the_unit_wanted(said: str, minutes: int) -> None:
    slot = {"type": "integer", "description": "Length in minutes"}
    assert filled(said, asked="duration_minutes", duration_minutes=slot) == {
        "duration_minutes": minutes
    }


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("tom dot baker at example dot com", "tom.baker@example.com"),
        ("tom underscore b at mail dot co dot uk", "tom_b@mail.co.uk"),
        ("It's Tom.B@Example.com.", "tom.b@example.com"),
    ],
)
def test_an_email_address_is_understood_as_spoken(said: str, address: str) -> None:
    assert filled(said, email={**TEXT, "format": "email"}) == {"email": address}


def test_a_telephone_number_is_put_together() -> None:
    said = "ring me on oh seven seven double oh nine double oh one two three"
    assert filled(said, phone=TEXT) == {"phone": "07700900123"}


def test_a_day_in_the_past_is_meant_where_the_argument_is_about_the_past() -> None:
    assert filled("on the fifth", asked="incident_date", incident_date=DAY) == {
        "incident_date": "2026-11-05"
    }
    assert filled("on the fifth", asked="visit_date", visit_date=DAY) == {
        "visit_date": "2026-12-05"
    }


def test_of_two_days_the_one_that_suits_counts() -> None:
    for said in (
        "wednesday is no good could we do friday",
        "not at home on wednesday so friday instead",
    ):
        assert filled(said, new_date=DAY) == {"new_date": "2026-11-27"}


def test_things_and_payees_are_read_out_of_a_request() -> None:
    assert filled("renew the hobbit on card one two three", title=TEXT) == {"title": "the hobbit"}
    assert filled("i have run out of my metformin", medicine=TEXT) == {"medicine": "metformin"}
    assert filled("send my sister anna fifty pounds", payee=TEXT, amount=MONEY) == {
        "payee": "Anna",
        "amount": 50,
    }


def test_two_days_go_where_their_own_words_send_them() -> None:
    got = filled("until the tenth from the first of december", from_date=DAY, to_date=DAY)
    assert got == {"from_date": "2026-12-01", "to_date": "2026-12-10"}


def test_names_and_places_are_read_out_of_a_request() -> None:
    assert filled("my name is anna jones", name=TEXT) == {"name": "Anna Jones"}
    assert filled("from leeds to new york please", origin=TEXT, destination=TEXT) == {
        "origin": "Leeds",
        "destination": "New York",
    }


def test_optional_words_are_taken_only_when_given() -> None:
    assert filled("i want to cancel it", required=False, reason=TEXT) == {}
    assert filled("cancel it because i am ill", required=False, reason=TEXT) == {
        "reason": "i am ill"
    }


def test_a_switch_is_heard_with_its_negation() -> None:
    slot = {"type": "boolean", "description": "Add insurance"}
    assert filled("with insurance please", insurance=slot) == {"insurance": True}
    assert filled("without insurance", insurance=slot) == {"insurance": False}
    assert filled("no thanks", asked="insurance", insurance=slot) == {"insurance": False}


def test_a_list_takes_all_that_was_named() -> None:
    extras = {"type": "array", "items": {"type": "string", "enum": ["spa", "parking", "lunch"]}}
    got = filled("parking and lunch", asked="extras", extras=extras)
    assert sorted(map(str, got["extras"])) == ["lunch", "parking"]  # type: ignore[call-overload]


def test_what_a_slot_holds_is_told_from_its_schema() -> None:
    def role(name: str, **schema: object) -> Role:
        return Slot(name, schema, required=True).role

    assert role("when", type="string", format="date-time") is Role.MOMENT
    assert role("day", type="string", description="Day as YYYY-MM-DD") is Role.DATE
    assert role("start", type="string", description="HH:MM") is Role.TIME
    assert role("booking_reference", type="string") is Role.CODE
    assert role("amount", type="number") is Role.MONEY
    assert role("guests", type="integer") is Role.COUNT
    assert role("plan", enum=["a", "b"]) is Role.CHOICE
    assert role("comment", type="string") is Role.WORDS


def test_today_is_an_argument() -> None:
    made = read_tools([tool("t", "T.", ["day"], day=DAY)])[0]
    found = fill(made.slots, Turn("tomorrow", date(2027, 12, 31)))
    assert found["day"].value == "2028-01-01"
