"""What an agent's profile says of what is kept of its calls."""

from typing import Any

import pytest
from pydantic import ValidationError

from switchboard.reception import Reception
from switchboard.records.redaction.kinds import FULL, Kind
from tests.agents.house import CONFIG, House
from tests.agents.test_profile import profile

MEMBER = {"name": "member", "pattern": r"\bM-[0-9]{6}\b"}


def reception_of(house: House, **changes: object) -> Reception:
    """Of two agents without tools, the first with what is changed."""
    agents: list[dict[str, Any]] = CONFIG["agents"]
    desk, night = ({**agent, "tools": list[str]()} for agent in agents)
    house.write({**CONFIG, "agents": [{**desk, **changes}, night]})
    return Reception(house.path, house.path.parent, reattach_s=0, version="")


def test_everything_is_taken_out_unless_a_profile_says_otherwise(house: House) -> None:
    reception = reception_of(house)
    assert reception.redaction("desk") == FULL
    assert reception.redaction("an agent that is gone") == FULL
    assert reception.retention_days() == {"desk": None, "night": None}


def test_a_profile_asks_for_less_or_more(house: House) -> None:
    redaction = {"kinds": ["email", "iban"], "patterns": [MEMBER]}
    reception = reception_of(house, redaction=redaction, retention_days=7)

    assert reception.redaction("desk").kinds == {Kind.EMAIL, Kind.IBAN}
    text = "M-204417, jane@example.com, 4242 4242 4242 4242"
    assert reception.redacted("desk", text) == "[member], [email], 4242 4242 4242 4242"
    assert reception.redacted("night", text) == "M-204417, [email], [card]"
    assert reception.retention_days() == {"desk": 7, "night": None}
    brief = reception.brief("desk", voice=None, model=None)
    assert brief.redaction == reception.redaction("desk")


@pytest.mark.parametrize(
    ("redaction", "fault"),
    [
        ({"patterns": [{**MEMBER, "pattern": "(a"}]}, "no expression of RE2"),
        ({"patterns": [{**MEMBER, "pattern": r"(?=a)b"}]}, "no expression of RE2"),
        ({"patterns": [{**MEMBER, "pattern": "a*"}]}, "everywhere"),
        ({"patterns": [{**MEMBER, "name": "My member"}]}, "name"),
        ({"countries": ["England"]}, "countries"),
        ({"kinds": ["address"]}, "kinds"),
    ],
)
def test_a_fault_is_named(redaction: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        profile(redaction=redaction)
