"""What the conversation may ask for. Frozen; the exchange carries them out, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, get_args

from switchboard.conversation.events import Usage
from switchboard.conversation.rules import Human

# -- to the model's leg -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Aside:
    """A reply beside the conversation: in text, out of `text` alone, and kept nowhere."""

    text: str = field(repr=False)
    """What a user's message says."""
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class RequestReply:
    """`response.create`. `tag` travels as metadata and as the event id, and comes back in both."""

    tag: str
    instructions: str | None = None
    allow_tools: bool = True
    aside: Aside | None = None


@dataclass(frozen=True, slots=True)
class CancelReply:
    """`response.cancel`."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """`output_audio_buffer.clear`: silence now, where the service plays to the ear (WebRTC)."""


@dataclass(frozen=True, slots=True)
class TruncateItem:
    """`conversation.item.truncate`: the caller heard only this much."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """`conversation.item.delete`: the caller heard nothing of it."""

    item_id: str


@dataclass(frozen=True, slots=True)
class AddCallerText:
    """A typed turn as a user message with our own item id."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AddNote:
    """A system message: an operator's whisper, a late tool result."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AddToolOutput:
    """`function_call_output`. Sent once for every call id on one line; a line that was lost before
    it was surely read is followed by one on which it is sent again."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class AddAgentText:
    """Something the agent has said, told to a new session: its audio cannot be given back."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AddToolCall:
    """A tool call of the past, told to a new session. Its output follows at once."""

    item_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class AddCallerAudio:
    """A spoken turn of which no words are known, as base64 PCM 24 kHz mono."""

    item_id: str
    audio: str


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """The caller's audio again, base64 PCM 24 kHz mono, as if it were being spoken now."""

    audio: str


@dataclass(frozen=True, slots=True)
class SetTurns:
    """`session.update` of the turn detection alone, as the service's dialect has it. The
    exchange's own: it makes `HoldReplies` into this."""

    turn_detection: Mapping[str, Any]


type ModelCommand = (
    RequestReply
    | CancelReply
    | ClearPlayout
    | TruncateItem
    | DeleteItem
    | AddCallerText
    | AddNote
    | AddToolOutput
    | AddAgentText
    | AddToolCall
    | AddCallerAudio
    | AppendAudio
    | SetTurns
)
MODEL_COMMANDS: Final = get_args(ModelCommand.__value__)

# -- to the caller's leg ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StopPlayout:
    """Silence now: drop everything queued for the ear."""


@dataclass(frozen=True, slots=True)
class AskOffer:
    """WebRTC: the media are gone, so the page is to offer fresh ones. The exchange's own."""


@dataclass(frozen=True, slots=True)
class Record:
    """The call is to be recorded, or not for now. `RecordingChanged` says what became of it."""

    on: bool
    storage: str | None = None
    """Where it is kept: a container's address."""


type CallerCommand = StopPlayout | AskOffer | Record

# -- to the exchange ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool of the toolbox as a task of the call."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ask for `TimerFired(name)` at `at` (monotonic seconds). A second one replaces the first."""

    name: str
    at: float


@dataclass(frozen=True, slots=True)
class ClearTimer:
    name: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """The call is over; nothing of it survives."""

    reason: str


@dataclass(frozen=True, slots=True)
class DialModel:
    """Open a new model session. `ModelReady` puts it in the place of the one there is;
    `DialFailed` says that it could not be had."""


@dataclass(frozen=True, slots=True)
class ReplayTurn:
    """Tell the model a spoken turn of which no words are known, from the audio that is kept.

    Positions are milliseconds of all the caller's audio since the call began.
    """

    item_id: str
    from_ms: float
    to_ms: float


@dataclass(frozen=True, slots=True)
class ResendAudio:
    """Let the model hear the caller's audio from this position on; what comes later follows it.

    Milliseconds of all the caller's audio since the call began.
    """

    from_ms: float


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Have the carrier send the caller to a human. `LineTold` says what became of it."""

    call_id: str
    """The tool call that asked for it."""
    human: Human


@dataclass(frozen=True, slots=True)
class RingHuman:
    """Ring a human while the caller waits and hears that it goes on. `LineTold` follows."""

    call_id: str
    human: Human


@dataclass(frozen=True, slots=True)
class HandOver:
    """Let the caller and the human who has answered talk, and leave them. `LineTold` follows."""

    call_id: str


type LineCommand = TransferCall | RingHuman | HandOver


class HideKeys:
    """From now on the caller's keys go to the keypad, past the conversation and all that is noted:
    `CallerKeyed` says only that one was pressed."""


@dataclass(frozen=True, slots=True)
class OpenKeypad:
    """The request was heard: collect. Until it is closed, the caller's voice goes nowhere."""


