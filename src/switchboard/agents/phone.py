"""What an agent does on the telephone only: the `phone` section of its entry."""

from typing import Annotated, Final

from pydantic import Field

from switchboard.agents.recording import RecordingEntry
from switchboard.agents.turns import Written

PRIVATE_KEYS: Final = "take_private_keys"
"""The tool by which a caller keys what the model may not know."""


class Phone(Written):
    """What it does on the telephone only."""

    tools: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    """Tools that it has there besides its own, by name."""
    recording: RecordingEntry | None = None
    """How its calls are recorded; left out, they are not."""

    @property
    def private_tool(self) -> str | None:
        return PRIVATE_KEYS if PRIVATE_KEYS in self.tools else None
