"""The server's side of its clerk: has one come once it is wanted, and gives it errands."""

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio
import anyio.lowlevel
import msgspec
from anyio import to_thread

from switchboard.conversation.commands import NoteLine
from switchboard.records.clerk.wire import Done, Errand, Hello, Slip, framed, read_frame
from switchboard.records.redaction.kinds import Redaction
from switchboard.records.rows import Key
from switchboard.records.store import Store
from switchboard.records.writer import ORDER

logger = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "switchboard.records.clerk")
START_S: Final = 30.0
"""It imports a database's driver; on a busy machine that takes its time."""
ERRAND_S: Final = 13.0
"""The clerk's database has less patience than that; but a core without a moment to spare has none
for a clerk, and then the server does it."""
SHOWN_S: Final = 1.0
AGAIN_S: Final = 30.0
"""Nor is one had to come more often than this."""
END_S: Final = 2.0
ROWS: Final = 100
"""So many are one errand: to make more ready at once, here or there, would be a stop for calls."""
_GONE: Final = (OSError, EOFError, ValueError, msgspec.MsgspecError)
"""How it shows that a process is not there any more, or none of ours; a timeout is an `OSError`."""
_done: Final = msgspec.msgpack.Decoder(Done)

type RulesOf = Callable[[str], Redaction]


class ClerkGone(Exception):
    """There is none, or none for this, or it has gone in the middle of an errand: that may be
    written or not."""


@dataclass(frozen=True, slots=True)
class _Seated:
    process: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Desk:
    """Where a clerk sits, or none. `running` must be entered before anything else is asked."""

    def __init__(self, store: Store, command: Sequence[str] = COMMAND) -> None:
        """`store`: opened, and no database in memory, which another process does not see."""
        self._store = store
        self._command = command
        self._seated: _Seated | None = None
        self._wanted = anyio.Event()
        self._came_at = -AGAIN_S

    @property
    def is_taken(self) -> bool:
        """Whether a clerk is there."""
        return self._seated is not None

    def want(self) -> None:
        """There is enough to do for a clerk: have one come, if none is there or on its way."""
        if self._seated is None:
            self._wanted.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Clerks come as they are wanted; the last one is sent away when the block ends."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._seat)
                yield
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._send_away()

    async def _seat(self) -> None:
        while True:
            await self._wanted.wait()
            await anyio.sleep(max(self._came_at + AGAIN_S - time.monotonic(), 0))
            self._came_at = time.monotonic()
            try:
                self._seated = await self._come()
                logger.info("records are written by a process of their own")
            except Exception as reason:  # noqa: BLE001  (whatever it is, the server can do without)
                error = type(reason).__name__
                logger.warning("no process for the records", extra={"error": error})
            self._wanted = anyio.Event()

    async def _come(self) -> _Seated:
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as unless_seated:
            unless_seated.callback(ours.close)
            process = await to_thread.run_sync(_begun, self._command, theirs)
            unless_seated.callback(process.kill)
            reader, writer = await asyncio.open_connection(sock=ours)
            unless_seated.pop_all()
        seated = _Seated(process, reader, writer)
        try:
            hello = Hello(self._store.url, self._store.replica)
            with anyio.fail_after(START_S):
                await _answer(seated, framed(hello))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await _end(seated)
            raise
        return seated

    async def write(
        self, rows: Mapping[Key, dict[str, Any] | NoteLine], rules_of: RulesOf, *, away: bool
    ) -> Done:
        """Have rows written, as they may be stored by their call's rules. `Done.left` counts them
        in their order here.

        Raises `ClerkGone`; then nothing of it is still under way.
        """
        # A call's own row before those that belong to it, also of two errands.
        numbered = sorted(enumerate(rows.items()), key=lambda each: ORDER.index(each[1][0][0]))
        done = Done(away=away)
        for first in range(0, len(numbered), ROWS):
            await anyio.lowlevel.checkpoint()  # whoever is cancelled goes between two
            some = numbered[first : first + ROWS]
            items = [item for _, item in some]
            answer = await self._ask(await self._errand(items, rules_of, away=away))
            left = [some[number][0] for number in answer.left]
            refused = done.refused + answer.refused
            if left or answer.away:
                # Without a row that is left, those that belong to it would be refused for good.
                left += [number for number, _ in numbered[first + ROWS :]]
                return Done(left, answer.away, refused)
            done = Done([], answer.away, refused)
        return done

    async def _errand(
        self,
        rows: Sequence[tuple[Key, dict[str, Any] | NoteLine]],
        rules_of: RulesOf,
        *,
        away: bool,
    ) -> Errand:
        numbers: dict[Redaction, int] = {}
        slips: list[Slip] = []
        for (table, key), each in rows:
            number = numbers.setdefault(rules_of(key[0]), len(numbers))
            is_line = isinstance(each, NoteLine)
            values, line = (None, each) if is_line else (each, None)
            slips.append(Slip(table.__tablename__, key, number, values, line))
        try:
            with anyio.fail_after(SHOWN_S):
                password = await self._store.shown()
        except OSError as reason:  # the server has connections that are open
            raise ClerkGone from reason
        return Errand(slips, list(numbers), away, password)

    async def _ask(self, errand: Errand) -> Done:
        if (seated := self._seated) is None:
            raise ClerkGone
        try:
            message = framed(errand)
        except Exception as reason:  # the server itself refuses only the row that it is of
            raise ClerkGone from reason
        try:
            # Shielded: a transaction is short, and bounded, and nobody knows what became of one
            # that is given up.
            with anyio.fail_after(ERRAND_S, shield=True):
                done = await _answer(seated, message)
        except BaseException as reason:  # whose answer may still come
            with anyio.CancelScope(shield=True):
                await self._send_away()
            if not isinstance(reason, _GONE):
                raise
            logger.warning("records process gone", extra={"error": type(reason).__name__})
            raise ClerkGone from reason
        for said in done.said:
            logging.getLogger(said.logger).log(said.level, said.text, extra=said.extra)
        return done

    async def _send_away(self) -> None:
        seated, self._seated = self._seated, None
        if seated is not None:
            await _end(seated)


async def _answer(seated: _Seated, message: bytes) -> Done:
    """Raises one of `_GONE` where there is none."""
    seated.writer.write(message)
    await seated.writer.drain()
    return _done.decode(await read_frame(seated.reader))


def _begun(command: Sequence[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    # A group of its own, so that a terminal's interrupt is ours alone; but not a session of its
    # own, to which Linux would give as much of a core as to all of ours.
    return subprocess.Popen(  # noqa: S603  (ourselves)
        command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, process_group=0
    )


async def _end(seated: _Seated) -> None:
    """Once this returns, the process writes no more."""
    seated.writer.close()
    await to_thread.run_sync(_ended, seated.process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