@dataclass(frozen=True, slots=True)
class CloseKeypad:
    """The model hears the caller again; what is still being collected comes to nothing."""


@dataclass(frozen=True, slots=True)
class HoldReplies:
    """From now on the service is to answer no turn by itself, or again as the profile says."""

    hold: bool


@dataclass(frozen=True, slots=True)
class RingConsole:
    """A wish for a human begins to ring. `WishMissed` says at once that there is nobody to hear
    it."""


type OwnCommand = (
    RunTool
    | SetTimer
    | ClearTimer
    | EndCall
    | DialModel
    | ReplayTurn
    | ResendAudio
    | HideKeys
    | OpenKeypad
    | CloseKeypad
)
type ExchangeCommand = OwnCommand | HoldReplies | RingConsole

# -- notes: shown to the caller, kept in the record ---------------------------------------------


class Speaker(StrEnum):
    CALLER = "caller"
    AGENT = "agent"


class LineState(StrEnum):
    PARTIAL = "partial"
    FINAL = "final"
    CUT = "cut"
    """The caller spoke over it: only part of it was heard, or nothing."""


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A line of the transcript, whole each time it changes; keyed by `item_id`."""

    item_id: str
    speaker: Speaker
    text: str
    state: LineState
    began_ms: float
    """When its speech began, milliseconds since the call began: lines are placed by it."""
    heard_chars: int | None = None
    """For a cut line: about how many characters of `text` were heard."""
    typed: bool = False
    growing: bool = False
    """A cut line of which more words may come. One that is `PARTIAL` always grows."""


class ToolState(StrEnum):
    RUNNING = "running"
    ASKING = "asking"
    """Waiting for the caller's consent."""
    DONE = "done"
    FAILED = "failed"
    DECLINED = "declined"
    ABANDONED = "abandoned"
    """The call ended, or consent never came, before there was an answer."""


@dataclass(frozen=True, slots=True)
class NoteTool:
    """A tool call, whole each time it changes; keyed by `call_id`."""

    call_id: str
    name: str
    arguments: str
    state: ToolState
    began_ms: float
    result: str | None = None
    duration_ms: float | None = None
    question: str | None = None
    """What the caller is asked, while `ASKING`."""


@dataclass(frozen=True, slots=True)
class NoteInterruption:
    item_id: str
    heard_ms: float
    received_ms: float
    at_ms: float


@dataclass(frozen=True, slots=True)
class NoteLatency:
    """One answered turn, in milliseconds from the end of the caller's speech."""

    reply_id: str
    first_audio_ms: float
    """Until the first audio of the reply was sent to the caller's leg."""
    first_heard_ms: float | None = None
    """Until the caller's leg first reported hearing it."""


@dataclass(frozen=True, slots=True)
class NoteUsage:
    reply_id: str
    usage: Usage
    cost_usd: float | None
    """`None` where the model's price is unknown."""


class Floor(StrEnum):
    """Who may speak now."""

    NOBODY = "nobody"
    CALLER = "caller"
    AGENT = "agent"
    THINKING = "thinking"
    """The caller has finished and the agent has not begun."""


@dataclass(frozen=True, slots=True)
class NoteFloor:
    floor: Floor


@dataclass(frozen=True, slots=True)
class NoteNotice:
    """Something the caller or an operator should know. `code` is stable, `text` is for people."""

    code: str
    text: str
    aside: bool = False
    """For operators only."""


class WishState(StrEnum):
    RINGING = "ringing"
    TAKEN = "taken"
    """An operator has taken the call over."""
    MISSED = "missed"
    """Nobody was there, or came in time."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class NoteWish:
    """A caller's wish for a human, each time it changes. For operators only."""

    state: WishState
    human: str
    """Which of the profile's is wanted, by name."""
    reason: str
    """Why, in the agent's words; empty where it did not say."""


class Recorded(StrEnum):
    """How a call that is to be recorded stands."""

    TOLD = "told"
    """The caller is being told."""
    ASKED = "asked"
    """The caller is asked, and has not answered."""
    RUNNING = "running"
    PAUSED = "paused"
    OFF = "off"
    """It is not recorded, and will not be."""


@dataclass(frozen=True, slots=True)
class NoteRecording:
    """Whether the call is recorded, whole each time it changes."""

    state: Recorded
    notice: str
    """What the caller is told, word for word."""


type Note = (
    NoteLine
    | NoteTool
    | NoteInterruption
    | NoteLatency
    | NoteUsage
    | NoteFloor
    | NoteNotice
    | NoteRecording
    | NoteWish
)
type Command = ModelCommand | CallerCommand | ExchangeCommand | LineCommand | Note
