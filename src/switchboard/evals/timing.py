"""Silences of a conversation, from who had the floor when."""

from typing import Final

from switchboard.conversation.commands import Floor
from switchboard.evals.evidence import Evidence

DEAD_AIR_S: Final = 2.0
"""Longer than this nobody should wait without a sound."""


def dead_air_s(evidence: Evidence) -> list[float]:
    """How long each wait for the agent was, seconds, after a turn of the caller's."""
    waits: list[float] = []
    since: float | None = None
    for at_ms, floor in evidence.floors:
        if floor is Floor.THINKING:
            since = at_ms if since is None else since
        elif since is not None:
            waits.append((at_ms - since) / 1_000)
            since = None
    return waits
