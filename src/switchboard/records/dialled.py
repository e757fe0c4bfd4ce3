"""Calls that were placed, and numbers not to be called: what quotas count."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.schema import Dialled, DoNotCall
from switchboard.records.states import State
from switchboard.records.store import Store

DAY_S = 86_400.0
LONGEST_CALL_S = 4 * 3_600.0
"""A call of which no end was written is over by then: its server died."""


class Full(StrEnum):
    """Which quota is used up."""

    DO_NOT_CALL = "do_not_call"
    PRINCIPAL = "principal"
    NUMBER = "number"
    DAY = "day"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many calls are placed, within 24 hours and at once."""

    principal_a_day: int = 20
    number_a_day: int = 3
    a_day: int = 200
    at_once: int = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that somebody wants placed."""

    operation: str
    call_id: str
    principal_id: str
    number: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """A call that is counted, committed before anybody dials."""

    call_id: str
    again: bool
    """It was asked for before: it is not to be placed a second time."""


class DialledTable:
    """Each method is one transaction, committed when it returns. Times are epoch seconds."""

    def __init__(self, store: Store, alias: Callable[[str], str] | None = None) -> None:
        """`alias`: what stands for a number, or for somebody's id, that was erased. It counts."""
        self._store = store
        self._alias = alias

    async def book(self, wanted: Wanted, quotas: Quotas, now: float) -> Booked | Full:
        """Count a call, unless a quota is used up. One operation is one call, asked how often."""
        async with self._store.writing() as connection:
            # Two who count at once would both find room.
            await self._store.alone(connection, "dialled")
            known = select(Dialled.call_id).where(Dialled.operation == wanted.operation)
            if (call_id := (await connection.execute(known)).scalar()) is not None:
                return Booked(call_id, again=True)
            full = await _full(connection, wanted, quotas, now, self._alias)
            if full is None:
                row = insert(Dialled).values(
                    operation=wanted.operation,
                    call_id=wanted.call_id,
                    principal_id=wanted.principal_id,
                    number=wanted.number,
                    agent=wanted.agent,
                    state=State.BOOKED,
                    at=now,
                    replica_id=self._store.replica,
                )
                await connection.execute(row)
            return full or Booked(wanted.call_id, again=False)

    async def ended(self, call_id: str, now: float) -> None:
        """The call is over, or never came about: it is not among those at once any more."""
        over = update(Dialled).where(Dialled.call_id == call_id, Dialled.ended_at.is_(None))
        async with self._store.writing() as connection:
            await connection.execute(over.values(ended_at=now, state=State.ENDED))

    async def call_of(self, operation: str) -> str | None:
        """The call that an operation is, if it was ever booked."""
        return await self._store.read(
            lambda connection: connection.execute(
                select(Dialled.call_id).where(Dialled.operation == operation)
            ).scalar()
        )

    async def is_do_not_call(self, number: str) -> bool:
        """Whether this number, E.164, does not want to be called."""
        return await self._store.read(
            lambda connection: bool(
                connection.execute(select(exists().where(DoNotCall.number == number))).scalar()
            )
        )

    async def do_not_call(self, number: str, reason: str, now: float) -> None:
        """Never again, whoever asks."""
        async with self._store.writing() as connection:
            # Not beside somebody who counts: whoever books later finds the number listed.
            await self._store.alone(connection, "dialled")
            listed = exists().where(DoNotCall.number == number)
            if not (await connection.execute(select(listed))).scalar():
                row = insert(DoNotCall).values(number=number, since=now, reason=reason)
                await connection.execute(row)


async def _full(
    connection: AsyncConnection,
    wanted: Wanted,
    quotas: Quotas,
    now: float,
    alias: Callable[[str], str] | None,
) -> Full | None:
    def known_as(name: str) -> list[str]:
        return [name] if alias is None else [name, alias(name)]

    listed = exists().where(DoNotCall.number == wanted.number)
    if (await connection.execute(select(listed))).scalar():
        return Full.DO_NOT_CALL
    today = Dialled.at > now - DAY_S
    under_way = Dialled.ended_at.is_(None) & (Dialled.at > now - LONGEST_CALL_S)
    for full, limit, which in (
        (Full.AT_ONCE, quotas.at_once, under_way),
        (Full.NUMBER, quotas.number_a_day, today & Dialled.number.in_(known_as(wanted.number))),
        (
            Full.PRINCIPAL,
            quotas.principal_a_day,
            today & Dialled.principal_id.in_(known_as(wanted.principal_id)),
        ),
        (Full.DAY, quotas.a_day, today),
    ):
        if await _count(connection, which) >= limit:
            return full
    return None


async def _count(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(Dialled).where(which)
    return (await connection.execute(counted)).scalar_one()
