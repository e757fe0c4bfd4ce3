"""What an agent is on the telephone, and which one answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from switchboard.agents.phone import OnThePhone
from switchboard.errors import ConfigurationError
from switchboard.reception import Reception
from tests.agents.house import CONFIG, House


def on_the_phone(**fields: object) -> OnThePhone:
    return OnThePhone.model_validate_json(json.dumps(fields), strict=True)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+4930901820", "Dies ist eine KI."),
        ("+442079460018", "This is an AI."),
        ("+12125550123", "This is an AI."),
        (None, "This is an AI."),
    ],
)
def test_what_must_be_said_depends_on_where_the_telephone_is(number: str | None, said: str) -> None:
    phone = on_the_phone(disclosure={"DE": "Dies ist eine KI.", "default": "This is an AI."})
    assert phone.disclosed(number) == said


OPERATOR = {"name": "operator", "to": "console", "nobody": "Shall we ring you?", "rings_s": 30}
SUPPORT = {"name": "support", "to": "+442079460123"}


def test_an_operator_at_the_console_joins_and_is_not_rung() -> None:
    phone = on_the_phone(humans=[OPERATOR, SUPPORT], transfer=True)
    operator = phone.directory()["operator"]
    assert operator.at_console
    assert (operator.rings_s, operator.nobody) == (30.0, "Shall we ring you?")
    assert list(phone.at_console()) == ["operator"]
    chosen = {spec.name: spec.parameters["properties"]["human"]["enum"] for spec in phone.specs()}
    assert chosen["bring_in_human"] == ["operator", "support"]
    assert chosen["transfer_to_human"] == ["support"]


def test_an_agent_whose_only_human_is_at_the_console_transfers_nobody() -> None:
    phone = on_the_phone(humans=[OPERATOR], transfer=True, bring_in=False)
    assert phone.transfer_tool is None
    assert [spec.name for spec in phone.specs()] == ["bring_in_human"]


def test_in_the_browser_an_agent_has_whoever_is_at_the_console_and_nobody_else(
    tmp_path: Path,
) -> None:
    [desk, *_] = CONFIG["agents"]
    house = House(tmp_path)
    agents: list[Any] = [{**desk, "tools": [], "phone": {"humans": [OPERATOR, SUPPORT]}}]
    house.path.write_text(json.dumps({**CONFIG, "agents": agents}))
    reception = Reception(house.path, tmp_path, reattach_s=1, version="test")
    brief = reception.brief(desk["id"], voice=None, model=None)
    assert list(brief.rules.humans) == ["operator"]
    [tool] = [spec for spec in brief.spec.tools if spec.name == "bring_in_human"]
    assert tool.parameters["properties"]["human"]["enum"] == ["operator"]


def test_where_nothing_must_be_said_nothing_is() -> None:
    assert on_the_phone(disclosure={"DE": "Dies ist eine KI."}).disclosed("+442079460018") is None
    assert on_the_phone().disclosed("+4930901820") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"disclosure": {"UK": "This is an AI."}},
        {"disclosure": {"gb": "This is an AI."}},
        {"disclosure": {"GB": ""}},
        {"numbers": ["020 7946 0018"]},
        {"machine": "leave_message"},
        {"machine": "shout"},
        {"colour": "blue"},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        on_the_phone(**fields)


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    desk, night = CONFIG["agents"]
    agents: list[dict[str, Any]] = [
        {**desk, "tools": [], "phone": {"numbers": ["+442079460000"]}},
        {**night, "id": "press", "phone": {"numbers": ["+442079460001"], "choosable": True}},
    ]
    house = House(tmp_path)
    house.path.write_text(json.dumps({**CONFIG, "agents": agents}))
    return Reception(house.path, tmp_path, reattach_s=1, version="test")


@pytest.mark.parametrize(
    ("called", "asked", "otherwise", "answers"),
    [
        ("+442079460001", None, None, "press"),
        ("+442079460000", None, "press", "desk"),
        ("+442079460009", None, "press", "press"),
        ("+442079460009", None, None, "desk"),
        ("+442079460009", None, "gone", "desk"),
        (None, None, None, "desk"),
        ("+442079460000", "press", None, "press"),
        ("+442079460001", "desk", None, "press"),  # nobody may ask for the desk
        ("+442079460009", "nobody", None, "desk"),
    ],
)
def test_who_answers(
    reception: Reception, called: str | None, asked: str | None, otherwise: str | None, answers: str
) -> None:
    assert reception.answering(called, asked, otherwise) == answers


def test_a_setting_that_names_no_agent_is_a_mistake(reception: Reception) -> None:
    reception.need_agent("press", "PHONE_AGENT")
    with pytest.raises(ConfigurationError, match="PHONE_AGENT=nobody"):
        reception.need_agent("nobody", "PHONE_AGENT")
