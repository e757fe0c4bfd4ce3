from datetime import date

import pytest

from switchboard_local.mind.results import confirmation_in, error_of, tell

TODAY = date(2026, 11, 22)


def told(output: object, given: dict[str, object] | None = None) -> str:
    return " ".join(tell(output, TODAY, given).sentences)


def test_a_sentence_the_tool_offers_is_said_as_it_is() -> None:
    assert told({"say": "Your card is blocked", "card": "4421"}) == "Your card is blocked."


def test_money_days_and_codes_are_said_for_the_ear() -> None:
    said = told({"balance": 1234.5, "currency": "GBP", "due_date": "2026-11-24"})
    assert said == "The balance is £1234.50 and the due date is Tuesday the 24th of November."


def test_a_list_is_counted_and_told_in_order() -> None:
    fines = [{"reason": "speeding", "amount_eur": 80.0}, {"reason": "parking", "amount_eur": 25}]
    assert told({"fines": fines}) == (
        "There are 2 fines. The first: speeding, amount €80. The second: parking, amount €25."
    )


def test_the_rest_of_a_long_list_is_offered() -> None:
    kept = tell({"days": [{"name": f"day {n}"} for n in range(7)]}, TODAY)
    assert kept.sentences[-1] == "Would you like to hear the other 4?"
    assert len(kept.rest) == 4


def test_an_empty_list_is_told_as_such() -> None:
    assert told({"appointments": []}) == "There are no appointments."


def test_what_only_repeats_the_request_is_left_out() -> None:
    assert told({"account": "savings", "balance_gbp": 3}, {"account": "savings"}) == (
        "The balance is £3."
    )


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        ({"data_used_gb": 3.5}, "3.5 gigabytes"),
        ({"at": "2026-11-23T15:30:00"}, "tomorrow at 3:30 pm"),
        ({"plan": {"name": "unlimited", "price_eur": 20.0}}, "unlimited"),
        ({"paid": 70.0, "currency": "EUR"}, "€70 paid"),
        ({"roaming": True}, "yes"),
        ("All done", "All done"),
        ([1, 2, 3], "1, 2 and 3"),
        ({"amount": -12, "currency": "GBP"}, "minus £12"),
    ],
)
def test_every_fact_is_in_what_is_said(output: object, fact: str) -> None:
    assert fact in told(output)


@pytest.mark.parametrize("output", [None, "", {}, {"ok": True}, {"status": "ok"}, True])
def test_a_bare_success_is_told(output: object) -> None:
    assert told(output) == "That is done."


def test_failures_and_questions_are_recognised() -> None:
    assert error_of({"error": "No such card."}) == "No such card."
    assert error_of({"error": {"message": "Gone"}}) == "Gone"
    assert error_of({"ok": False, "message": "Closed"}) == "Closed"
    assert error_of({"fines": []}) == ""
    assert confirmation_in({"status": "confirm", "say": "Pay it?"}) == "Pay it?"
    assert confirmation_in({"status": "paid"}) == ""
