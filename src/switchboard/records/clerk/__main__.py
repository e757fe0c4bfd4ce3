"""The clerk itself. Usage: python -m switchboard.records.clerk, with a socket as standard input.

It ends when the other side of the socket has gone, and by nothing else: an interrupt at a terminal
is the server's to obey, which has more to be written then.
"""

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from typing import Any, Final, override

import msgspec

from switchboard.records.clerk.wire import Done, Errand, Hello, Said, Slip, framed, read_frame
from switchboard.records.entra import NoToken
from switchboard.records.postgres import Patience
from switchboard.records.redacting import Redacting
from switchboard.records.rows import Key, line_values
from switchboard.records.store import Store
from switchboard.records.writer import ORDER, Writer

NICE: Final = 10
"""Where there is but one core the calls go first: as far as one can have it so."""
BUSY_TIMEOUT_MS: Final = 2_000
PATIENCE: Final = Patience(statement_s=5.0, lock_s=2.0)
"""Shorter than the server's with us (`desk.ERRAND_S`): it hears that the database is away."""
_TABLES: Final = {table.__tablename__: table for table in ORDER}
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_hello: Final = msgspec.msgpack.Decoder(Hello)
_errand: Final = msgspec.msgpack.Decoder(Errand)


class Collected(logging.Handler):
    """What is logged here is told to the server, whose log it belongs to."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._said: list[Said] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
        self._said.append(Said(record.name, record.levelno, record.getMessage(), extra))

    def taken(self) -> list[Said]:
        """All of it since the last time."""
        said, self._said = self._said, []
        return said


class Held:
    """What the server gave to be shown in a password's place."""

    def __init__(self) -> None:
        self.password: str | None = None

    async def __call__(self) -> str:
        """Raises `NoToken`."""
        if self.password is None:
            raise NoToken("the server gave none")
        return self.password


class Clerk:
    """Does one errand after the other."""

    def __init__(self, store: Store, collected: Collected) -> None:
        self._writer = Writer(store)
        self._redacting = Redacting()
        self._collected = collected

    async def do(self, errand: Errand) -> Done:
        """Write these rows, as they may be stored."""
        keys: list[Key] = [(_TABLES[slip.table], slip.key) for slip in errand.rows]
        for (_, (call_id, *_)), slip in zip(keys, errand.rows, strict=True):
            self._redacting.begin(call_id, errand.rules[slip.rules])
        batch: dict[Key, dict[str, Any]] = {}
        for key, slip in zip(keys, errand.rows, strict=True):
            batch[key] = self._redacting.row_now(key, _values(slip))
            # The kernel gives a core back at once to whoever wakes, but not to whoever has waited
            # for it already.
            _give_way()
        self._writer.away = errand.away
        refused = self._writer.refused
        left = await self._writer.write(batch)
        return Done(
            [number for number, key in enumerate(keys) if key in left],
            self._writer.away,
            self._writer.refused - refused,
            self._collected.taken(),
        )


_give_way: Final = getattr(os, "sched_yield", lambda: None)


def _values(slip: Slip) -> dict[str, Any]:
    return (slip.values or {}) if slip.line is None else line_values(slip.key[0], slip.line)


async def serve(connection: socket.socket) -> None:
    """Until the other side has gone."""
    collected = Collected()
    logging.basicConfig(level=logging.INFO, handlers=[collected])
    reader, writer = await asyncio.open_connection(sock=connection)
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        hello = _hello.decode(await read_frame(reader))
        held = Held()
        store = Store(
            hello.url,
            busy_timeout_ms=BUSY_TIMEOUT_MS,
            password=held,
            patience=PATIENCE,
            beside_calls=False,
        )
        store.replica = hello.replica
        async with store.joined():
            clerk = Clerk(store, collected)
            writer.write(framed(Done()))
            while True:
                errand = _errand.decode(await read_frame(reader))
                held.password = errand.password
                writer.write(framed(await clerk.do(errand)))
                await writer.drain()


def _stand_back() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        # Nice is not enough: whoever has just begun may go on for milliseconds.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):  # not Linux, or not allowed
        with suppress(AttributeError, OSError):
            os.nice(NICE)


if __name__ == "__main__":
    _stand_back()
    with socket.socket(fileno=os.dup(0)) as the_server:
        asyncio.run(serve(the_server))
