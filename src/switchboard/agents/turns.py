"""How an agent listens: the realtime dialect's own settings, with its bounds."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Written(BaseModel):
    """A piece of the configuration file: closed, frozen, exactly typed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class ServerVad(Written):
    """A turn ends after a stretch of silence."""

    type: Literal["server_vad"]
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How loud speech must be, 0 to 1. Higher for noisy places."""
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2_000)] = 300
    """Milliseconds of audio kept from before speech was noticed."""
    silence_duration_ms: Annotated[int, Field(ge=100, le=5_000)] = 500
    """Milliseconds of silence that end a turn. Always sent: services differ in their default."""
    idle_timeout_ms: Annotated[int, Field(ge=5_000, le=30_000)] | None = None
    """Milliseconds without a word after which the service itself prompts the caller."""
    create_response: bool = True
    """The service answers a spoken turn by itself."""
    interrupt_response: bool = True
    """The service stops its own reply when it hears the caller."""


class SemanticVad(Written):
    """A turn ends when what was said sounds finished."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    """How soon to answer: `low` waits up to 8 s, `medium` and `auto` 4 s, `high` 2 s."""
    create_response: bool = True
    """The service answers a spoken turn by itself."""
    interrupt_response: bool = True
    """The service stops its own reply when it hears the caller."""


type TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class Transcription(Written):
    """The service writes down what callers say. Consent by voice needs it."""

    model: Annotated[str, Field(min_length=1, max_length=64)] = "gpt-realtime-whisper"
    """The transcription model."""
    prompt: Annotated[str, Field(max_length=1_000)] | None = None
    """Words to expect: names of products, places."""


def wire(part: Written) -> dict[str, Any]:
    """As the dialect has it, without what was left empty."""
    return part.model_dump(mode="json", exclude_none=True)
