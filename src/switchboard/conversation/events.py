"""What can happen on a call. Frozen facts; `Conversation.apply` turns each into commands.

Times named `at_ms` are positions on the service's own clock of the caller's audio; `now` (seconds,
monotonic) is an argument of `apply`, never a field.
"""

from dataclasses import dataclass, field
from enum import StrEnum

# -- from the caller's leg ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """The caller's leg is attached and can be played to, for the first time or again."""


@dataclass(frozen=True, slots=True)
class CallerAway:
    """The caller's socket was lost; the call is parked until it comes back or the time is up."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller said goodbye, or stayed away too long."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallerTyped:
    """A text turn. `item_id` is ours: it names the conversation item we create for it."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CallerPressed:
    """One key of a telephone, or its likeness on the page: 0-9, `*`, `#`."""

    key: str = field(repr=False)
    """It may be one of a PIN's."""


@dataclass(frozen=True, slots=True)
class CallerKeyed:
    """A key was pressed that only the keypad may know."""


@dataclass(frozen=True, slots=True)
class CallerDecided:
    """The page's button, or an operator, agreed to or declined a proposed tool call; or, named
    `RECORDING`, to the call's being recorded."""

    call_id: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an item has really been played, in all. A page's report is only a claim."""

    item_id: str
    ms: float


class RecordingState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    """It could not be begun, or has ended before its call."""


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """What became of the recording of a call."""

    state: RecordingState


# -- from the model's leg -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The session is configured. `expires_at` is epoch seconds, where the service says it."""

    session_id: str
    expires_at: float | None = None
    resumed: bool = False
    """It is the session we had: it knows all that was said before we lost sight of it."""
    remembers: bool = False
    """It is a new session that knows by itself what was said: a Foundry agent's conversation."""
    conversation_id: str | None = None
    """Where a Foundry agent speaks: its conversation, by which a later session may go on."""


@dataclass(frozen=True, slots=True)
class ModelLost:
    """The socket of a model session that was ready closed."""

    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class DialFailed:
    """No model session could be opened, or it was not configured in time."""

    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The service hears the caller speak."""

    item_id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The service decided that the caller's turn is over; speech ended at `at_ms`."""

    item_id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """The caller's audio became the conversation item `item_id`."""

    item_id: str


@dataclass(frozen=True, slots=True)
class CallerWords:
    """Transcript of a caller's item: a piece while `final` is false, then the whole."""

    item_id: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class CallerWordsFailed:
    """The service could not transcribe this item. The turn goes on without words."""

    item_id: str


@dataclass(frozen=True, slots=True)
class CallerIdle:
    """The service's own idle timeout fired (`idle_timeout_ms`)."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """A reply began. `tag` is the one that our request carried, or `None` for the service's own."""

    reply_id: str
    tag: str | None = None
    out_of_band: bool = False


class ItemKind(StrEnum):
    MESSAGE = "message"
    FUNCTION_CALL = "function_call"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ReplyItemStarted:
    """A reply opened one of its items."""

    reply_id: str
    item_id: str
    kind: ItemKind


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """Words of a reply: a piece while `final` is false, then the whole item's text."""

    reply_id: str
    item_id: str
    text: str
    final: bool
    spoken: bool = True
    """False for a text-only reply, which nobody has to hear."""


@dataclass(frozen=True, slots=True)
class WordTimed:
    """A word of an item, and where in its audio it has been spoken to the end, milliseconds."""

    item_id: str
    text: str
    ends_ms: float


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """The model asks for a tool. `arguments` is its JSON text, unchecked."""

    reply_id: str
    item_id: str
    call_id: str
    name: str
    arguments: str


