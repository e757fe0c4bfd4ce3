"""What the console's page and the server say to each other.

JSON over HTTP, server-sent events, and one socket for whoever listens in. These types are the
source of `frontend/console/protocol.gen.ts`; change them here only. Times named `…At` are epoch
seconds; `…Ms` count from the call's beginning, or are durations.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

LISTEN_PROTOCOL = "switchboard.listen.v1"
"""The WebSocket subprotocol of whoever listens in."""

DESK_PROTOCOL = "switchboard.desk.v1"
"""The WebSocket subprotocol of whoever takes a call over."""

LISTEN_TICKET = "ticket."
"""A second subprotocol, `ticket.<ticket>`, is the right to open it: kept out of URLs."""

MAX_WORDS = 1_000
"""Characters of a whisper or a sentence."""

MAX_SEARCH = 100
"""Characters of what is searched for."""

Words = Annotated[str, Meta(min_length=1, max_length=MAX_WORDS)]
Key = Annotated[str, Meta(min_length=1, max_length=128)]
FloorName = Literal["nobody", "caller", "agent", "thinking"]


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an answer."""


class _Message(msgspec.Struct, frozen=True, tag_field="type", rename="camel"):
    """An event of a stream, or a frame of a socket."""


class _Deed(
    msgspec.Struct, frozen=True, tag_field="type", rename="camel", forbid_unknown_fields=True
):
    """Something to do to a call: the body of `POST /api/console/calls/{id}/actions`."""


# -- from the page ------------------------------------------------------------------------------


class Whisper(_Deed, frozen=True, tag="whisper"):
    """Tell the agent something that the caller does not hear."""

    text: Words


class Say(_Deed, frozen=True, tag="say"):
    """Have the agent say this sentence."""

    text: Words


class Approve(_Deed, frozen=True, tag="approve"):
    """Agree to a tool that asks, in the caller's place."""

    tool: Key


class Refuse(_Deed, frozen=True, tag="refuse"):
    """Decline a tool that asks."""

    tool: Key


class Human(_Deed, frozen=True, tag="human"):
    """Have a telephone call handed to one of the humans whom the agent's profile names; without a
    name, to whom the agent chooses."""

    to: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class Decline(_Deed, frozen=True, tag="decline"):
    """Say that nobody comes to a caller who waits for a human."""


class End(_Deed, frozen=True, tag="end"):
    """End the call once the agent has said goodbye."""


class Cut(_Deed, frozen=True, tag="cut"):
    """End the call at once."""


Deed = Whisper | Say | Approve | Refuse | Human | Decline | End | Cut


class Mic(_Deed, frozen=True, tag="mic"):
    """The voice of the operator who has the call: base64 PCM 24 kHz mono, 20 ms or so."""

    audio: Annotated[str, Meta(max_length=16_000)]


class HandBack(_Deed, frozen=True, tag="handBack"):
    """The agent is to go on. `summary`: what was said meanwhile, for it to know."""

    summary: Annotated[str, Meta(max_length=MAX_WORDS)] | None = None

    @property
    def words(self) -> str | None:
        """The summary on one line, if there is any."""
        return " ".join((self.summary or "").replace("\0", " ").split()) or None


class DeskPing(_Deed, frozen=True, tag="ping"):
    """Still there, every 5 s."""


class Renew(_Message, frozen=True, tag="renew"):
    """A fresh token of the same operator's, on the socket of whoever listens in: the answer to
    `tokenWanted`."""

    token: Annotated[str, Meta(min_length=1, max_length=16_384)]

    def __repr__(self) -> str:
        return "Renew(…)"


DeskMessage = Mic | HandBack | DeskPing | Renew
"""What the page says on the socket by which it has taken a call over."""


# -- what there is ------------------------------------------------------------------------------


class AgentName(_Part, frozen=True):
    id: str
    title: str
    accent: str
    accent_dark: str


class Me(_Part, frozen=True):
    """`GET /api/console/me`: who looks, and what they must know to look."""

    name: str
    agents: list[AgentName]
    version: str


class AgentTool(_Part, frozen=True):
    name: str
    title: str
    description: str
    """For the model."""
    parameters: Any
    """JSON Schema."""
    confirm: str | None
    """The question that is asked before it runs."""
    on_telephone: bool
    """It has this tool there only."""


class AgentHuman(_Part, frozen=True):
    """Somebody a caller is handed to. Their number is not told."""

    name: str
    about: str


class AgentLimits(_Part, frozen=True):
    max_call_s: int
    budget_usd: float | None
    silence_ms: int
    reprompts: int
    slow_tool_ms: int
    confirm_window_s: int


