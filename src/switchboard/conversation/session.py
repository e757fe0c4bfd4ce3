"""What a model session is to be: composed by the exchange, put on the wire by `model`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """Everything that `session.update` says, in our words."""

    model: str
    """The deployment's name."""
    instructions: str
    voice: str
    turn_detection: Mapping[str, Any] | None
    """As the GA dialect has it (`server_vad` or `semantic_vad`); `None` means push to talk."""
    tools: Sequence[ToolSpec] = ()
    speed: float = 1.0
    transcription: Mapping[str, Any] | None = None
    """`{"model": …, "language": …}`, or `None` for no transcript of the caller."""
    noise_reduction: str | None = None
    max_output_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Merged into the session object last: what the dialect knows and we do not."""