class ReplyStatus(StrEnum):
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply. Cached tokens are a subset of the input tokens."""

    input_text: int = 0
    input_audio: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    output_text: int = 0
    output_audio: int = 0


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """Generation ended. That says nothing about playback."""

    reply_id: str
    status: ReplyStatus
    reason: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """The service cut an item, on our word or its own."""

    item_id: str
    audio_end_ms: float


@dataclass(frozen=True, slots=True)
class PlayoutStarted:
    """Where the service plays to the ear (WebRTC): the first sound of a reply."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class PlayoutStopped:
    """Where the service plays: this reply was heard to its end."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class PlayoutCleared:
    """Where the service plays: what was left of this reply will not be heard."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ModelRefused:
    """An `error` event. `event_id` names the client event of ours that it answers, if any."""

    code: str
    message: str
    event_id: str | None = None
    param: str | None = None
    """Which part of it is meant: `session.voice`."""


# -- from the exchange --------------------------------------------------------------------------


class ToolOutcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    """The tool, or its argument check, said no in words."""
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    """The model named a tool that does not exist."""


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool finished. `output` is JSON text, ready for the model."""

    call_id: str
    output: str
    outcome: ToolOutcome
    duration_ms: float


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer set by `SetTimer` came due."""

    name: str


@dataclass(frozen=True, slots=True)
class EndRequested:
    """An operator, the API or a stopping server ends the call; `politely`: after a goodbye."""

    reason: str
    politely: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """The service will end the model's session at `at` (monotonic seconds)."""

    at: float


@dataclass(frozen=True, slots=True)
class ReplySounds:
    """The first audio of this item passed the gate, on its way to the ear."""

    reply_id: str
    item_id: str


class LineOutcome(StrEnum):
    """What became of what the telephone's line was asked to do."""

    DONE = "done"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    NOT_ALLOWED = "not_allowed"
    """The dialling rules or the quotas say no."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LineTold:
    """The line did, or could not do, what the tool call `call_id` asked of it."""

    call_id: str
    outcome: LineOutcome
    apart: bool = False
    """A human has answered, and can be spoken to without the caller's hearing it."""


@dataclass(frozen=True, slots=True)
class HumanWanted:
    """The page's button, an operator or the API asks that a human take this call."""


@dataclass(frozen=True, slots=True)
class WishWithdrawn:
    """The caller no longer wants the human that they asked for."""


@dataclass(frozen=True, slots=True)
class WishMissed:
    """No operator is there to hear a wish for a human, or one said no."""


@dataclass(frozen=True, slots=True)
class HumanOrdered:
    """An operator has this caller handed to one of the profile's humans."""

    name: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """An operator speaks with the caller from now on, in the agent's place."""

    by: str
    """Their name."""


@dataclass(frozen=True, slots=True)
class OperatorAway:
    """The line of the operator who has the call was lost."""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The operator gives the call back to the agent."""

    summary: str | None = None
    """What was said meanwhile, in their words."""


@dataclass(frozen=True, slots=True)
class Whispered:
    """An operator's advice to the agent, which the caller does not hear."""

    text: str


@dataclass(frozen=True, slots=True)
class Dictated:
    """An operator's sentence, which the agent is to say to the caller word for word."""

    text: str


type CallerEvent = (
    CallerJoined
    | CallerAway
    | CallerLeft
    | CallerTyped
    | CallerPressed
    | CallerKeyed
    | CallerDecided
    | Heard
    | RecordingChanged
    | HumanWanted
    | WishWithdrawn
)
type ModelEvent = (
    ModelReady
    | ModelLost
    | SpeechStarted
    | SpeechStopped
    | TurnCommitted
    | CallerWords
    | CallerWordsFailed
    | CallerIdle
    | ReplyStarted
    | ReplyItemStarted
    | ReplyWords
    | WordTimed
    | ToolRequested
    | ReplyDone
    | ItemTruncated
    | PlayoutStarted
    | PlayoutStopped
    | PlayoutCleared
    | ModelRefused
)
type ExchangeEvent = (
    ToolAnswered
    | TimerFired
    | EndRequested
    | ReplySounds
    | Whispered
    | Dictated
    | DialFailed
    | SessionEnds
    | LineTold
    | WishMissed
    | HumanOrdered
    | TakenOver
    | OperatorAway
    | HandedBack
)
type Event = CallerEvent | ModelEvent | ExchangeEvent
