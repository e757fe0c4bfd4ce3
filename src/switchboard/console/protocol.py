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
    """Have the agent hand a telephone call to a human."""


class End(_Deed, frozen=True, tag="end"):
    """End the call once the agent has said goodbye."""


class Cut(_Deed, frozen=True, tag="cut"):
    """End the call at once."""


Deed = Whisper | Say | Approve | Refuse | Human | End | Cut

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
    kind: Literal["whisper", "say", "approve", "refuse", "human", "end", "cut", "listen"]
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


class ListenTicket(_Part, frozen=True):
    """`POST /api/console/calls/{id}/listeners`: open `socket` with it, once, and soon."""

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


class UsageNow(_Message, frozen=True, tag="usage"):
    usage: Usage


class ActedNow(_Message, frozen=True, tag="acted"):
    action: Acted


class Ended(_Message, frozen=True, tag="ended"):
    """The last event of a call."""

    call: CallFacts


class Dropped(_Message, frozen=True, tag="dropped"):
    """The last event of a stream that was not read fast enough, or of one too many."""

    text: str


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
    | UsageNow
    | ActedNow
    | Ended
    | Dropped
)

# -- listening in -------------------------------------------------------------------------------


class Voice(_Message, frozen=True, tag="voice"):
    """Base64 PCM 24 kHz mono of one side; the agent's comes faster than it is spoken."""

    side: Literal["caller", "agent"]
    audio: str


class Hush(_Message, frozen=True, tag="hush"):
    """The agent was silenced: drop what is queued of it."""


class Muted(_Message, frozen=True, tag="muted"):
    """The caller keys something private: there is nothing to hear until that is over."""

    muted: bool


class Over(_Message, frozen=True, tag="over"):
    """The call has ended."""


EarMessage = Voice | Hush | Muted | Over
