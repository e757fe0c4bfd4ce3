"""Everything a call must know of its agent before it begins."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec
from switchboard.exchange.keypad import Patience
from switchboard.records.redaction.kinds import FULL, Redaction
from switchboard.tools.context import Resources
from switchboard.tools.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Brief:
    agent: str
    spec: SessionSpec
    rules: Rules
    toolbox: Toolbox
    offered: frozenset[str]
    """The tools that this agent may use."""
    resources: Resources
    line_tools: frozenset[str] = frozenset()
    """Tools that the telephone itself runs (`Line.use`). Offered on telephone calls only."""
    patience: Patience = field(default_factory=Patience)
    """With a caller who keys something privately."""
    redaction: Redaction = FULL
    """What is taken out of its texts before they are stored."""


type Fit = Callable[[Brief], Brief]
"""What one way of calling adds to an agent: tools that only a telephone has, say."""


class Reception(Protocol):
    """Knows the agents, as they are configured at this moment."""

    def brief(
        self, agent: str, *, voice: str | None, model: str | None, by_telephone: bool = False
    ) -> Brief:
        """`by_telephone`: with what the agent does on a telephone only.

        Raises `NotAllowed` for an agent, voice or model that is not offered.
        """
        ...
