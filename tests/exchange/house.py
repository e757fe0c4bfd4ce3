"""A switchboard with scripted legs, and everything between them real."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import Mint, Negotiate
from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable, ToolFailed
from switchboard.exchange import Lines, Switchboard
from switchboard.exchange.observer import UNOBSERVED, Observer
from switchboard.exchange.tape import TapeDeck
from switchboard.records.recorder import Recorder
from switchboard.records.recordings import RecordingTable
from switchboard.records.shelf import DIRECTORY, Shelf
from switchboard.records.store import Store, sqlite_url
from switchboard.tools.toolbox import Toolbox, tool
from tests.exchange.legs import PRINCIPAL, SPEC, Caller, Model, Reception, Service, until

FRAME = "A" * 1280
"""20 ms of silence, base64."""


@tool(timeout_s=1.5)
async def sleep_long() -> str:
    """Take longer than anybody waits."""
    await anyio.sleep(60)
    return "done"


@tool()
async def add_up(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


@tool()
async def give_up() -> None:
    """Fail in words."""
    raise ToolFailed("The archive is closed today.")


@dataclass
class House:
    switchboard: Switchboard
    service: Service
    store: Store
    recorder: Recorder
    tasks: TaskGroup

    def place(self, *, outgoing: bool = False) -> str:
        return self.switchboard.place(
            principal=PRINCIPAL, agent="ana", voice=None, model=None, outgoing=outgoing
        )

    async def call(self, caller: Caller) -> tuple[str, Model]:
        """A connected call: its id and the model's side of it."""
        call_id = self.place()
        self.join(call_id, caller)
        model = await until(lambda: self.service.dialled[-1:])
        model[0].does(e.ModelReady("s1"))
        return call_id, model[0]

    def spoken_of(self, caller: Caller, floor: c.Floor) -> bool:
        """Whether the caller was shown that the floor is so."""
        return c.NoteFloor(floor) in caller.shown

    async def renewal_is_due(self, call_id: str) -> None:
        """The session of this call is about to end, and a pause is at hand."""
        call = await until(lambda: self.switchboard._calls.get(call_id))  # pyright: ignore[reportPrivateUsage] - nobody waits a minute
        assert call is not None
        await until(lambda: call._conversation.ready)  # pyright: ignore[reportPrivateUsage]
        call.apply(e.TimerFired("renew"))

    def join(self, call_id: str, caller: Caller) -> None:
        self.tasks.start_soon(self.switchboard.carry, call_id, caller)


@asynccontextmanager
async def house(
    path: Path,
    rules: Rules | None = None,
    lines: Lines | None = None,
    refuse: ModelUnavailable | None = None,
    spec: SessionSpec = SPEC,
    negotiate: Negotiate | None = None,
    mint: Mint | None = None,
    observer: Observer = UNOBSERVED,
    recordings_mb: int | None = None,
) -> AsyncGenerator[House]:
    rules = rules or Rules(tools={}, reattach_s=1, silence_s=100)
    service = Service(refuse)
    async with Store(sqlite_url(path)).opened() as store:
        recorder = Recorder(store)
        shelf = None
        if recordings_mb is not None:
            shelf = Shelf(path / DIRECTORY, store, recordings_mb)
        switchboard = Switchboard(
            dial=service.dial,
            reception=Reception(rules, Toolbox(sleep_long, add_up, give_up), spec),
            recorder=recorder,
            observer=observer,
            negotiate=negotiate,
            mint=mint,
            lines=lines,
            deck=None if shelf is None else TapeDeck(shelf, RecordingTable(store)),
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(recorder.run)
            tasks.start_soon(switchboard.run)
            await until(switchboard.ready)
            yield House(switchboard, service, store, recorder, tasks)
            tasks.cancel_scope.cancel()


def told[T: c.ModelCommand](model: Model, kind: type[T]) -> Sequence[T]:
    return [command for command in model.told if isinstance(command, kind)]
