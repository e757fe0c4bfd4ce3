"""The bus: what is asked of a call reaches the server that carries it.

In this process where that is this one. Else as a row that is committed, announced, taken once,
acted on before its deadline or never, and answered. A lost announcement costs a moment: both sides
look again by themselves.
"""

import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.exc import SQLAlchemyError

from switchboard.errors import RecordsUnavailable, ReplicaSilent
from switchboard.records.announcements import Announcements
from switchboard.records.commands import Command, CommandTable, Outcome, channel_of
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 5.0
"""How long an answer is waited for."""
LOOK_S: Final = 2.0
"""Between two looks at what was not announced."""
MOST_CHARS: Final = 131_072
"""Of what is asked, and of an answer."""
MOST_TOLD: Final = 1_000
"""Announcements that wait; of more, the oldest are forgotten, and their rows found by a look."""
MOST_AT_ONCE: Final = 64
"""Taken and not yet answered."""
NEVER: Final = "The server that carries this call does not answer, so nothing was done."
MAYBE: Final = (
    "The server that carries this call has taken this, and did not say what came of it. Look "
    "before you try again."
)

type Act = Callable[[str, str], Awaitable[str]]
"""Does what is asked of the call with this id, by a body; returns the answer. Both are JSON."""


class Bus:
    """This server's place on the bus. `run` must run beside it."""

    def __init__(
        self, store: Store, *, patience_s: float = PATIENCE_S, look_s: float = LOOK_S
    ) -> None:
        self._store = store
        self._table = CommandTable(store)
        self._patience_s = patience_s
        self._look_s = look_s
        self._acts: dict[str, Act] = {}
        self._asked: dict[str, anyio.Event] = {}
        """What we wait for: set when there is news of it."""
        self._told = deque[str](maxlen=MOST_TOLD)
        """Ids that were announced."""
        self._look_at = 0.0
        """When to look at the rows, whatever is announced."""
        self._wake = anyio.Event()
        self._taking: set[str] = set()
        self._tasks: TaskGroup | None = None
        self.announcements = Announcements(
            store, channel_of(store.replica), heard=self._heard, again=self._look_now
        )

    def obey(self, kind: str, act: Act) -> None:
        """From now on, `act` is what is done for this kind. It may outlast the deadline."""
        self._acts[kind] = act

    async def ask(self, call_id: str, target: str, kind: str, body: str) -> str:
        """Have the server `target` do something to a call; its answer.

        Raises `ReplicaSilent`, and `ValueError` for a body that is too long.
        """
        if len(body) > MOST_CHARS:
            raise ValueError("a command is too long")
        command = Command(secrets.token_urlsafe(12), call_id, self._store.replica, kind, body)
        if target == self._store.replica:
            answer = await self._act(command)
        else:
            answer = await self._ask(command, target)
        if answer is None:
            raise ReplicaSilent(MAYBE, maybe_done=True)
        return answer

    async def run(self) -> None:
        """Hear what others ask, and do it, until cancelled."""
        if not self._store.is_shared:
            return
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self.announcements.run)
            while True:
                if self._look_at <= anyio.current_time():
                    self._look_at = anyio.current_time() + self._look_s
                    await self._look_again()
                while self._told:
                    self._take_soon(self._told.popleft())
                with anyio.move_on_after(self._look_at - anyio.current_time()):
                    await self._wake.wait()
                self._wake = anyio.Event()

    # -- asking -----------------------------------------------------------------------------

    async def _ask(self, command: Command, target: str) -> str | None:
        outcome = Outcome(taken=True, answered=False, answer=None)
        self._asked[command.id] = anyio.Event()
        try:
            await self._table.put(command, target, self._patience_s)
            with anyio.move_on_after(self._patience_s):
                await self._answered(command.id)
        except (RecordsUnavailable, SQLAlchemyError, OSError) as reason:
            logger.warning("not asked", extra={"error": type(reason).__name__})
        finally:
            del self._asked[command.id]
            with anyio.CancelScope(shield=True):
                outcome = await self._settle(command.id, outcome)
        if not outcome.answered:
            raise ReplicaSilent(MAYBE if outcome.taken else NEVER, maybe_done=outcome.taken)
        return outcome.answer

    async def _answered(self, command_id: str) -> None:
        while not await self._table.is_answered(command_id):
            with anyio.move_on_after(self._look_s / 2):
                await self._asked[command_id].wait()
            self._asked[command_id] = anyio.Event()

    async def _settle(self, command_id: str, unknown: Outcome) -> Outcome:
        try:
            return await self._table.settle(command_id)
        except (RecordsUnavailable, SQLAlchemyError, OSError):
            return unknown

    # -- obeying ----------------------------------------------------------------------------

    def _heard(self, command_id: str) -> None:
        # Called by the driver, outside any task: nothing can be started here.
        if (asked := self._asked.get(command_id)) is not None:
            asked.set()
        else:
            self._told.append(command_id)
            self._wake.set()

    def _look_now(self) -> None:
        self._look_at = 0.0
        self._wake.set()

    def _take_soon(self, command_id: str) -> None:
        # What is beyond the bound waits in its row, and is found by the next look.
        if self._tasks is None or command_id in self._taking or len(self._taking) >= MOST_AT_ONCE:
            return
        self._taking.add(command_id)
        self._tasks.start_soon(self._take, command_id)

    async def _look_again(self) -> None:
        try:
            for command_id in await self._table.waiting():
                self._take_soon(command_id)
            await self._table.sweep()
        except Exception as reason:  # noqa: BLE001  (a database that is away, in any way)
            logger.info("the bus was not read", extra={"error": type(reason).__name__})

    async def _take(self, command_id: str) -> None:
        try:
            command = await self._table.take(command_id)
            if command is not None:
                await self._table.answer(command, await self._act(command))
        except Exception as reason:  # noqa: BLE001  (likewise; whoever asked waits no longer)
            logger.warning("a command was not answered", extra={"error": type(reason).__name__})
        finally:
            self._taking.discard(command_id)

    async def _act(self, command: Command) -> str | None:
        """The answer; `None` where we failed."""
        extra = {"call": command.call_id, "what": command.kind}
        act = self._acts.get(command.kind)
        if act is None:  # of a newer server
            logger.warning("a command is not known", extra=extra)
            return None
        try:
            answer = await act(command.call_id, command.body)
        except Exception:
            # A fault of ours with one command must not end the others.
            logger.exception("a command failed", extra=extra)
            return None
        return answer if len(answer) <= MOST_CHARS else None