class AgentPrivacy(_Part, frozen=True):
    """What is kept of its calls."""

    redacted: list[str]
    """Kinds of text that are taken out, and the names of its own patterns."""
    countries: list[str]
    retention_days: int
    recorded: Literal["never", "maybe", "always"]
    notice: str | None
    """What whoever is recorded is told."""
    recorded_on_telephone: bool


class AgentSheet(_Part, frozen=True):
    """`GET /api/console/agents/{id}`: an agent as it is configured at this moment."""

    agent: AgentName
    tagline: str
    instructions: str
    """Its prompt; empty where a Foundry agent brings its own."""
    greeting: str | None
    model: str
    voice: str
    """In words."""
    language: str
    tools: list[AgentTool]
    humans: list[AgentHuman]
    numbers: list[str]
    """Telephone numbers that it answers, E.164."""
    limits: AgentLimits
    privacy: AgentPrivacy


class CallFacts(_Part, frozen=True):
    """What does not change while a call lasts, and how it ended."""

    id: str
    agent: str
    channel: Literal["browser", "webrtc", "phone"]
    direction: Literal["in", "out"]
    caller: str
    """Who it is, as the records name them."""
    model: str
    voice: str
    began_at: float
    ended_at: float | None = None
    end_reason: str | None = None
    outcome: str = "live"
    server: str | None = None
    """Which server carries it, by a short name, where several share the database."""


class Wish(_Part, frozen=True):
    """A caller who waits for a human."""

    human: str
    """Which of the profile's, by name."""
    reason: str
    """Why, in the agent's words; empty where it did not say."""
    since: float
    """Epoch seconds."""
    said: list[str]
    """The last lines of the call, who said it before each."""


class LiveCall(_Part, frozen=True):
    """A row of the live calls."""

    call: CallFacts
    floor: FloorName
    last_line: str
    last_speaker: Literal["caller", "agent"] | None
    latency_ms: float | None
    """Of the latest answer."""
    cost_usd: float | None
    """`None` where the model has no price."""
    asking: int
    """Tools that wait for somebody's consent."""
    trouble: str | None
    """What went wrong within the last minute, in words."""
    wish: Wish | None = None
    taken_by: str | None = None
    """The operator who has the call."""
    written: bool = False
    """Its server cannot be reached: this is what is written down of it."""


class Line(_Part, frozen=True):
    """A line of the transcript, whole each time it changes; keyed by `id`."""

    id: str
    speaker: Literal["caller", "agent"]
    text: str
    state: Literal["partial", "final", "cut"]
    began_ms: float
    heard_chars: int | None
    typed: bool


class Tool(_Part, frozen=True):
    """A tool call, whole each time it changes; keyed by `id`."""

    id: str
    name: str
    title: str
    state: Literal["running", "asking", "done", "failed", "declined", "abandoned"]
    began_ms: float
    arguments: Any
    result: Any
    duration_ms: float | None
    question: str | None


class Interruption(_Part, frozen=True):
    item: str
    heard_ms: float
    received_ms: float
    at_ms: float


class Answer(_Part, frozen=True):
    """One answered turn: how long the caller waited, and when the answer began."""

    reply: str
    at_ms: float | None
    """`None` for calls of older versions."""
    first_audio_ms: float
    first_heard_ms: float | None


class FloorAt(_Part, frozen=True):
    """Who had the floor from then on. Live calls only: it is not recorded."""

    floor: FloorName
    at_ms: float


class NoticeAt(_Part, frozen=True):
    """Something that the caller or an operator should know. Live calls only."""

    code: str
    text: str
    at_ms: float


class Usage(_Part, frozen=True):
    """Tokens of all replies so far. Cached ones are among those of the input."""

    input_text: int = 0
    input_audio: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    output_text: int = 0
    output_audio: int = 0
    cost_usd: float | None = None
    unpriced: int = 0
    """Replies without a price."""


class Acted(_Part, frozen=True):
    """What an operator did."""

    id: str
    kind: Literal[
        "whisper",
        "say",
        "approve",
        "refuse",
        "human",
        "decline",
        "end",
        "cut",
        "listen",
        "replay",
        "deliver",
        "take_over",
        "hand_back",
        "desk_lost",
    ]
    by: str
    """Their name."""
    at_ms: float
    text: str | None
    tool: str | None
    outcome: Literal["asked", "taken", "refused"]


class Can(_Part, frozen=True):
    """Whether something can be done to this call; if not, why."""

    ok: bool
    why: str | None = None


class Abilities(_Part, frozen=True):
    """What can be done to a live call."""

    listen: Can
    human: Can
    take_over: Can
    humans: list[str]
    """Whom a telephone call can be handed to, by name."""


class Recording(_Part, frozen=True):
    """Whether a call is recorded, or was."""

    state: Literal["told", "asked", "running", "paused", "off", "stopped", "failed", "filed"]
    """Of a live call as its caller is told; of a past one, what became of it."""
    kept: Literal["here", "carrier"]
    at_ms: float = 0.0
    """Where in the call it begins."""
    duration_ms: float | None = None
    audio: bool = False
    """`GET /api/console/calls/{id}/recording` has its sound: WAV, the caller left, the agent
    right."""


