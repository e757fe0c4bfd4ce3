"""Whom an agent can hand a caller to, and the telephone's own tools, as the model sees them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from switchboard.agents.turns import Written
from switchboard.conversation.rules import CONSOLE, Human
from switchboard.conversation.session import ToolSpec

TRANSFER: Final = "transfer_to_human"
BRING_IN: Final = "bring_in_human"
SEND_KEYS: Final = "send_keys"

type Name = Annotated[str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9 _-]*$")]
type Number = Annotated[
    str,
    Field(min_length=7, max_length=300, pattern=r"^(\+[1-9][0-9]{6,14}|8:acs:[!-~]+|console)$"),
]


class HumanEntry(Written):
    """Somebody the agent can hand a caller to."""

    name: Name
    """What the model calls them: `support`."""
    to: Number
    """Their number, E.164, or their id as a user of Azure Communication Services; or `console`:
    whichever operator takes the call over. That one can be had in browser calls as well."""
    about: Annotated[str, Field(max_length=200)] = ""
    """What they are for, in words for the model: "Complaints and refunds"."""
    rings_s: Annotated[int, Field(ge=5, le=600)] = 60
    """At the console: how many seconds it rings."""
    nobody: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """At the console: what the caller is told when nobody comes, word for word. Offer what the
    agent can do: "Shall we ring you back?"."""

    def human(self) -> Human:
        return Human(self.name, self.to, float(self.rings_s), self.nobody)


def human_specs(
    joining: Sequence[HumanEntry], rung: Sequence[HumanEntry], *, bring_in: bool, transfer: bool
) -> list[ToolSpec]:
    """The tools that hand a caller over: to those who join the call, and those who are rung."""
    at_once = all(human.to == CONSOLE for human in joining)
    words = _CALL_OPERATOR if at_once else _BRING_IN
    specs = [ToolSpec(BRING_IN, words, _parameters(joining))] if bring_in else []
    return [*specs, ToolSpec(TRANSFER, _TRANSFER, _parameters(rung))] if transfer else specs


def console_specs(humans: Sequence[HumanEntry]) -> list[ToolSpec]:
    """The tool of an agent who can only have an operator called, as in the browser."""
    known = [each for each in humans if each.to == CONSOLE]
    return [ToolSpec(BRING_IN, _CALL_OPERATOR, _parameters(known))] if known else []


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
_CALL_OPERATOR: Final = (
    "Call a human colleague to this conversation. Use it when the caller wants to speak to a "
    "person, or needs what you cannot do. You go on with the caller meanwhile, and are told if "
    "nobody is free."
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
