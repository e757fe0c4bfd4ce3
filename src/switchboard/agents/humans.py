"""Whom an agent can hand a caller to, and the telephone's own tools, as the model sees them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from switchboard.agents.turns import Written
from switchboard.conversation.session import ToolSpec

TRANSFER: Final = "transfer_to_human"
BRING_IN: Final = "bring_in_human"
SEND_KEYS: Final = "send_keys"

type Name = Annotated[str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9 _-]*$")]
type Number = Annotated[
    str, Field(min_length=8, max_length=300, pattern=r"^(\+[1-9][0-9]{6,14}|8:acs:[!-~]+)$")
]


class HumanEntry(Written):
    """Somebody the agent can hand a caller to."""

    name: Name
    """What the model calls them: `support`."""
    to: Number
    """Their number, E.164, or their id as a user of Azure Communication Services."""
    about: Annotated[str, Field(max_length=200)] = ""
    """What they are for, in words for the model: "Complaints and refunds"."""


def human_specs(humans: Sequence[HumanEntry], *, bring_in: bool, transfer: bool) -> list[ToolSpec]:
    """The tools that hand a caller over."""
    parameters = _parameters(humans)
    specs = [ToolSpec(BRING_IN, _BRING_IN, parameters)] if bring_in else []
    return [*specs, ToolSpec(TRANSFER, _TRANSFER, parameters)] if transfer else specs


def _parameters(humans: Sequence[HumanEntry]) -> Mapping[str, object]:
    known = "; ".join(f"{each.name}: {each.about}" for each in humans if each.about)
    human = {
        "type": "string",
        "enum": [each.name for each in humans],
        "description": f"Who is to take over. {known}".strip(),
    }
    reason = {
        "type": "string",
        "description": "What the caller wants, in one sentence for that colleague.",
    }
    return {
        "type": "object",
        "properties": {"human": human, "reason": reason},
        "required": ["human"],
        "additionalProperties": False,
    }


_BRING_IN: Final = (
    "Bring a human into this call: ring a colleague while the caller waits, tell them what it is "
    "about, and leave the call to the two. Use it when the caller wants to speak to a person, or "
    "needs what you cannot do. Tell the caller in the same reply that you ask a colleague to join. "
    "If nobody comes, you have the caller back and are told why."
)
_TRANSFER: Final = (
    "Transfer this call to a human and leave it at once. Use it when the caller asks to be put "
    "through. Tell the caller in the same reply that you are connecting them. If nobody answers, "
    "you have the caller back and are told why."
)
_SEND_KEYS: Final = (
    "Press keys on the telephone, for a machine at the other end that asks for them, such as a "
    "menu. Never for a person."
)
_KEYS: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "keys": {
            "type": "string",
            "pattern": "^[0-9*#]{1,32}$",
            "description": "The keys in order, without spaces: digits, * and #.",
        }
    },
    "required": ["keys"],
    "additionalProperties": False,
}
PRESS_KEYS: Final = ToolSpec(SEND_KEYS, _SEND_KEYS, _KEYS)
