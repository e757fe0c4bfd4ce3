"""What the page and the server say to each other, on a call's socket or beside its WebRTC.

One JSON text frame a message, tagged by `type`; over WebRTC, where the audio goes past this server,
each is an event of the call's stream or the body of a POST. These types are the source of
`frontend/src/voice/protocol.gen.ts`; change them here only.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SUBPROTOCOL = "switchboard.v1"
"""The WebSocket subprotocol both sides must name."""

TICKET_PREFIX = "ticket."
"""A second subprotocol, `ticket.<ticket>`, is the right to open the socket: kept out of URLs."""

TICKET_HEADER = "Switchboard-Ticket"
"""Carries the right to a WebRTC call with each of its requests; good as long as the call."""

MAX_FRAME_BYTES = 65_536
"""A larger frame from a page ends its socket (1009)."""

MAX_OFFER_CHARS = 65_536
"""An SDP offer longer than this is refused."""

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+\Z")]
ItemId = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+\Z")]
"""It becomes the id of a conversation item, of which realtime services take 32 characters."""
Audio = Annotated[str, Meta(min_length=4, max_length=51_200)]
"""Base64 of PCM 16-bit little-endian mono 24 kHz. The page sends 20 ms (960 bytes) a frame."""
Offer = Annotated[str, Meta(min_length=1, max_length=MAX_OFFER_CHARS, pattern=r"^v=0\r?\n")]
Connection = Literal["websocket", "webrtc"]
"""How a page's voice reaches the model: through this server, or straight to the service."""


class _Message(msgspec.Struct, frozen=True, tag_field="type", rename="camel"):
    """A message of either side."""


# -- from the page ------------------------------------------------------------------------------


class AudioIn(_Message, frozen=True, tag="audio"):
    """20 ms of the microphone."""

    audio: Audio


class TextIn(_Message, frozen=True, tag="text"):
    """A typed turn."""

    id: ItemId
    text: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Played(_Message, frozen=True, tag="played"):
    """How much of an item the speaker has played, in all. Sent while playing, every 100 ms or so,
    at its end, and as the answer to `flush`."""

    item: Id
    ms: Annotated[float, Meta(ge=0, le=3_600_000)]


class Key(_Message, frozen=True, tag="key"):
    """A telephone key."""

    key: Annotated[str, Meta(pattern=r"^[0-9*#]\Z")]


class Decide(_Message, frozen=True, tag="decide"):
    """The caller's answer to a tool that asks for consent, or to being recorded: `recording`."""

    call: Id
    agreed: bool


class Human(_Message, frozen=True, tag="human"):
    """The caller asks by a button, not in words, to speak to a human. It becomes a typed turn.
    `withdraw`: they no longer want one."""

    withdraw: bool = False


class End(_Message, frozen=True, tag="end"):
    """Goodbye."""


class Ping(_Message, frozen=True, tag="ping"):
    """Answered at once by `pong`."""

    at: float


class Renew(_Message, frozen=True, tag="renew"):
    """A fresh token of the same person's: the answer to `tokenWanted`."""

    token: Annotated[str, Meta(min_length=1, max_length=16_384)]

    def __repr__(self) -> str:
        return "Renew(…)"


PageMessage = AudioIn | TextIn | Played | Key | Decide | Human | End | Ping | Renew

# -- from the server ----------------------------------------------------------------------------


class Ready(_Message, frozen=True, tag="ready"):
    """The call is connected. `resume` opens one new socket, should this one be lost; it is empty
    over WebRTC, where the call's ticket is good for every new stream."""

    call: str
    resume: str
    reattach_seconds: float
    resumed: bool


class AudioOut(_Message, frozen=True, tag="audio"):
    """Audio of a reply, faster than real time: the page queues it."""

    item: str
    audio: str


class Flush(_Message, frozen=True, tag="flush"):
    """Silence now: drop what is queued; answer with `played` for the item under the play head."""


class Floor(_Message, frozen=True, tag="floor"):
    floor: Literal["nobody", "caller", "agent", "thinking"]


class Line(_Message, frozen=True, tag="line"):
    """A transcript line, whole each time it changes; keyed by `id`, placed by `beganMs`."""

    id: str
    speaker: Literal["caller", "agent"]
    text: str
    state: Literal["partial", "final", "cut"]
    began_ms: float
    heard_chars: int | None = None
    typed: bool = False


class Tool(_Message, frozen=True, tag="tool"):
    """A tool call, whole each time it changes; keyed by `id`."""

    id: str
    name: str
    title: str
    """What the tool does, in words: "Check your balance"."""
    state: Literal["running", "asking", "done", "failed", "declined", "abandoned"]
    began_ms: float
    arguments: Any
    """The JSON the model sent, parsed; the raw text where it did not parse."""
    result: Any = None
    duration_ms: float | None = None
    question: str | None = None


class Interruption(_Message, frozen=True, tag="interruption"):
    item: str
    heard_ms: float
    at_ms: float


class Latency(_Message, frozen=True, tag="latency"):
    """End of speech to first audio, of one turn."""

    reply: str
    first_audio_ms: float
    first_heard_ms: float | None = None


class Notice(_Message, frozen=True, tag="notice"):
    """Something to tell the caller, next to where it happened."""

    code: str
    text: str


class Recording(_Message, frozen=True, tag="recording"):
    """Whether the call is recorded. While `asked`, a `decide` that names the call `recording`
    answers."""

    state: Literal["told", "asked", "running", "paused", "off"]
    notice: str
    """What the caller is told, word for word."""


