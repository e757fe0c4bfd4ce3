"""The session object of Voice Live: flat, in the beta dialect's words and with its own beside.

What the embedded engine has no use for (noise reduction, echo cancellation, the colour of a voice)
is checked and echoed. What a client would miss (avatars, word timestamps) is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from switchboard_local.realtime.checking import Strict, check
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import (
    DEFAULT_INSTRUCTIONS,
    Include,
    MaxTokens,
    SemanticVad,
    Text,
    ToolChoice,
    Tools,
    Word,
)

type Share = Annotated[float, Field(ge=0, le=1)]
type Temperature = Annotated[float, Field(ge=0, le=1.2)]
type Rate = Annotated[
    str, StringConstraints(pattern=r"^(0\.[5-9]\d{0,2}|1(\.[0-4]\d{0,2}|\.50{0,2})?)$")
]
"""How fast an Azure voice speaks: "0.5" to "1.5"."""
type Modalities = Annotated[list[Literal["text", "audio"]], Field(min_length=1, max_length=2)]
type Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
type InputFormat = Literal["pcm16", "g711_ulaw", "g711_alaw"]
type OutputFormat = Literal["pcm16", "pcm16_8000hz", "pcm16_16000hz", "g711_ulaw", "g711_alaw"]
type Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


# -- voices -------------------------------------------------------------------------------------


class OpenAIVoice(Strict):
    type: Literal["openai"]
    name: Word


class _AzureVoice(Strict):
    name: Word
    temperature: Share | None = None
    custom_lexicon_url: Word | None = None
    custom_text_normalization_url: Word | None = None
    prefer_locales: list[Word] | None = None
    locale: Word | None = None
    style: Word | None = None
    pitch: Word | None = None
    rate: Rate | None = None
    volume: Word | None = None


class StandardVoice(_AzureVoice):
    type: Literal["azure-standard"]


class CustomVoice(_AzureVoice):
    type: Literal["azure-custom"]
    endpoint_id: Word


class PersonalVoice(_AzureVoice):
    type: Literal["azure-personal"]
    model: Word


class NativeVoice(Strict):
    type: Literal["azure-realtime-native"]
    name: Word


def _voice_tag(data: object) -> str | None:
    if isinstance(data, str):
        return "name"
    kind = data.get("type") if isinstance(data, dict) else getattr(data, "type", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - any JSON
    return kind if isinstance(kind, str) else None


type Voice = Annotated[
    Annotated[Word, Tag("name")]
    | Annotated[OpenAIVoice, Tag("openai")]
    | Annotated[StandardVoice, Tag("azure-standard")]
    | Annotated[CustomVoice, Tag("azure-custom")]
    | Annotated[PersonalVoice, Tag("azure-personal")]
    | Annotated[NativeVoice, Tag("azure-realtime-native")],
    Discriminator(_voice_tag),
]


# -- turns --------------------------------------------------------------------------------------


class EndOfUtterance(Strict):
    """Whether what was said so far sounds finished."""

    model: Literal[
        "semantic_detection_v1", "semantic_detection_v1_en", "semantic_detection_v1_multilingual"
    ]
    threshold: Share | None = None
    threshold_level: Literal["low", "medium", "high", "default"] | None = None
    timeout: Annotated[float, Field(ge=0, le=10)] | None = None
    timeout_ms: Annotated[int, Field(ge=0, le=10_000)] | None = None


class _Vad(Strict):
    """`auto_truncate` is echoed, but here it is the client who truncates."""

    threshold: Share = 0.5
    silence_duration_ms: Annotated[int, Field(ge=0, le=10_000)] = 500
    end_of_utterance_detection: EndOfUtterance | None = None
    auto_truncate: bool = False
    appended_text_after_truncation: Text | None = None
    create_response: bool = True
    interrupt_response: bool = True


class ServerVad(_Vad):
    type: Literal["server_vad"] = "server_vad"
    prefix_padding_ms: Annotated[int, Field(ge=0, le=5000)] = 400


class AzureSemanticVad(_Vad):
    type: Literal["azure_semantic_vad", "azure_semantic_vad_en", "azure_semantic_vad_multilingual"]
    prefix_padding_ms: Annotated[int, Field(ge=0, le=5000)] = 420
    speech_duration_ms: Annotated[int, Field(ge=0, le=5000)] = 80
    remove_filler_words: bool = False
    languages: Annotated[list[Word], Field(max_length=32)] | None = None


type TurnDetection = Annotated[
    ServerVad | SemanticVad | AzureSemanticVad, Field(discriminator="type")
]


# -- what is heard ------------------------------------------------------------------------------


class NoiseReduction(Strict):
    type: Literal["azure_deep_noise_suppression", "near_field", "far_field"]


class EchoCancellation(Strict):
    type: Literal["server_echo_cancellation"] = "server_echo_cancellation"
    reference_source: Literal["server", "client"] | None = None
    channels: Literal[1, 2] | None = None


class Transcription(Strict):
    model: Word
    language: Word | None = None
    custom_speech: dict[str, str] | None = None
    phrase_list: Annotated[list[Word], Field(max_length=500)] | None = None


class Interim(Strict):
    """What the service would say while there is no answer yet. Here it is checked and echoed: the
    embedded mind answers at once."""

    type: Literal["static_interim_response", "llm_interim_response"]
    triggers: list[Literal["latency", "tool"]] | None = None
    latency_threshold_ms: Annotated[int, Field(ge=0)] | None = None
    texts: list[Text] | None = None
    model: Word | None = None
    instructions: Text | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        thought = (self.model, self.instructions, self.max_completion_tokens)
        if self.type == "static_interim_response" and thought != (None, None, None):
            raise ValueError("static_interim_response has texts only")
        if self.type == "llm_interim_response" and self.texts is not None:
            raise ValueError("llm_interim_response has no texts")
        return self


# -- the session --------------------------------------------------------------------------------


class Session(Strict):
    """What a Voice Live session goes by."""

    model: Word
    modalities: Modalities = Field(default=["text", "audio"])
    voice: Voice = StandardVoice(type="azure-standard", name="en-US-Ava:DragonHDLatestNeural")
    instructions: Text = DEFAULT_INSTRUCTIONS
    input_audio_format: InputFormat = "pcm16"
    input_audio_sampling_rate: Literal[8000, 16000, 24000] | None = None
    output_audio_format: OutputFormat = "pcm16"
    turn_detection: TurnDetection | None = ServerVad()
    input_audio_noise_reduction: NoiseReduction | None = None
    input_audio_echo_cancellation: EchoCancellation | None = None
    input_audio_transcription: Transcription | None = None
    interim_response: Interim | None = None
    tools: Tools = Field(default=[])
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    temperature: Temperature = 0.8
    max_response_output_tokens: MaxTokens = "inf"
    reasoning_effort: Effort | None = None
    include: Include | None = None
    metadata: Metadata | None = None
    agent: dict[str, str] | None = None
    """Set where the session speaks as an agent of a project."""

    @property
    def input_rate_hz(self) -> int:
        return self.input_audio_sampling_rate or (
            24_000 if self.input_audio_format == "pcm16" else 8_000
        )

    def wire(self) -> dict[str, Any]:
        """As `session.created` and `session.updated` show it, but for what the server adds."""
        shown = self.model_dump(mode="json", exclude_none=True)
        turns = None if self.turn_detection is None else shown["turn_detection"]
        return shown | {
            "turn_detection": turns,
            "input_audio_sampling_rate": self.input_rate_hz,
        }


_UNCHANGEABLE: Final = frozenset({"model", "agent"})
_AGENTS_OWN: Final = frozenset({"instructions", "tools", "tool_choice", "temperature"})
_NOT_HERE: Final = frozenset({"animation", "avatar", "output_audio_timestamp_types"})
"""Parts of Voice Live that the local cloud does not have."""


def updated(session: Session, patch: Mapping[str, Any]) -> Session:
    """`session` with what `patch` changes, each field as a whole. Raises `Refused`."""
    for name in patch:
        _settable(session, name)
    changed = check(Session, session.model_dump(mode="json") | dict(patch), "session")
    if (changed.input_audio_format != "pcm16") and changed.input_rate_hz != 8_000:
        param = "session.input_audio_sampling_rate"
        raise Refused("invalid_value", f"{changed.input_audio_format} has 8000 Hz only.", param)
    return changed


def _settable(session: Session, name: str) -> None:
    param = f"session.{name}"[:200]
    if name in _UNCHANGEABLE:
        message = f"Cannot update '{param}': it is settled when the session is opened."
        raise Refused("invalid_value", message, param)
    if session.agent is not None and name in _AGENTS_OWN:
        raise Refused("invalid_value", f"'{param}' belongs to the agent.", param)
    if name in _NOT_HERE:
        raise Refused("invalid_value", f"The local cloud has no '{param}'.", param)
