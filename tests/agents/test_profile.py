"""What an agent is, and what its calls are held by."""

from typing import Any

import pytest
from pydantic import ValidationError

from switchboard.agents.colours import contrast
from switchboard.agents.profile import AgentProfile
from switchboard.conversation.rules import Price, ToolRule
from switchboard.conversation.session import ToolSpec
from tests.agents.house import House


def profile(**changes: object) -> AgentProfile:
    given: dict[str, Any] = {
        "id": "desk",
        "title": "The desk",
        "model": "big",
        "voice": "ash",
        "prompt": "desk.md",
        "instructions": "Keep the desk.",
        **changes,
    }
    return AgentProfile.model_validate(given, strict=False)


def test_a_session_says_everything_the_dialect_wants() -> None:
    tool = ToolSpec("look_up", "Look it up.", {"type": "object", "properties": {}})

    spec = profile(speed=1.1, language="de", max_output_tokens=900).session([tool])

    assert spec.model == "big"
    assert spec.instructions == "Keep the desk."
    assert spec.turn_detection == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": True,
        "interrupt_response": True,
    }
    assert spec.transcription == {"model": "gpt-realtime-whisper", "language": "de"}
    assert [each.name for each in spec.tools] == ["look_up", "end_call"]
    assert (spec.speed, spec.noise_reduction, spec.max_output_tokens) == (1.1, "near_field", 900)


def test_the_callers_own_choice_of_model_and_voice_wins() -> None:
    spec = profile().session([], model="small", voice="sage")

    assert (spec.model, spec.voice) == ("small", "sage")


def test_what_is_switched_off_stays_off() -> None:
    spec = profile(transcription=None, noise_reduction=None, can_hang_up=False).session([])

    assert spec.transcription is None
    assert spec.noise_reduction is None
    assert list(spec.tools) == []


def test_semantic_turns_are_passed_on() -> None:
    spec = profile(turn_detection={"type": "semantic_vad", "eagerness": "low"}).session([])

    assert spec.turn_detection is not None
    assert spec.turn_detection["eagerness"] == "low"


def test_the_rules_of_a_call_come_from_the_limits(house: House) -> None:
    price = house.book().edition.roster.prices["big"]
    limits = {"slow_tool_ms": 900, "silence_ms": 8_000, "max_call_s": 60, "budget_usd": 0.5}

    rules = profile(
        greeting="Hello.",
        limits=limits,
        consent_words=["Ja"],
        refusal_words=["nein"],
        turn_detection={"type": "server_vad", "create_response": False},
    ).rules({"pay": ToolRule("Pay?")}, price)

    assert (rules.slow_tool_s, rules.silence_s, rules.max_call_s) == (0.9, 8.0, 60)
    assert (rules.greeting, rules.end_tool) == ("Hello.", "end_call")
    assert (rules.service_replies, rules.service_interrupts) == (False, True)
    assert (rules.yes_words, rules.no_words) == ({"ja"}, {"nein"})
    assert (rules.budget_usd, rules.price) == (0.5, price)

    assert rules.tools["pay"].confirm == "Pay?"


def test_a_budget_that_cannot_be_counted_is_kept_in_minutes() -> None:
    price = Price(1, 2, 0.1, 0.2, 3, 4)
    limits = {"budget_usd": 0.5, "max_call_s": 1_800, "unpriced_call_s": 300}
    assert profile(limits=limits).rules({}, price).max_call_s == 1_800
    assert profile(limits=limits).rules({}).max_call_s == 300
    assert profile(limits={**limits, "max_call_s": 60}).rules({}).max_call_s == 60
    assert profile(limits={"unpriced_call_s": 300}).rules({}).max_call_s == 1_800


def test_contrast_is_the_one_that_wcag_defines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("accent", "#777777", "its contrast on #ffffff is 4.48; text needs 4.5"),
        ("accent", "#ffff00", "its contrast on #ffffff is 1.07"),
        ("accent_dark", "#1d4ed8", "its contrast on #101418 is "),
        ("accent", "blue", "should match pattern"),
        ("speed", 1.6, "less than or equal to 1.5"),
        ("turn_detection", {"type": "server_vad", "idle_timeout_ms": 100}, "equal to 5000"),
        ("turn_detection", {"type": "semantic_vad", "threshold": 0.5}, "not permitted"),
        ("turn_detection", {"type": "psychic"}, "does not match any of the expected tags"),
        ("limits", {"reprompts": -1}, "greater than or equal to 0"),
    ],
)
def test_what_the_service_or_the_eye_would_refuse_is_refused_here(
    field: str, value: object, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        profile(**{field: value})


def test_a_profile_is_frozen_and_its_prompt_does_not_show() -> None:
    made = profile(instructions="The secret of the house.")

    assert "secret" not in repr(made) + made.model_dump_json()
    with pytest.raises(ValidationError, match="frozen"):
        made.title = "Other"  # pyright: ignore[reportAttributeAccessIssue] - the fault under test
