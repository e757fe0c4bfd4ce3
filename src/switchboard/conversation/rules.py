"""The numbers and words that a call is held by: a profile's, in the conversation's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.machine import MachineRule


@dataclass(frozen=True, slots=True)
class ToolRule:
    """What the conversation must know of a tool: never its code."""

    confirm: str | None = None
    """The question to ask first, with `{argument}` places; `None` for a harmless tool."""
    accepts: Callable[[str], bool] | None = None
    """Whether it would run with these arguments (JSON text): what it would refuse anyway needs
    nobody's consent."""


CONSOLE: Final = "console"
"""Where a wish for a human rings that no telephone is rung for."""


@dataclass(frozen=True, slots=True)
class Human:
    """Somebody a caller can be handed to."""

    name: str
    """By which the model chooses: "support"."""
    to: str = field(repr=False)
    """E.164, a user of the carrier's, `8:acs:…`, or `console`: whichever operator takes the call.
    The profile's word, never the model's."""
    rings_s: float = 60.0
    """At the console: how long it rings."""
    nobody: str | None = None
    """At the console: what the caller is told when nobody comes, word for word."""

    @property
    def at_console(self) -> bool:
        return self.to == CONSOLE


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input_text: float
    input_audio: float
    cached_text: float
    cached_audio: float
    output_text: float
    output_audio: float


@dataclass(frozen=True, slots=True)
class Recording:
    """How a call is recorded, on the telephone or from the page."""

    notice: str
    """What the caller hears before it begins, word for word."""
    consent: bool = False
    """The notice is a question, and only a yes to it begins the recording."""
    required: bool = False
    """A call whose recording fails does not go on."""
    ends_without_consent: bool = False
    """Nor does one whose caller does not agree."""
    storage: str | None = None
    """Where it is kept, a container's address; `None` for the carrier's own store."""


@dataclass(frozen=True, slots=True)
class Rules:
    greeting: str | None = None
    """What the agent says first, word for word; `None` waits for the caller."""
    tools: Mapping[str, ToolRule] = field(default_factory=dict[str, ToolRule])
    end_tool: str | None = None
    """The tool by which the agent hangs up, run by the conversation itself."""
    transfer_tool: str | None = None
    """The tool that sends a telephone call to a human, and with it the agent out of it."""
    bring_in_tool: str | None = None
    """The tool that rings a human while the caller waits, and joins them once somebody answers."""
    humans: Mapping[str, Human] = field(default_factory=dict[str, Human])
    """Who can be had by these tools, by name."""
    private_tool: str | None = None
    """The tool by which a caller keys what the model may not know; on the telephone only."""
    recording: Recording | None = None
    """Never over WebRTC, whose audio does not pass here."""
    max_tools_at_once: int = 8

    service_interrupts: bool = True
    """The service cancels its own reply when it hears the caller (`interrupt_response`)."""
    service_replies: bool = True
    """The service answers a spoken turn unasked (`create_response`)."""
    turn_silence_s: float = 0.0
    """The silence that ends a turn, which the service counts into it. Unknown, and so 0, where
    meaning ends a turn: latencies then begin when the service decides that it has."""
    service_plays: bool = False
    """The service owns the playout buffer (WebRTC): no truncate from us."""
    settle_s: float = 0.25
    """After a barge-in, how long the leg, or the service that plays, has to say what was really
    heard."""

    slow_tool_s: float = 1.5
    silence_s: float = 12.0
    reprompts: int = 2
    consent_wait_s: float = 3.0
    """How long a confirmed tool call waits for the words of the turn that may have agreed."""
    consent_window_s: float = 60.0
    yes_words: frozenset[str] = frozenset()
    no_words: frozenset[str] = frozenset()

    max_call_s: float = 1800.0
    warn_before_s: float = 60.0
    budget_usd: float | None = None
    price: Price | None = None
    reattach_s: float = 10.0
    renew_s: float = 20.0
    """How long a lost model session may take to be replaced before the call is given up."""
    renew_before_s: float = 60.0
    """How long before a session's announced end a pause is looked for, to replace it."""
    replay_chars: int = 24_000
    """How much of the past a new session is told in full: about 6,000 tokens."""
    goodbye_s: float = 20.0
    """The longest a polite end may take, or the words before a caller is handed to a human."""
    taken_over: str | None = None
    """What the agent says when an operator takes the call over, word for word; `None`: nothing."""
    desk_s: float = 5.0
    """How long an operator who has the call may be away before the agent takes it back."""
    machine: MachineRule | None = None
    """Of a call that we placed: what to do when an answering machine takes it. `None`: go on."""

    @property
    def console(self) -> Human | None:
        """The first of the humans who rings in the console. Over WebRTC there is none: nobody
        could speak in the agent's place."""
        if self.service_plays:
            return None
        return next((human for human in self.humans.values() if human.at_console), None)

    @property
    def by_telephone(self) -> Mapping[str, Human]:
        """Those whom a telephone call can be handed to."""
        return {name: human for name, human in self.humans.items() if not human.at_console}

    def hands_by(self, tool: str) -> bool:
        """Whether this tool hands the caller to a human."""
        return tool in (self.transfer_tool, self.bring_in_tool)
