"""What the softphone page and the local cloud say to each other on `WS /local/softphone`.

Text frames are JSON; binary ones are 24 kHz mono PCM16 of the line that the page has at its ear:
20 ms each to the page, at most 100 ms each from it. Silence is not sent.
`scripts/softphone_types.py` makes the page's types from this file.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

PATH: Final = "/local/softphone"
MAX_LINES: Final = 4
"""Telephones on one page."""
MAX_SOUND_BYTES: Final = 4_800
MAX_TEXT: Final = 500

type LineIndex = Annotated[int, Meta(ge=0, lt=MAX_LINES)]
type Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{2,14}\Z")]
type State = Literal["unplugged", "idle", "calling", "ringing", "talking", "ended"]


class Claim(msgspec.Struct, frozen=True, tag="claim", forbid_unknown_fields=True):
    """Be rung on this number from now on."""

    line: LineIndex
    number: Number | None = None
    """Unset: any that nobody has."""
    insist: bool = False
    """Take it from another page, unless that is using it; else the next free one will do."""


class Unplug(msgspec.Struct, frozen=True, tag="unplug", forbid_unknown_fields=True):
    """Have no such telephone any more."""

    line: LineIndex


class Dial(msgspec.Struct, frozen=True, tag="dial", forbid_unknown_fields=True):
    """Ring somebody."""

    line: LineIndex
    number: Number


class Answer(msgspec.Struct, frozen=True, tag="answer", forbid_unknown_fields=True):
    """Take the call that rings."""

    line: LineIndex


class Decline(msgspec.Struct, frozen=True, tag="decline", forbid_unknown_fields=True):
    """Refuse it."""

    line: LineIndex


class HangUp(msgspec.Struct, frozen=True, tag="hang_up", forbid_unknown_fields=True):
    """End the call, or ring no longer."""

    line: LineIndex


class Press(msgspec.Struct, frozen=True, tag="press", forbid_unknown_fields=True):
    """Press keys during the call."""

    line: LineIndex
    keys: Annotated[str, Meta(pattern=r"^[0-9*#]{1,32}\Z")]


class Say(msgspec.Struct, frozen=True, tag="say", forbid_unknown_fields=True):
    """Speak a text with the local voice."""

    line: LineIndex
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]


class Select(msgspec.Struct, frozen=True, tag="select", forbid_unknown_fields=True):
    """Hold this line's telephone to the ear, and speak into it."""

    line: LineIndex


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The first word."""

    agent_number: str
    """The one to ring."""


class LineNow(msgspec.Struct, frozen=True, tag="line"):
    """One telephone as it is; said each time that changes."""

    line: int
    number: str
    state: State
    other: str = ""
    """Whom one rings, is rung by or speaks with."""
    held: bool = False
    speaking: bool = False
    """Typed text is being spoken."""
    text: str = ""
    """Why it ended, or is unplugged."""


class Words(msgspec.Struct, frozen=True, tag="words"):
    """What the local ears made of what the line heard."""

    line: int
    text: str


class KeyHeard(msgspec.Struct, frozen=True, tag="key"):
    """The other side pressed a key."""

    line: int
    key: str


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """A wish that cannot be."""

    line: int
    text: str


class Passage(msgspec.Struct, frozen=True):
    """One thing that passed between the carrier and the agent's server, or goes on."""

    id: int
    """The same one may be said again, with another note."""
    at_ms: int
    """When it began: milliseconds since 1970."""
    kind: Literal["request", "callback", "event", "media", "stop", "key"]
    way: Literal["to_carrier", "to_agent"]
    title: str
    call: str
    """The carrier's id of the call; empty where it is of none."""
    status: int | None
    """How it was answered; 0 is not at all."""
    took_ms: float | None
    note: str
    body: str
    """JSON without secrets; cut off where it is long."""


class Flowed(msgspec.Struct, frozen=True, tag="flow"):
    """What passed lately, oldest first."""

    passages: list[Passage]


PageMessage = Claim | Unplug | Dial | Answer | Decline | HangUp | Press | Say | Select
CloudMessage = Welcome | LineNow | Words | KeyHeard | Trouble | Flowed
