"""The development set: no exam, but a floor that a change must not fall through.

Sixteen invented businesses; weights were learnt on them, so the figures flatter. The exam that
counts is `python -m bench mind`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from switchboard_local.mind.load import load_offline_mind
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Call, Request
from tests.local.mind.peers import TODAY, heard, words_only_mind

DATA = json.loads((Path(__file__).parent / "data" / "development.json").read_text())


def chosen(mind: OfflineMind, request: Mapping[str, Any]) -> tuple[str | None, Sequence[str]]:
    """The tool the mind starts on, or those it asks about."""
    return chosen_from(DATA, mind, request)


def chosen_from(
    data: Mapping[str, Any], mind: OfflineMind, request: Mapping[str, Any]
) -> tuple[str | None, Sequence[str]]:
    """The same, with the toolsets of `data`."""
    toolset = data["toolsets"][request["toolset"]]
    asked = Request(toolset["instructions"], toolset["tools"], "auto", [heard(request["text"])])
    fold = mind.fold(asked)
    thoughts = fold.through(asked.items)
    called = next((thought.name for thought in thoughts if isinstance(thought, Call)), None)
    task, choice = fold.state.task, fold.state.choice
    return called or (task.tool if task else None), choice.tools if choice else ()


def shares(mind: OfflineMind) -> tuple[float, float]:
    """How often the right tool is taken at once; how often at once or among those asked about."""
    results = [(chosen(mind, one), one["tool"]) for one in DATA["requests"]]
    once = sum(tool == right for (tool, _), right in results)
    near = sum(right in asked for (_, asked), right in results)
    return once / len(results), (once + near) / len(results)


@pytest.mark.embedded
def test_the_right_tool_is_chosen_for_spoken_requests() -> None:
    at_once, after_a_question = shares(load_offline_mind(lambda: TODAY))
    assert at_once >= 0.84
    assert after_a_question >= 0.92


def test_words_alone_choose_nearly_as_well() -> None:
    at_once, after_a_question = shares(words_only_mind())
    assert at_once >= 0.75
    assert after_a_question >= 0.85