class Reoffer(_Message, frozen=True, tag="reoffer"):
    """WebRTC: the service has let the call's media go. Make a new connection and post its offer to
    the call's `offers`."""


class Ended(_Message, frozen=True, tag="ended"):
    """The last message of a call."""

    reason: str
    text: str


class Refused(_Message, frozen=True, tag="refused"):
    """A message of the page was not understood or not allowed. `fatal` precedes a close."""

    code: str
    text: str
    fatal: bool


class Pong(_Message, frozen=True, tag="pong"):
    at: float


class TokenWanted(_Message, frozen=True, tag="tokenWanted"):
    """The caller's token runs out soon: answer with `renew`, or lose the line a minute after."""


class TokenTaken(_Message, frozen=True, tag="tokenTaken"):
    """The answer to a good `renew`."""

    until: float
    """Epoch seconds."""


ServerMessage = (
    Ready
    | AudioOut
    | Flush
    | Floor
    | Line
    | Tool
    | Interruption
    | Latency
    | Notice
    | Recording
    | Reoffer
    | Ended
    | Refused
    | Pong
    | TokenWanted
    | TokenTaken
)

# -- HTTP ---------------------------------------------------------------------------------------


class VoiceChoice(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    title: str


class ModelChoice(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    title: str
    connections: list[Connection] = msgspec.field(default_factory=lambda: ["websocket"])
    """How it can be talked to here."""


class AgentChoice(msgspec.Struct, frozen=True, rename="camel"):
    """An agent as the page may know it: no prompt, no tool schema."""

    id: str
    title: str
    """ "Contoso Bank" """
    tagline: str
    accent: str
    """CSS colour, one that passes contrast on light; `accentDark` on dark."""
    accent_dark: str
    suggestions: list[str]
    voice: str
    model: str
    recorded: Literal["never", "maybe", "always"] = "never"
    """Whether calls with it are, once the caller knows: over WebRTC none can be, and where all must
    be, none is taken there."""


class PhoneChoice(msgspec.Struct, frozen=True, rename="camel"):
    """The telephone, as this visitor may use it."""

    number: str
    """Rings an agent, written for people: "+44 20 7946 0018"."""
    agent: str
    """Who answers there."""
    call_me: bool
    """This visitor may have themselves rung: `POST /api/phone/calls`."""


class SignInChoice(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/sign-in`: where a page gets the token that it shows as a bearer."""

    client_id: str
    authority: str
    """Of the tenant: `https://login.microsoftonline.com/<tenant>`."""
    scope: str


class SignInOffer(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to `GET /api/sign-in`, which anybody may ask."""

    sign_in: SignInChoice | None


class You(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who has signed in."""

    name: str
    operator: bool
    sign_out: str | None = None
    """Where to go to sign out, if that is not the page's own business."""


class PageConfig(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/config`"""

    version: str
    agents: list[AgentChoice]
    default_agent: str
    models: list[ModelChoice]
    voices: list[VoiceChoice]
    connections: list[Connection] = msgspec.field(default_factory=lambda: ["websocket"])
    """What this server offers at all; each model says which of them it can."""
    phone: PhoneChoice | None = None
    """Only where there is a telephone."""
    you: You | None = None
    """Only where people sign in, and somebody has."""
    sign_in: SignInChoice | None = None
    """Only for a stranger who may sign in."""


class PlaceCall(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /api/calls`"""

    agent: Annotated[str, Meta(min_length=1, max_length=64)]
    voice: Annotated[str, Meta(max_length=64)] | None = None
    model: Annotated[str, Meta(max_length=64)] | None = None
    offer: Offer | None = None
    """An SDP offer makes it a call over WebRTC, answered by `RtcPlaced`."""


class CallPlaced(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to `POST /api/calls`. Open `socket` with the subprotocols
    `switchboard.v1` and `ticket.<ticket>` within `expiresInSeconds`."""

    call: str
    socket: str
    ticket: str
    expires_in_seconds: float


class RtcPlaced(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to `POST /api/calls` with an offer; the call has begun. Every request to the three
    addresses carries `ticket` in the header `Switchboard-Ticket`."""

    call: str
    answer: str
    """The SDP answer."""
    events: str
    """GET: `text/event-stream` of server messages."""
    messages: str
    """POST one page message: text, key, decide, human, ping, end."""
    offers: str
    """POST a `NewOffer`, for a fresh connection to the same call."""
    ticket: str


class NewOffer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /api/calls/{id}/offers`"""

    offer: Offer


class OfferAnswered(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to a new offer."""

    answer: str


class MintSession(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /api/session`, for front ends of one's own."""

    agent: Annotated[str, Meta(min_length=1, max_length=64)]
    voice: Annotated[str, Meta(max_length=64)] | None = None
    model: Annotated[str, Meta(max_length=64)] | None = None


class SessionMinted(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to `POST /api/session`. Post the offer to `url` with the secret as bearer, then an
    `AttachCall` to `attach`, with `ticket` in the header `Switchboard-Ticket`."""

    secret: str
    expires_at: float
    """Epoch seconds."""
    url: str
    attach: str
    attach_within_seconds: float
    ticket: str


class AttachCall(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /api/session/{id}/attach`, once."""

    call_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]
    """The service's own: the last part of its answer's `Location`."""


class CallAttached(msgspec.Struct, frozen=True, rename="camel"):
    """Answer to it. The addresses are those of `RtcPlaced`; `ticket` is the right to them."""

    call: str
    events: str
    messages: str
    ticket: str


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """Every error answer over HTTP (RFC 9457 in small)."""

    code: str
    text: str
