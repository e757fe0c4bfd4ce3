"""Agents of a Foundry project in a model's place: what may be said of them, and what not.

Voice Live takes neither instructions nor tools for them, so whoever speaks with one brings none.
"""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from switchboard.agents.profile import AgentEntry
from switchboard.agents.turns import Written

# What Voice Live's own SDK would send as it is: no name of Azure's has spaces or controls.
type Named = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]

_OWN: Final = "the Foundry agent has its own: leave `{field}` out"


class ProjectAgent(Written):
    """An agent of a Foundry project."""

    name: Named
    """What the project calls it."""
    project: Named
    """The project's name."""
    version: Named | None = None
    """One of its versions; otherwise the newest."""


def foundry_faults(agent: AgentEntry) -> Iterator[tuple[str, str]]:
    """What one of our agents says that a Foundry agent in its model's place says for itself."""
    if agent.prompt is not None:
        yield "prompt", _OWN.format(field="prompt")
    if agent.tools:
        yield "tools", _OWN.format(field="tools")
    if agent.can_hang_up and "can_hang_up" in agent.model_fields_set:
        yield (
            "can_hang_up",
            "a Foundry agent cannot be given the tool to hang up with: leave `can_hang_up` out",
        )