class CallDetail(_Part, frozen=True):
    """`GET /api/console/calls/{id}`: one call, live or past."""

    call: CallFacts
    live: bool
    floor: FloorName
    lines: list[Line]
    tools: list[Tool]
    interruptions: list[Interruption]
    answers: list[Answer]
    floors: list[FloorAt]
    notices: list[NoticeAt]
    actions: list[Acted]
    usage: Usage
    can: Abilities | None = None
    """Only of a live call."""
    wish: Wish | None = None
    taken_by: str | None = None
    recording: Recording | None = None


GoalOutcome = Literal["achieved", "partly", "not_achieved", "unknown"]


class Goal(_Part, frozen=True):
    """What a call should have come to, and whether it did."""

    id: str
    outcome: GoalOutcome
    reason: str


class Field(_Part, frozen=True):
    """Something that the agent's profile wants to be taken from a call; `null`: it was not said."""

    name: str
    value: Any


class Delivery(_Part, frozen=True):
    """A message to the agent's webhook."""

    id: str
    event: Literal["after.done", "after.failed"]
    state: Literal["waiting", "sending", "delivered", "stopped", "given_up"]
    attempts: int
    host: str | None
    """Where it was sent to last."""
    status: int | None
    error: str | None
    """Why the last attempt came to nothing."""
    due_at: float
    """While it waits, when it is sent."""
    last_at: float | None


class After(_Part, frozen=True):
    """`GET /api/console/calls/{id}/after`: what a call came to, once it is over."""

    state: Literal["none", "waiting", "working", "done", "failed"]
    """`none`: the agent asks for nothing, or there is nothing in the call to be read."""
    summary: str | None = None
    outcome: GoalOutcome | None = None
    """All goals together."""
    goals: list[Goal] = []
    fields: list[Field] = []
    error: str | None = None
    """Why there is nothing, or not yet."""
    model: str | None = None
    tokens: int = 0
    """Of text, both ways. Neither these nor what they cost are in the call's own."""
    cost_usd: float | None = None
    deliveries: list[Delivery] = []


class ListenTicket(_Part, frozen=True):
    """`POST /api/console/calls/{id}/listeners`: open `socket` with it, once, and soon."""

    socket: str
    ticket: str


class DeskTicket(_Part, frozen=True):
    """`POST /api/console/calls/{id}/desk`: open `socket` with it, once, and soon."""

    socket: str
    ticket: str


class PastCall(_Part, frozen=True):
    call: CallFacts
    lines: int
    tools: int
    tools_failed: int
    interruptions: int
    latency_ms: float | None
    """The median of its answers."""
    cost_usd: float | None
    snippet: str | None
    """Where what was searched for was said first."""
    goals: GoalOutcome | None = None
    """What it came to, once that is found out."""


class History(_Part, frozen=True):
    """`GET /api/console/history`"""

    calls: list[PastCall]
    next: str | None
    """What to name as `before` for the calls before these."""


class Percentiles(_Part, frozen=True):
    count: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Sum(_Part, frozen=True):
    """Some calls together: all, one day's, one agent's."""

    key: str
    calls: int
    minutes: float
    cost_usd: float
    failed: int
    interrupted: int
    latency: Percentiles
    judged: int = 0
    """Calls whose goals were judged to be more than unknown."""
    achieved: int = 0
    """Of these, those that achieved all of them."""
    after_usd: float = 0.0
    """What it cost to find that out. Not in `costUsd`."""


class ToolSum(_Part, frozen=True):
    name: str
    title: str
    calls: int
    failed: int
    p50_ms: float | None


class Count(_Part, frozen=True):
    key: str
    count: int


class Overview(_Part, frozen=True):
    """`GET /api/console/overview`"""

    total: Sum
    days: list[Sum]
    """Each day asked for, `2026-03-04`, calls or none."""
    agents: list[Sum]
    channels: list[Count]
    outcomes: list[Count]
    tools: list[ToolSum]
    latencies: list[int]
    """Answers by how long they took, in steps of `latencyStepMs`; the last takes all above."""
    latency_step_ms: int
    unpriced: int
    whole: bool
    """False where there were more calls than are counted."""


class EvalRun(_Part, frozen=True):
    """A run of `switchboard eval --store`."""

    id: str
    began_at: float
    by: str
    """The channel: `text`, `voice`, `socket`, `phone`."""
    seed: int
    repeat: int
    took_s: float
    conversations: int
    passed: int
    has_page: bool
    """`GET /api/console/evals/{id}/page` has its HTML, with sound where there is some."""


