"""What the sentence encoder adds: requests that share no word with what they mean."""

import json
from functools import cache
from pathlib import Path

import pytest

from switchboard_local.mind.load import load_offline_mind
from switchboard_local.mind.offline import OfflineMind
from tests.local.mind.peers import TODAY, Conversation, tool
from tests.local.mind.test_accuracy import chosen_from

pytestmark = pytest.mark.embedded
INDIRECT = json.loads((Path(__file__).parent / "data" / "indirect.json").read_text())
"""Nine more invented businesses, whose callers describe their trouble and not its remedy."""


@cache
def encoder_mind() -> OfflineMind:
    return load_offline_mind(lambda: TODAY)


def test_start_up_says_that_an_encoder_is_in_use() -> None:
    info = encoder_mind().info
    assert (info.name, info.fallback) == ("rules and a sentence encoder", False)


def test_indirect_requests_find_their_tool() -> None:
    results = [(chosen_from(INDIRECT, encoder_mind(), one), one["tool"]) for one in SAMPLE]
    once = sum(name == right for (name, _), right in results)
    near = sum(right in asked for (_, asked), right in results)
    assert once / len(results) >= 0.7
    assert (once + near) / len(results) >= 0.78


SAMPLE = INDIRECT["requests"][::3]


REPAIR = tool(
    "report_repair",
    "Report something broken in a home.",
    ["trade"],
    trade={
        "type": "string",
        "enum": ["plumbing", "heating", "electrics", "windows_and_doors", "roof", "pest"],
        "description": "What kind of repair",
    },
)


def test_a_choice_that_was_only_meant_is_read_back_before_it_is_used() -> None:
    call = Conversation([REPAIR], mind=encoder_mind())
    said = call.hears("something is broken here, the tap won't stop dripping")
    assert not call.calls
    assert "plumbing" in said and "Is that right?" in said
    call.hears("yes")
    assert call.last_call == ("report_repair", {"trade": "plumbing"})


def test_a_caller_who_hints_at_no_choice_is_asked() -> None:
    call = Conversation([REPAIR], mind=encoder_mind())
    assert "Which" in call.hears("I'd like to report a repair")
    assert not call.calls
