"""`switchboard eval record`: a call that was held becomes a scenario, from what the records keep of
it: redacted already."""

import json
from typing import Any

import yaml

from switchboard.conversation.commands import Speaker, ToolState
from switchboard.evals.scenario import Scenario
from switchboard.records.history import CallHistory
from switchboard.records.schema import ToolCall

_OUTCOMES = {
    ToolState.DONE: "done",
    ToolState.FAILED: "failed",
    ToolState.DECLINED: "declined",
    ToolState.ABANDONED: "asking",
}
HEAD = """# Made from a call. Read it through before you keep it: say what should come of it, not
# what came of it, and take out what is nobody's business.
"""


def scenario_of(found: CallHistory) -> str:
    """YAML, which `Scenario` takes."""
    call = found.call
    says = [item.text for item in found.items if item.speaker == Speaker.CALLER and item.text]
    expect: dict[str, Any] = {"tools": [_tool(each) for each in found.tool_calls]}
    declined = [t.name for t in found.tool_calls if t.state != ToolState.DONE]
    done = {t.name for t in found.tool_calls if t.state == ToolState.DONE}
    if never := sorted({*declined} - done):
        expect["not_done"] = never
    if call.end_reason:
        expect["ends"] = [call.end_reason]
    document = {
        "scenario": f"As on the call {call.id}",
        "agent": call.agent,
        "tags": ["recorded"],
        "caller": {"says": [text[:2_000] for text in says] or [{"hang_up": True}]},
        "expect": {name: value for name, value in expect.items() if value},
    }
    Scenario.model_validate(document)
    return HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _tool(tool: ToolCall) -> dict[str, Any]:
    wanted: dict[str, Any] = {"name": tool.name}
    arguments = _arguments(tool.arguments)
    if arguments:
        wanted["arguments"] = arguments
    outcome = _OUTCOMES.get(ToolState(tool.state), "any")
    return wanted if outcome == "done" else {**wanted, "outcome": outcome}


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]