class EvalRuns(_Part, frozen=True):
    """`GET /api/console/evals`: those that are kept, the newest first."""

    runs: list[EvalRun]


class EvalFigure(_Part, frozen=True):
    """A figure over all conversations of a run, and its 95 % interval."""

    name: str
    value: float
    low: float | None
    high: float | None
    count: int
    unit: Literal["share", "ms", "s", "usd", "count"]


class EvalVerdict(_Part, frozen=True):
    judge: str
    passed: bool
    text: str
    """What was expected, and what was seen."""


class EvalLine(_Part, frozen=True):
    speaker: str
    text: str
    at_ms: float
    cut: bool


class EvalTool(_Part, frozen=True):
    name: str
    arguments: Any
    state: str
    at_ms: float


class EvalResult(_Part, frozen=True):
    """One conversation."""

    id: str
    scenario: str
    agent: str
    repetition: int
    passed: bool
    ended: str | None
    seconds: float
    turns: int
    verdicts: list[EvalVerdict]
    lines: list[EvalLine]
    """Of those that failed; empty for the others."""
    tools: list[EvalTool]
    """Likewise."""


class EvalDetail(_Part, frozen=True):
    """`GET /api/console/evals/{id}`: one run."""

    run: EvalRun
    figures: list[EvalFigure]
    results: list[EvalResult]


# -- streams ------------------------------------------------------------------------------------


class LiveNow(_Message, frozen=True, tag="live"):
    """All live calls: the first event of the stream, and of each that is opened again."""

    calls: list[LiveCall]
    at: float
    """The server's clock, by which lengths are told."""


class Row(_Message, frozen=True, tag="row"):
    """One live call, new or changed."""

    row: LiveCall


class Gone(_Message, frozen=True, tag="gone"):
    """It has ended."""

    id: str


class DetailNow(_Message, frozen=True, tag="detail"):
    """One call as it stands: the first event of its stream."""

    detail: CallDetail
    at: float


class LineNow(_Message, frozen=True, tag="line"):
    line: Line


class ToolNow(_Message, frozen=True, tag="tool"):
    tool: Tool


class InterruptionNow(_Message, frozen=True, tag="interruption"):
    interruption: Interruption


class AnswerNow(_Message, frozen=True, tag="answer"):
    answer: Answer


class FloorNow(_Message, frozen=True, tag="floor"):
    floor: FloorAt


class NoticeNow(_Message, frozen=True, tag="notice"):
    notice: NoticeAt


class RecordingNow(_Message, frozen=True, tag="recording"):
    recording: Recording


class UsageNow(_Message, frozen=True, tag="usage"):
    usage: Usage


class ActedNow(_Message, frozen=True, tag="acted"):
    action: Acted


class WishNow(_Message, frozen=True, tag="wish"):
    wish: Wish | None


class TakenNow(_Message, frozen=True, tag="taken"):
    """Who has the call; the agent, where nobody is named."""

    by: str | None


class Ended(_Message, frozen=True, tag="ended"):
    """The last event of a call."""

    call: CallFacts


class Dropped(_Message, frozen=True, tag="dropped"):
    """The last event of a stream that was not read fast enough, or of one too many."""

    text: str


class ComeBack(_Message, frozen=True, tag="comeBack"):
    """The last event of a stream whose operator's token has run out: ask anew, with a fresh one."""


StreamMessage = (
    LiveNow
    | Row
    | Gone
    | DetailNow
    | LineNow
    | ToolNow
    | InterruptionNow
    | AnswerNow
    | FloorNow
    | NoticeNow
    | RecordingNow
    | UsageNow
    | ActedNow
    | WishNow
    | TakenNow
    | Ended
    | Dropped
    | ComeBack
)

# -- listening in -------------------------------------------------------------------------------


class Voice(_Message, frozen=True, tag="voice"):
    """Base64 PCM 24 kHz mono of one side; the agent's comes faster than it is spoken."""

    side: Literal["caller", "agent", "operator"]
    audio: str


class Hush(_Message, frozen=True, tag="hush"):
    """The agent was silenced: drop what is queued of it."""


class Muted(_Message, frozen=True, tag="muted"):
    """The caller keys something private: there is nothing to hear until that is over."""

    muted: bool


class Over(_Message, frozen=True, tag="over"):
    """The call has ended."""


class TokenWanted(_Message, frozen=True, tag="tokenWanted"):
    """The operator's token runs out soon: answer with `renew`, or lose this a minute after."""


class TokenTaken(_Message, frozen=True, tag="tokenTaken"):
    """The answer to a good `renew`."""

    until: float
    """Epoch seconds."""


class TokenRefused(_Message, frozen=True, tag="tokenRefused"):
    """The answer to any other."""

    text: str


EarMessage = Voice | Hush | Muted | Over | TokenWanted | TokenTaken | TokenRefused
