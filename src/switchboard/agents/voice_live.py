"""What an operator may say of a model on Azure AI Voice Live, and of Azure's own voices.

Which of it goes with which model is Microsoft's to change; what is checked here is what their
documents say today.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from switchboard.agents.turns import Written, wire

type Sentence = Annotated[str, Field(min_length=1, max_length=300)]
type Word = Annotated[str, Field(min_length=1, max_length=100)]

# -- voices -------------------------------------------------------------------------------------


class AzureVoice(Written):
    """One of Azure's own voices. Only models on Voice Live speak in it."""

    type: Literal["azure-standard", "azure-custom", "azure-personal", "azure-realtime-native"] = (
        "azure-standard"
    )
    """Microsoft's, one trained for you, one cloned from a person, or one of the model
    azure-realtime's own, which has a name and nothing else."""
    name: Word
    """`en-US-Ava:DragonHDLatestNeural`."""
    endpoint_id: Word | None = None
    """Where a custom voice is deployed."""
    model: Word | None = None
    """What a personal voice speaks through: `DragonLatestNeural`."""
    rate: Annotated[float, Field(ge=0.5, le=1.5)] | None = None
    """How fast it speaks; otherwise the agent's `speed` says."""
    style: Word | None = None
    """`cheerful`, `customerservice`, …: which there are, depends on the voice."""
    pitch: Word | None = None
    """`+5%`."""
    volume: Word | None = None
    """`-10%`."""
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    """How lively an HD voice is."""
    locale: Word | None = None
    """The accent of a voice that has several: `en-GB`."""
    prefer_locales: tuple[Word, ...] | None = None
    """Accents to choose from, the best first."""
    custom_lexicon_url: Annotated[str, Field(pattern="^https://", max_length=500)] | None = None
    """A lexicon of how words are spoken."""

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if (self.endpoint_id is not None) != (self.type == "azure-custom"):
            raise ValueError("an azure-custom voice, and no other, has an `endpoint_id`")
        if (self.model is not None) != (self.type == "azure-personal"):
            raise ValueError("an azure-personal voice, and no other, has a `model`")
        if self.native and self.model_dump(exclude_none=True, exclude={"type", "name"}):
            raise ValueError("an azure-realtime-native voice has a `name` and nothing else")
        return self

    @property
    def native(self) -> bool:
        """Only the model azure-realtime has it, and that model has no others."""
        return self.type == "azure-realtime-native"

    def wire(self, speed: float) -> Mapping[str, Any]:
        """As the service has it; `speed` is the agent's."""
        if self.native:
            return {"type": self.type, "name": self.name}
        rate = min(max(speed, 0.5), 1.5) if self.rate is None else self.rate
        plain = self.model_dump(mode="json", exclude_none=True, exclude={"rate"})
        return plain if rate == 1.0 else {**plain, "rate": f"{rate:g}"}


# -- turns --------------------------------------------------------------------------------------


class EndOfUtterance(Written):
    """A pause ends the turn only if what was said sounds finished."""

    model: Literal[
        "semantic_detection_v1", "semantic_detection_v1_en", "semantic_detection_v1_multilingual"
    ] = "semantic_detection_v1"
    threshold_level: Literal["low", "medium", "high", "default"] = "default"
    """How sure it must be: `high` waits longer and interrupts less."""
    timeout_ms: Annotated[int, Field(ge=100, le=10_000)] = 1_000
    """Milliseconds of silence that end the turn however it sounded."""


