"""The rows of what servers ask of each other. PostgreSQL only: on SQLite there is one server.

A row is committed, then announced by NOTIFY with its id and no more. Whoever takes it sets
`taken_at` in one statement, before the deadline or never.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.orphans import CLOCK
from switchboard.records.schema import CommandRow
from switchboard.records.store import Store

LEFT_S: Final = 20.0
"""After its deadline: a row that whoever asked did not take away, as when they died."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do to a call."""

    id: str
    call_id: str
    asker: str
    kind: str
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command."""

    taken: bool
    answered: bool
    answer: str | None = field(repr=False)


def channel_of(replica: str) -> str:
    """Where a server hears of its rows."""
    return f"switchboard_{replica}"


class CommandTable:
    """Of one server. Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, command: Command, target: str, within_s: float) -> None:
        """Ask, and announce it."""
        row = insert(CommandRow).values(
            id=command.id,
            call_id=command.call_id,
            asker=command.asker,
            target=target,
            kind=command.kind,
            body=command.body,
            asked_at=CLOCK,
            deadline=CLOCK + within_s,
        )
        async with self._store.writing() as connection:
            await connection.execute(row)
            await _announce(connection, target, command.id)

    async def waiting(self) -> Sequence[str]:
        """Ids of what this server is asked and has not taken, the oldest first."""
        wanted = (
            select(CommandRow.id)
            .where(CommandRow.target == self._store.replica)
            .where(CommandRow.taken_at.is_(None), CommandRow.deadline > CLOCK)
            .order_by(CommandRow.asked_at)
        )
        async with self._store.reading() as connection:
            return (await connection.scalars(wanted)).all()

    async def take(self, command_id: str) -> Command | None:
        """The command, for whoever comes first; `None` to all others, and after its deadline."""
        taken = (
            update(CommandRow)
            .where(CommandRow.id == command_id, CommandRow.target == self._store.replica)
            .where(CommandRow.taken_at.is_(None), CommandRow.deadline > CLOCK)
            .values(taken_at=CLOCK)
            .returning(CommandRow.call_id, CommandRow.asker, CommandRow.kind, CommandRow.body)
        )
        async with self._store.writing() as connection:
            row = (await connection.execute(taken)).one_or_none()
        return None if row is None else Command(command_id, *row)

    async def answer(self, command: Command, answer: str | None) -> None:
        """Say what came of it. What was asked is not kept any longer."""
        said = update(CommandRow).where(CommandRow.id == command.id)
        said = said.values(answered_at=CLOCK, answer=answer, body="")
        async with self._store.writing() as connection:
            await connection.execute(said)
            await _announce(connection, command.asker, command.id)

    async def is_answered(self, command_id: str) -> bool:
        wanted = select(CommandRow.id).where(CommandRow.id == command_id)
        async with self._store.reading() as connection:
            answered = wanted.where(CommandRow.answered_at.is_not(None))
            return (await connection.scalar(answered)) is not None

    async def settle(self, command_id: str) -> Outcome:
        """Take it back: from now on it is not acted on, unless it was taken before."""
        gone = delete(CommandRow).where(CommandRow.id == command_id)
        gone = gone.returning(CommandRow.taken_at, CommandRow.answered_at, CommandRow.answer)
        async with self._store.writing() as connection:
            row = (await connection.execute(gone)).one_or_none()
        if row is None:  # it was never committed: rows are swept much later
            return Outcome(taken=False, answered=False, answer=None)
        return Outcome(row[0] is not None, row[1] is not None, row[2])

    async def sweep(self) -> None:
        """Delete what was left by whoever asked."""
        late = delete(CommandRow).where(CommandRow.deadline < CLOCK - LEFT_S)
        async with self._store.writing() as connection:
            await connection.execute(late)


async def _announce(connection: AsyncConnection, replica: str, command_id: str) -> None:
    await connection.execute(select(func.pg_notify(channel_of(replica), command_id)))
