"""Two scripted legs and a reception: the exchange's own seams, spoken by hand."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from switchboard.access.principal import LOCAL, Principal
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, LegCapabilities, ModelLeg, ReplyAudio
from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable, NotAllowed
from switchboard.exchange.brief import Brief
from switchboard.tools.context import Resources
from switchboard.tools.toolbox import Toolbox

SPEC = SessionSpec("model", "You are Ana.", "marin", {"type": "server_vad"})
WAIT_S = 20.0
PRINCIPAL: Principal = LOCAL


class Script[T]:
    """What one side says, as it is said."""

    def __init__(self) -> None:
        self._said: deque[T] = deque()
        self._more = anyio.Event()
        self._over = False

    def say(self, *events: T) -> None:
        self._said.extend(events)
        self._more.set()

    def end(self) -> None:
        self._over = True
        self._more.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            while self._said:
                yield self._said.popleft()
            if self._over:
                return
            self._more = anyio.Event()
            await self._more.wait()


class Caller:
    """A caller's leg whose caller is the test."""

    capabilities = LegCapabilities(paced=False)

    def __init__(self) -> None:
        self._script = Script[e.CallerEvent | CallerAudio]()
        self.played: list[ReplyAudio] = []
        self.stops = 0
        self.shown: list[c.Note] = []
        self.closed: str | None = None

    def does(self, *events: e.CallerEvent | CallerAudio) -> None:
        self._script.say(*events)

    def drops(self) -> None:
        """The socket is gone, without a word."""
        self._script.end()

    def __aiter__(self) -> AsyncIterator[e.CallerEvent | CallerAudio]:
        return aiter(self._script)

    def play(self, reply: ReplyAudio) -> None:
        self.played.append(reply)

    def command(self, command: c.CallerCommand) -> None:
        assert isinstance(command, c.StopPlayout)
        self.stops += 1

    def show(self, note: c.Note) -> None:
        self.shown.append(note)

    async def close(self, reason: str) -> None:
        self.closed = reason
        self._script.end()

    def notes[T: c.Note](self, kind: type[T]) -> list[T]:
        return [note for note in self.shown if isinstance(note, kind)]


class Model:
    """A model's leg whose model is the test."""

    def __init__(self) -> None:
        self._script = Script[e.ModelEvent | ReplyAudio]()
        self.heard: list[str] = []
        self.told: list[c.ModelCommand] = []

    def does(self, *events: e.ModelEvent | ReplyAudio) -> None:
        self._script.say(*events)

    def __aiter__(self) -> AsyncIterator[e.ModelEvent | ReplyAudio]:
        return aiter(self._script)

    def hear(self, audio: str) -> None:
        self.heard.append(audio)

    def command(self, command: c.ModelCommand) -> None:
        self.told.append(command)

    def hang_up(self) -> None:
        self._script.end()


@dataclass
class Service:
    """Every model leg that was dialled."""

    refuse: ModelUnavailable | None = None
    """What the next dials are answered with."""
    dialled: list[Model] = field(default_factory=list[Model])
    open: int = 0
    refused: int = 0
    specs: list[SessionSpec] = field(default_factory=list[SessionSpec])
    """What each dial was for."""

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        self.specs.append(spec)
        if self.refuse:
            self.refused += 1
            raise self.refuse
        model = Model()
        self.dialled.append(model)
        self.open += 1
        try:
            yield model
        finally:
            self.open -= 1
            model.hang_up()


@dataclass
class Reception:
    rules: Rules
    toolbox: Toolbox
    spec: SessionSpec = SPEC

    def brief(
        self, agent: str, *, voice: str | None, model: str | None, by_telephone: bool = False
    ) -> Brief:
        del voice, model, by_telephone
        if agent != "ana":
            raise NotAllowed("There is no such agent.")
        offered = frozenset(self.toolbox.names)
        return Brief(agent, self.spec, self.rules, self.toolbox, offered, Resources())


async def until[T](found: Callable[[], T]) -> T:
    """What `found` finds, once it finds something."""
    with anyio.fail_after(WAIT_S):
        while not (thing := found()):  # noqa: ASYNC110 - what it waits for has no event
            await anyio.sleep(0.005)
    return thing