class _Turns(Written):
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How sure it must be that somebody speaks, 0 to 1."""
    silence_duration_ms: Annotated[int, Field(ge=100, le=5_000)] = 500
    """Milliseconds of silence that end a turn."""
    end_of_utterance_detection: EndOfUtterance | None = None
    """Whether, beside silence, what was said counts. Not for models `gpt-realtime…`."""


class AzureServerVad(_Turns):
    """A turn ends after a stretch of silence."""

    type: Literal["server_vad"]
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2_000)] = 400
    """Milliseconds of audio kept from before speech was noticed."""


class AzureSemanticVad(_Turns):
    """A turn begins and ends by what is said, not by how loud it is."""

    type: Literal["azure_semantic_vad", "azure_semantic_vad_en", "azure_semantic_vad_multilingual"]
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2_000)] = 420
    """Milliseconds of audio kept from before speech was noticed."""
    speech_duration_ms: Annotated[int, Field(ge=0, le=2_000)] = 80
    """Milliseconds of speech that begin a turn."""
    remove_filler_words: bool = False
    """"Um", "oh", "yeah" while the agent speaks are no interruption."""
    languages: Annotated[tuple[Word, ...], Field(max_length=10)] | None = None
    """Whose filler words: `en`, `de`. For `azure_semantic_vad` and `…_multilingual`."""

    @model_validator(mode="after")
    def _english_is_english(self) -> Self:
        if self.languages is not None and self.type == "azure_semantic_vad_en":
            raise ValueError("azure_semantic_vad_en knows English only: leave `languages` out")
        return self


type AzureTurns = Annotated[AzureServerVad | AzureSemanticVad, Field(discriminator="type")]

# -- words --------------------------------------------------------------------------------------

_AZURE_EARS = ("azure-speech", "mai-transcribe")


class AzureTranscription(Written):
    """Who writes down what callers say."""

    model: Annotated[str, Field(min_length=1, max_length=64)]
    """`azure-speech` or `mai-transcribe-1`; for `gpt-realtime…`, `whisper-1` or `gpt-4o-…`."""
    language: Annotated[str, Field(pattern="^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$")] | None = None
    """`en-US`; otherwise the agent's `language`."""
    phrase_list: Annotated[tuple[Word, ...], Field(max_length=500)] | None = None
    """Names to listen for: products, places. For `azure-speech`."""
    custom_speech: Mapping[Word, Word] | None = None
    """Speech models trained for you, by language: `{"en-US": "<id>"}`. For `azure-speech`."""

    @model_validator(mode="after")
    def _phrases_need_azures_ears(self) -> Self:
        for name in ("phrase_list", "custom_speech"):
            if getattr(self, name) is not None and self.model != "azure-speech":
                raise ValueError(f"only azure-speech takes a `{name}`")
        return self

    @property
    def azures(self) -> bool:
        return self.model.startswith(_AZURE_EARS)


# -- words in between ---------------------------------------------------------------------------


class _Interim(Written):
    triggers: Annotated[tuple[Literal["latency", "tool"], ...], Field(min_length=1, max_length=2)]
    """When: `latency`, where the answer takes long to come; `tool`, while a tool runs."""
    latency_threshold_ms: Annotated[int, Field(ge=100, le=30_000)] = 2_000
    """How long is long, milliseconds."""


class StaticInterim(_Interim):
    """One of these sentences."""

    type: Literal["static_interim_response"]
    texts: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=20)]
    """The service chooses among them."""


class LlmInterim(_Interim):
    """What another model thinks of in the meantime."""

    type: Literal["llm_interim_response"]
    model: Word | None = None
    """Which; otherwise the service's choice."""
    instructions: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None
    """What it should say."""
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """The longest it may be, tokens."""


type Interim = Annotated[StaticInterim | LlmInterim, Field(discriminator="type")]

# -- all of it ----------------------------------------------------------------------------------


class VoiceLive(Written):
    """How Voice Live listens for one model."""

    turn_detection: AzureTurns = AzureSemanticVad(type="azure_semantic_vad")
    """How it knows that the caller has finished; the agent's own setting does not count here."""
    noise_reduction: Literal["azure_deep_noise_suppression", "near_field", "far_field"] | None = (
        "azure_deep_noise_suppression"
    )
    """What is done about noise; `null` for nothing."""
    echo_cancellation: bool = False
    """Take the agent's own voice out of what is heard: for speakers whose device does not."""
    transcription: AzureTranscription | None = None
    """Who writes down callers' words, if the agent has that done; otherwise the model's usual."""

    interim_response: Interim | None = None
    """What the service says while there is no answer yet."""

    def faults(self, *, native: bool) -> str | None:
        """What does not go with the model; `native` ones hear and speak by themselves."""
        if native and self.turn_detection.end_of_utterance_detection is not None:
            return "gpt-realtime models take no `end_of_utterance_detection`"
        if self.transcription is not None and self.transcription.azures == native:
            return (
                "gpt-realtime models are transcribed by whisper-1 or gpt-4o-…"
                if native
                else "only gpt-realtime models are transcribed by anything but azure-speech or"
                " mai-transcribe"
            )
        return None

    @property
    def silence_s(self) -> float:
        """How long a silence ends a turn; 0 where what was said counts too."""
        turns = self.turn_detection
        return 0.0 if turns.end_of_utterance_detection else turns.silence_duration_ms / 1_000

    def turns(self, *, create_response: bool, interrupt_response: bool) -> dict[str, Any]:
        """As the service has it. Who answers and who interrupts is the agent's to say."""
        ours = {"create_response": create_response, "interrupt_response": interrupt_response}
        return wire(self.turn_detection) | ours

    def words(self, language: str, *, native: bool) -> dict[str, Any]:
        """Who writes down callers' words, as the service has it."""
        usual = AzureTranscription(model="whisper-1" if native else "azure-speech")
        return {"language": language} | wire(self.transcription or usual)

    def extra(self) -> Mapping[str, Any]:
        """What no other service knows."""
        extra: dict[str, Any] = {}
        if self.echo_cancellation:
            extra["input_audio_echo_cancellation"] = {"type": "server_echo_cancellation"}
        if self.interim_response is not None:
            extra["interim_response"] = wire(self.interim_response)
        return extra
