"""What an agent is."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from switchboard.agents.after import AfterEntry
from switchboard.agents.colours import DARK, LIGHT, readable
from switchboard.agents.phone import OnThePhone
from switchboard.agents.privacy import RedactionEntry
from switchboard.agents.recording import RecordingEntry
from switchboard.agents.turns import ServerVad, Transcription, TurnDetection, Written, wire
from switchboard.conversation.rules import Price, Rules, ToolRule
from switchboard.conversation.session import SessionSpec, ToolSpec

END_CALL: Final = ToolSpec(
    "end_call",
    "Hang up and end this call. Use it once the caller has said goodbye or needs nothing more, "
    "and say goodbye in the same reply.",
    {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
)
"""How an agent leaves: run by the conversation itself, never by the toolbox."""

type Id = Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9._-]*$")]
type Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
type Words = Annotated[str, Field(min_length=1, max_length=40)]


class Limits(Written):
    """How long, how often, how dear."""

    slow_tool_ms: Annotated[int, Field(ge=200, le=30_000)] = 1_500
    """Milliseconds after which the agent says that a tool is taking its time."""
    silence_ms: Annotated[int, Field(ge=3_000, le=120_000)] = 12_000
    """Milliseconds of silence after which the agent asks whether the caller is there."""
    reprompts: Annotated[int, Field(ge=0, le=10)] = 2
    """How often it asks before it says goodbye."""
    max_call_s: Annotated[int, Field(ge=30, le=14_400)] = 1_800
    """Seconds a call may last."""
    warn_before_s: Annotated[int, Field(ge=0, le=600)] = 60
    """Seconds before its end at which the caller is told."""
    budget_usd: Annotated[float, Field(gt=0, le=1_000)] | None = None
    """What one call may cost, US dollars. On a model without a price, time takes its place."""
    unpriced_call_s: Annotated[int, Field(ge=30, le=14_400)] = 600
    """Seconds a call may last where there is a budget, and the model's price is not known."""
    confirm_window_s: Annotated[int, Field(ge=5, le=600)] = 60
    """Seconds for which a caller's consent to a tool holds."""

    def longest_s(self, price: Price | None) -> int:
        """Seconds a call may last. What cannot be counted in money is held by time."""
        if self.budget_usd is None or price is not None:
            return self.max_call_s
        return min(self.max_call_s, self.unpriced_call_s)


class AgentEntry(Written):
    """An agent as `session_config.json` describes it."""

    id: Id
    """Its name in addresses and records."""
    title: Annotated[str, Field(min_length=1, max_length=60)]
    """Its name on the page."""
    tagline: Annotated[str, Field(max_length=120)] = ""
    """One line under the title."""
    accent: Colour = "#1d4ed8"
    """Colour on a light page, `#rrggbb`; readable on white."""
    accent_dark: Colour = "#93c5fd"
    """Colour on a dark page, `#rrggbb`; readable on near-black."""
    model: Annotated[str, Field(min_length=1, max_length=64)]
    """The model it speaks with, one of `models`."""
    voice: Annotated[str, Field(min_length=1, max_length=64)]
    """The voice it speaks in, one of `voices`."""
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0
    """How fast it speaks."""
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] = "en"
    """The language callers speak, ISO 639."""
    prompt: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The file of its instructions, relative to this one: `prompts/bank.md`. Left out only where
    its model is a Foundry agent, which has instructions of its own."""
    greeting: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """What it says first, word for word. Without one it waits for the caller."""
    turn_detection: TurnDetection = ServerVad(type="server_vad")
    """How it knows that the caller has finished."""
    noise_reduction: Literal["near_field", "far_field"] | None = "near_field"
    """`near_field` for a headset or telephone, `far_field` for a room."""
    transcription: Transcription | None = Transcription()
    """How callers' words are written down; `null` for not at all."""
    tools: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    """The tools it may use, by name."""
    can_hang_up: bool = True
    """It may end the call once the caller has said goodbye."""
    suggestions: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...], Field(max_length=8)
    ] = ()
    """What the page proposes to say."""
    consent_words: tuple[Words, ...] = ()
    """Words that mean yes, beside the English ones."""
    refusal_words: tuple[Words, ...] = ()
    """Words that mean no, beside the English ones."""
    max_output_tokens: Annotated[int, Field(ge=1, le=32_000)] | None = None
    """The longest reply, tokens."""
    limits: Limits = Limits()
    """How long, how often, how dear."""
    taken_over: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """What it says when an operator takes a call over, word for word. Without it, only the page
    says so."""
    phone: OnThePhone = OnThePhone()
    """How it answers the telephone, and how it rings people."""
    recording: RecordingEntry | None = None
    """Its calls from the page are recorded, never over WebRTC. Telephone calls: `phone`."""
    redaction: RedactionEntry = RedactionEntry()
    """What is taken out of its calls' texts before they are stored."""
    retention_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """How long its calls are kept once they are over; 0 for not at all. Without it, as long as
    `RETENTION_DAYS` says."""
    after: AfterEntry | None = None
    """What is made of its calls once they are over. Without it, nothing is."""

    @field_validator("accent")
    @classmethod
    def _read_on_light(cls, colour: str) -> str:
        return readable(colour, LIGHT)

    @field_validator("accent_dark")
    @classmethod
    def _read_on_dark(cls, colour: str) -> str:
        return readable(colour, DARK)


class AgentProfile(AgentEntry):
    """An agent, ready to take a call."""

    instructions: Annotated[str, Field(repr=False, exclude=True)]
    """Its prompt. For the model only: neither page nor log ever sees it."""

    def session(
        self, tools: Sequence[ToolSpec], *, model: str | None = None, voice: str | None = None
    ) -> SessionSpec:
        """What its model session is to be; the caller may have chosen another model or voice."""
        heard = wire(self.transcription) if self.transcription else None
        return SessionSpec(
            model=model or self.model,
            instructions=self.instructions,
            voice=voice or self.voice,
            turn_detection=wire(self.turn_detection),
            tools=(*tools, END_CALL) if self.can_hang_up else tuple(tools),
            speed=self.speed,
            transcription={**heard, "language": self.language} if heard else None,
            noise_reduction=self.noise_reduction,
            max_output_tokens=self.max_output_tokens,
        )

    def rules(
        self,
        tools: Mapping[str, ToolRule],
        price: Price | None = None,
        *,
        turn_silence_s: float | None = None,
    ) -> Rules:
        """The rules its calls are held by. `price` is that of the model in use.

        `turn_silence_s` is how long a silence ends a turn, where the model says it, not the agent.
        """
        limits = self.limits
        if turn_silence_s is None:
            turn_silence_s = _silence_s(self.turn_detection)
        return Rules(
            greeting=self.greeting,
            taken_over=self.taken_over,
            tools=tools,
            end_tool=END_CALL.name if self.can_hang_up else None,
            service_interrupts=self.turn_detection.interrupt_response,
            service_replies=self.turn_detection.create_response,
            turn_silence_s=turn_silence_s,
            slow_tool_s=limits.slow_tool_ms / 1_000,
            silence_s=limits.silence_ms / 1_000,
            reprompts=limits.reprompts,
            consent_window_s=limits.confirm_window_s,
            yes_words=frozenset(word.casefold() for word in self.consent_words),
            no_words=frozenset(word.casefold() for word in self.refusal_words),
            max_call_s=limits.longest_s(price),
            warn_before_s=limits.warn_before_s,
            budget_usd=limits.budget_usd,
            price=price,
        )


def _silence_s(detection: TurnDetection) -> float:
    return detection.silence_duration_ms / 1_000 if isinstance(detection, ServerVad) else 0.0
