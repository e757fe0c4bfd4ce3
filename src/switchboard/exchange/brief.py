"""Everything a call must know of its agent before it begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec, ToolSpec
from switchboard.tools.context import Resources
from switchboard.tools.toolbox import Toolbox

END_CALL: Final = ToolSpec(
    "end_call",
    "Hang up and end this call. Use it once the caller has said goodbye or needs nothing more, "
    "and say goodbye in the same reply.",
    {"type": "object", "properties": {}, "additionalProperties": False},
)
"""Every agent can hang up; the conversation waits until the goodbye was heard."""


@dataclass(frozen=True, slots=True)
class Brief:
    agent: str
    spec: SessionSpec
    rules: Rules
    toolbox: Toolbox
    offered: frozenset[str]
    """The tools that this agent may use."""
    resources: Resources


class Reception(Protocol):
    """Knows the agents, as they are configured at this moment."""

    def brief(self, agent: str, *, voice: str | None, model: str | None) -> Brief:
        """Raises `NotAllowed` for an agent, voice or model that is not offered."""
        ...


def interrupts(turn_detection: Mapping[str, object] | None) -> bool:
    return turn_detection is not None and turn_detection.get("interrupt_response") is not False


def replies(turn_detection: Mapping[str, object] | None) -> bool:
    return turn_detection is not None and turn_detection.get("create_response") is not False
