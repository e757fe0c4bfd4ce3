"""What a model session is to be: composed by the exchange, put on the wire by `model`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Service(StrEnum):
    """Who holds the model's side of a call. What each can do, `model.profiles` says."""

    AZURE_OPENAI = "azure_openai"
    VOICE_LIVE = "voice_live"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class FoundryAgent:
    """An agent of a Foundry project that speaks in the model's place: it brings its own model,
    instructions and tools."""

    name: str
    project: str
    version: str | None = None
    """`None` for its newest."""
    conversation_id: str | None = None
    """A conversation of its that is to go on, as `ModelReady` named it."""


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """Everything that `session.update` says, in our words."""

    model: str
    """What the service calls it; a deployment's name, where models are deployed."""
    instructions: str
    voice: str
    turn_detection: Mapping[str, Any] | None
    """As the service's dialect has it (`server_vad`, …); `None` means push to talk."""
    tools: Sequence[ToolSpec] = ()
    speed: float = 1.0
    transcription: Mapping[str, Any] | None = None
    """`{"model": …, "language": …}`, or `None` for no transcript of the caller."""
    noise_reduction: str | None = None
    max_output_tokens: int | None = None
    fallbacks: Sequence[str] = ()
    """Other models of the same service, for when this one is out of quota or in trouble."""
    service: Service = Service.AZURE_OPENAI
    voice_object: Mapping[str, Any] | None = None
    """The voice, where a service takes more of it than a name: type, name, rate, style …"""
    agent: FoundryAgent | None = None
    """Who speaks, where it is not one of ours: `instructions` and `tools` are then not sent."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Merged into the session object last: what the dialect knows and we do not."""
