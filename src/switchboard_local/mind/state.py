"""Where a conversation stands. Never stored: folded anew from the items of each request."""

from dataclasses import dataclass, field

from switchboard_local.mind.values import as_object, parse


@dataclass(slots=True)
class Task:
    """A tool being made ready to be called."""

    tool: str
    text: str
    """What the caller said that started it."""
    arguments: dict[str, object] = field(default_factory=dict[str, object])
    asking: str = ""
    """The argument the agent has asked for."""
    checking: str = ""
    """The argument that was read back for a yes or no."""
    unsure: set[str] = field(default_factory=set[str])
    tries: int = 0
    """How often the present question has been asked in vain."""


@dataclass(slots=True)
class Ran:
    """A call that was made, with its answer once there is one."""

    call_id: str
    tool: str
    arguments: str
    """JSON text, byte for byte as it was sent."""
    output: object = None
    answered: bool = False

    @property
    def given(self) -> dict[str, object]:
        return dict(as_object(parse(self.arguments)))


@dataclass(slots=True)
class Choice:
    """The agent asked which of a few tools is meant."""

    tools: tuple[str, ...]
    text: str


@dataclass(slots=True)
class State:
    """All that the mind knows of a conversation."""

    task: Task | None = None
    last: Task | None = None
    """The task that was carried out last: what a correction corrects."""
    choice: Choice | None = None
    consent: Ran | None = None
    """A call whose tool wants the caller's yes first."""
    question: str = ""
    """The question that asks for it."""
    agenda: list[str] = field(default_factory=list[str])
    """Requests of the same turn that wait for the present one."""
    ran: list[Ran] = field(default_factory=list[Ran])
    said: str = ""
    """What the agent said last."""
    rest: tuple[str, ...] = ()
    """Sentences of a long result that were kept back."""
    offered: bool = False
    """Whether the agent asked last if there was anything else."""
    failures: int = 0
    """Turns in a row that were not understood."""
    caller: str = ""
    """The caller's name."""
