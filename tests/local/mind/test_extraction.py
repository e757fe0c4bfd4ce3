"""The offline mind reads the record of a call, by its rules: what is not in it is null."""

import json
from datetime import date
from typing import Any

import pytest

from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Request, Say

MIND = OfflineMind(PartInfo("mind", "rules and words"), lambda: date(2026, 3, 4))
GOAL = {"outcome": {"type": "string"}, "reason": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "summary": {"type": "string", "description": "The call in two or three sentences"},
        "goals": {
            "type": "object",
            "properties": {
                "appointment_booked": {
                    "description": "An appointment was booked",
                    "properties": GOAL,
                },
                "fine_paid": {"description": "A fine was paid", "properties": GOAL},
            },
        },
        "fields": {
            "type": "object",
            "properties": {
                "date": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                "reference": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "email": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
                "service": {"enum": ["passport", "permit", None]},
            },
        },
    },
}


def read(lines: list[tuple[str, str]], *tools: dict[str, Any]) -> dict[str, Any]:
    record = {
        "call": {"began": "2026-03-04T10:00:00+00:00"},
        "lines": [{"who": who, "text": text} for who, text in lines],
        "tools": list(tools),
    }
    part = {"type": "input_text", "text": json.dumps(record)}
    item = {"type": "message", "role": "user", "content": [part]}
    told = f"Answer with JSON.\n<schema>\n{json.dumps(SCHEMA)}\n</schema>"
    [thought] = MIND.think(Request("You are Ana.", [], "none", [item], told))
    assert isinstance(thought, Say)
    return json.loads(thought.text)


def ran(name: str, state: str, arguments: object, result: object = None) -> dict[str, Any]:
    return {"name": name, "state": state, "arguments": arguments, "result": result}


def test_what_tools_did_is_what_was_achieved() -> None:
    booked = ran(
        "book_appointment", "done", {"date": "2026-03-06"}, {"booking": {"reference": "PA-2231"}}
    )
    answer = read([("caller", "A passport appointment on Friday, please")], booked)
    assert answer["goals"]["appointment_booked"]["outcome"] == "achieved"
    assert answer["goals"]["fine_paid"]["outcome"] == "unknown"
    assert answer["fields"] == {
        "date": "2026-03-06",
        "reference": "PA-2231",
        "email": None,
        "service": "passport",
    }
    assert "A passport appointment on Friday" in answer["summary"]
    assert "book appointment" in answer["summary"]


@pytest.mark.parametrize("state", ["declined", "abandoned", "failed"])
def test_what_was_not_carried_out_was_not_achieved(state: str) -> None:
    answer = read([("caller", "Pay my fine")], ran("pay_fine", state, {}))
    assert answer["goals"]["fine_paid"]["outcome"] == "not_achieved"


def test_so_was_what_was_asked_for_and_never_begun() -> None:
    answer = read([("caller", "Can I pay my fine?"), ("agent", "Not here.")])
    assert answer["goals"]["fine_paid"]["outcome"] == "not_achieved"
    assert "Can I pay my fine" in answer["goals"]["fine_paid"]["reason"]


def test_without_tools_fields_are_taken_from_what_the_caller_said() -> None:
    answer = read(
        [
            ("agent", "When would you like to come?"),
            ("caller", "Next Tuesday, and write to jane dot doe at example dot com"),
        ]
    )
    assert answer["fields"]["date"] == "2026-03-10"
    assert answer["fields"]["email"] == "jane.doe@example.com"


def test_what_the_agent_said_is_not_what_the_caller_said() -> None:
    answer = read([("agent", "The next one is on 12 March."), ("caller", "I will think about it")])
    assert answer["fields"]["date"] is None


def test_a_record_without_words_makes_no_claims() -> None:
    answer = read([])
    assert set(answer["fields"].values()) == {None}
    assert {goal["outcome"] for goal in answer["goals"].values()} == {"unknown"}


@pytest.mark.parametrize("schema", ["", "<schema></schema>", "<schema>[1]</schema>"])
def test_what_asks_for_no_schema_is_answered_as_ever(schema: str) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    told = f"Say exactly: Good day. {schema}"
    thoughts = MIND.think(Request("You are Ana.", [], "none", [item], told))
    assert all(isinstance(thought, Say) and "{" not in thought.text for thought in thoughts)
