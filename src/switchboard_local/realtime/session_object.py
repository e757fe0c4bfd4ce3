"""The session object of the GA dialect: its fields, defaults, limits, and partial updates."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field, StringConstraints

from switchboard_local.realtime.checking import Strict, check
from switchboard_local.realtime.refusals import Refused

type Text = Annotated[str, StringConstraints(max_length=200_000)]
type Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
type Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Pcm(Strict):
    """16-bit little-endian mono. Which rates a client may ask for is its dialect's to say."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[8000, 16000, 24000] = 24000


class Pcmu(Strict):
    """G.711 mu-law, 8 kHz."""

    type: Literal["audio/pcmu"]


class Pcma(Strict):
    """G.711 A-law, 8 kHz."""

    type: Literal["audio/pcma"]


type Format = Annotated[Pcm | Pcmu | Pcma, Field(discriminator="type")]


class VoiceId(Strict):
    id: Word


class ServerVad(Strict):
    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0, le=5000)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0, le=10_000)] = 500
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Strict):
    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


type TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class NoiseReduction(Strict):
    """Accepted and echoed: the embedded ears need no help of this kind."""

    type: Literal["near_field", "far_field"] = "near_field"
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


class Transcription(Strict):
    """Which model writes down the caller's words. The embedded ears answer to any name."""

    model: Word | None = None
    language: Word | None = None
    languages: list[Word] | None = None
    prompt: Text | None = None
    keywords: list[Word] | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class AudioIn(Strict):
    format: Format = Pcm()
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = ServerVad()


class AudioOut(Strict):
    format: Format = Pcm()
    voice: Word | VoiceId = "marin"
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0


class Audio(Strict):
    input: AudioIn = AudioIn()
    output: AudioOut = AudioOut()


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    description: Text = ""
    parameters: dict[str, Any] = Field(default_factory=dict[str, Any])


class ToolByName(Strict):
    type: Literal["function"]
    name: Name


type ToolChoice = Literal["none", "auto", "required"] | ToolByName
type Tools = Annotated[list[FunctionTool], Field(max_length=128)]
type MaxTokens = Annotated[int, Field(ge=1, le=4096)] | Literal["inf"]
type Modalities = Annotated[list[Literal["text", "audio"]], Field(min_length=1, max_length=1)]


class Reasoning(Strict):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class TokenLimits(Strict):
    post_instructions: Annotated[int, Field(ge=0)] | None = None


class Retention(Strict):
    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, Field(ge=0, le=1)]
    token_limits: TokenLimits | None = None


class Tracing(Strict):
    workflow_name: Word | None = None
    group_id: Word | None = None
    metadata: dict[str, Any] | None = None


class Prompt(Strict):
    id: Word
    version: Word | None = None
    variables: dict[str, Any] | None = None


type Include = list[Literal["item.input_audio_transcription.logprobs"]]

DEFAULT_INSTRUCTIONS: Final = "You are a helpful voice assistant. Be brief, friendly and plain."


class Session(Strict):
    """What a conversation session goes by."""

    type: Literal["realtime"]
    model: Word
    output_modalities: Modalities = Field(default=["audio"])
    instructions: Text = DEFAULT_INSTRUCTIONS
    audio: Audio = Audio()
    tools: Tools = Field(default=[])
    tool_choice: ToolChoice = "auto"
    max_output_tokens: MaxTokens = "inf"
    truncation: Literal["auto", "disabled"] | Retention = "auto"
    tracing: Literal["auto"] | Tracing | None = None
    prompt: Prompt | None = None
    include: Include | None = None
    reasoning: Reasoning | None = None
    parallel_tool_calls: bool | None = None


_MERGED: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"audio"}),
    "audio": frozenset({"input", "output"}),
    "audio.input": frozenset({"turn_detection", "noise_reduction"}),
}
"""Objects whose keys are set one by one; any other value is replaced as a whole."""


def begun(config: Mapping[str, Any]) -> Session:
    """The session that `config` describes, defaults for the rest. Raises `Refused`."""
    if "model" not in config:
        message = "Missing required parameter: 'session.model'."
        raise Refused("missing_required_parameter", message, "session.model")
    bare = {"type": "realtime", "model": config["model"]}
    return updated(check(Session, bare, "session"), config)


def updated(session: Session, patch: Mapping[str, Any]) -> Session:
    """`session` with what `patch` changes; `session` itself stays as it is. Raises `Refused`."""
    if "type" not in patch:
        raise Refused(
            "missing_required_parameter",
            "Missing required parameter: 'session.type'.",
            "session.type",
        )
    if patch.get("model", session.model) != session.model:
        raise Refused(
            "invalid_value", "A session keeps the model it was opened with.", "session.model"
        )
    return check(Session, _merge(session.model_dump(mode="json"), patch, ""), "session")


def _merge(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        before, after = _keys(old.get(key)), _keys(value)
        merged[key] = value
        if before is None or after is None or key not in _MERGED.get(at, ()):
            continue
        if not _another_kind(before, after):
            merged[key] = _merge(before, after, f"{at}.{key}".lstrip("."))
    return merged


def _keys(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _another_kind(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether `new` is a different sort of turn detection, to which `old` means nothing."""
    kinds = {"server_vad", "semantic_vad"}
    return old.get("type") in kinds and new.get("type", old["type"]) != old["type"]
