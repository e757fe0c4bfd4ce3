"""What became of the calls that were placed: one row each, in the table that the quotas count."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CursorResult, Select, select, update

from switchboard.records.orphans import close_placed, orphaned
from switchboard.records.schema import Dialled
from switchboard.records.states import OPEN, State
from switchboard.records.store import Store

__all__ = ["OPEN", "PlacedCall", "PlacedTable", "State"]


_BEFORE: Final = {
    State.RINGING: (State.BOOKED,),
    State.ANSWERED: (State.BOOKED, State.RINGING),
}


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that was placed, and how it stands. Times are epoch seconds."""

    call_id: str
    principal_id: str
    number: str
    agent: str
    state: State
    reason: str | None
    code: int | None
    subcode: int | None
    at: float
    answered_at: float | None
    ended_at: float | None


class PlacedTable:
    """Each method is one transaction, committed when it returns. Times are epoch seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, call_id: str) -> PlacedCall | None:
        row = await self._store.read(
            lambda connection: connection.execute(_placed(call_id)).mappings().first()
        )
        if row is None:
            return None
        fields: dict[str, Any] = {**row, "state": State(row["state"])}
        return PlacedCall(**fields)

    async def move(
        self,
        call_id: str,
        state: State,
        now: float,
        *,
        reason: str | None = None,
        code: int | None = None,
        subcode: int | None = None,
    ) -> bool:
        """A call goes on to `state`. Whether it did: repeated and late news move nothing."""
        said: dict[str, Any] = {"reason": reason, "code": code, "subcode": subcode}
        values = {name: value for name, value in said.items() if value is not None}
        if state is State.ANSWERED:
            values["answered_at"] = now
        elif state not in OPEN:
            values["ended_at"] = now
        moved = (
            update(Dialled)
            .where(Dialled.call_id == call_id, Dialled.state.in_(_BEFORE.get(state, OPEN)))
            .values(state=state, replica_id=self._store.replica, **values)
        )
        async with self._store.writing() as connection:
            result: CursorResult[Any] = await connection.execute(moved)
        return result.rowcount > 0

    async def close_left_open(self, now: float) -> int:
        """End the calls that a crash left open. For the start, before any call is placed.

        Where servers share the database, those that live keep theirs.
        """
        async with self._store.writing() as connection:
            which = orphaned(self._store, Dialled.replica_id)
            return await close_placed(connection, self._store, which, now)


def _placed(call_id: str) -> Select[*tuple[Any, ...]]:
    return select(
        Dialled.call_id,
        Dialled.principal_id,
        Dialled.number,
        Dialled.agent,
        Dialled.state,
        Dialled.reason,
        Dialled.code,
        Dialled.subcode,
        Dialled.at,
        Dialled.answered_at,
        Dialled.ended_at,
    ).where(Dialled.call_id == call_id)
