"""Calls that an agent promised: kept until they were placed and taken, or are not worth it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Select, bindparam, delete, insert, select, update

from switchboard.records.redaction.kinds import FULL
from switchboard.records.redaction.redactor import Redactor
from switchboard.records.schema import Dialled
from switchboard.records.schema import Promised as Row
from switchboard.records.states import OPEN
from switchboard.records.store import Store

WAITING: Final = "waiting"
DIALLING: Final = "dialling"
KEPT: Final = "kept"
GIVEN_UP: Final = "given_up"
MAX_REASON: Final = 200
KEEP_S: Final = 30 * 86_400.0
"""How long what is settled is remembered."""


type Redact = Callable[[str, str], str]
"""Of an agent's text, what may be stored."""


def redacted_whole(_: str, text: str) -> str:
    """Without anything that is ever taken out."""
    return Redactor(FULL).text(text).text


@dataclass(frozen=True, slots=True)
class Promise:
    """A call that somebody on the telephone asked for. Times are epoch seconds."""

    id: str
    number: str
    """E.164."""
    agent: str
    principal_id: str
    reason: str
    due_at: float
    """When it is to be placed; of one that is being placed, since when."""
    until: float
    attempts: int = 0


class PromisedTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store, redact: Redact = redacted_whole) -> None:
        """`redact`: what may be stored of the reason that a caller gave an agent."""
        self._store = store
        self._redact = redact

    async def put(self, promise: Promise) -> None:
        """One number waits for one call: a new promise takes the place of an older one."""
        older = delete(Row).where(Row.number == promise.number, Row.state == WAITING)
        row = insert(Row).values(
            id=promise.id,
            number=promise.number,
            agent=promise.agent,
            principal_id=promise.principal_id,
            reason=self._redact(promise.agent, promise.reason)[:MAX_REASON],
            due_at=promise.due_at,
            until=promise.until,
            attempts=promise.attempts,
            state=WAITING,
        )
        async with self._store.writing() as connection:
            await self._store.alone(connection, f"promised {promise.number}")
            await connection.execute(older)
            await connection.execute(row)

    async def take_due(self, now: float) -> Promise | None:
        """A promise that is due: nobody else's from now on, and one attempt more."""
        if not await self._store.read(partial(_is_due, now)):  # as mostly: no lock for that
            return None
        async with self._store.writing() as connection:
            due = _due().order_by(Row.due_at).with_for_update(skip_locked=True)
            if (found := (await connection.execute(due, {"now": now})).scalar()) is None:
                return None
            taken = (
                update(Row)
                .where(Row.id == found)
                .values(state=DIALLING, due_at=now, attempts=Row.attempts + 1, call_id=None)
                .returning(
                    Row.id,
                    Row.number,
                    Row.agent,
                    Row.principal_id,
                    Row.reason,
                    Row.due_at,
                    Row.until,
                    Row.attempts,
                )
            )
            return Promise(**(await connection.execute(taken)).mappings().one())

    async def dialled(self, promise_id: str, call_id: str) -> None:
        """It is being kept by this call."""
        named = update(Row).where(Row.id == promise_id).values(call_id=call_id)
        async with self._store.writing() as connection:
            await connection.execute(named)

    async def of_call(self, call_id: str) -> Promise | None:
        """The promise that this call is to keep."""
        wanted = select(
            Row.id,
            Row.number,
            Row.agent,
            Row.principal_id,
            Row.reason,
            Row.due_at,
            Row.until,
            Row.attempts,
        ).where(Row.call_id == call_id, Row.state == DIALLING)
        async with self._store.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return None if row is None else Promise(**row)

    async def settle(self, promise_id: str, *, kept: bool) -> None:
        """It was kept, or is given up. Of one that is not being placed nothing is said: another
        server has seen to it."""
        state = KEPT if kept else GIVEN_UP
        over = update(Row).where(Row.id == promise_id, Row.state == DIALLING)
        async with self._store.writing() as connection:
            await connection.execute(over.values(state=state))

    async def postpone(self, promise_id: str, due_at: float, *, attempts: int) -> None:
        """Try again at `due_at`. Likewise."""
        later = update(Row).where(Row.id == promise_id, Row.state == DIALLING)
        values = {"state": WAITING, "due_at": due_at, "attempts": attempts}
        async with self._store.writing() as connection:
            await connection.execute(later.values(values))

    async def forget(self, number: str) -> None:
        """Whoever has this number wants no call any more."""
        gone = update(Row).where(Row.number == number, Row.state == WAITING)
        async with self._store.writing() as connection:
            await connection.execute(gone.values(state=GIVEN_UP))

    async def release(self, before: float) -> int:
        """What was taken before then, and of which no call came, waits again. How many."""
        return await self._store.write(partial(_release, before))

    async def unheard(self) -> Sequence[str]:
        """Calls that are over, while the promises that they were to keep are not settled."""
        return await self._store.read(_unheard)

    async def sweep(self, now: float) -> None:
        """Of what was settled long ago, nothing stays."""
        old = delete(Row).where(Row.state.in_((KEPT, GIVEN_UP)), Row.until <= now - KEEP_S)
        async with self._store.writing() as connection:
            await connection.execute(old)


@cache
def _due() -> Select[str]:
    """Made once, for it is asked all day, beside the calls."""
    return select(Row.id).where(Row.state == WAITING, Row.due_at <= bindparam("now")).limit(1)


def _is_due(now: float, connection: Connection) -> bool:
    return connection.execute(_due(), {"now": now}).first() is not None


def _release(before: float, connection: Connection) -> int:
    left = update(Row).where(Row.state == DIALLING, Row.call_id.is_(None), Row.due_at <= before)
    result: CursorResult[Any] = connection.execute(left.values(state=WAITING))
    return result.rowcount


def _unheard(connection: Connection) -> Sequence[str]:
    over = select(Row.call_id).join(Dialled, Dialled.call_id == Row.call_id)
    over = over.where(Row.state == DIALLING, Dialled.state.not_in(OPEN))
    return [call_id for (call_id,) in connection.execute(over) if call_id]
