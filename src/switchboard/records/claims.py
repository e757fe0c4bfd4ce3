"""Whose a call is, where servers share the database: claimed by compare-and-set, one of many wins.

A telephone call outlives its server, for the carrier holds it. Whoever finds that server dead, or
is brought the call's media, makes its row its own, in one statement; the server that had it finds
out with its next sign of life, and lets go.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, Update, select, update

from switchboard.records.orphans import left_by_dead
from switchboard.records.replicas import LOST
from switchboard.records.schema import Call
from switchboard.records.store import Store

PHONE: Final = "phone"
MOST_DEATHS: Final = 3
"""A call that has been taken over so often may be what its servers die of."""
MOST_TIMES: Final = 20
"""Nor are a call's media passed around for ever."""


class Claims:
    """This server's. Each method is one transaction. Without other servers there is nothing to
    claim."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    @property
    def any(self) -> bool:
        """Whether there can be anything to claim."""
        return self._store.is_shared

    async def of_dead(self, most: int) -> Sequence[str]:
        """Claim telephone calls whose server is dead, at most so many. Their ids."""
        if not self.any or most <= 0:
            return ()
        few = Call.takeovers < MOST_DEATHS
        left = self._claimable(Call.channel == PHONE, left_by_dead(Call.replica_id), few)
        some = select(Call.id).where(left).order_by(Call.began_at).limit(most)
        free = some.with_for_update(skip_locked=True)
        return await self._claim(update(Call).where(Call.id.in_(free), left))

    async def take(self, call_id: str) -> bool:
        """Claim this call, whose media have come here, from whoever has it. Whether it is ours by
        that: it may be over, or ours already."""
        if not self.any:
            return False
        few = Call.takeovers < MOST_TIMES
        wanted = self._claimable(Call.id == call_id, Call.channel == PHONE, few)
        return bool(await self._claim(update(Call).where(wanted)))

    async def owners(self, call_ids: Collection[str]) -> Mapping[str, str]:
        """The servers that have these calls, as far as they are in the records."""
        if not self.any or not call_ids:
            return {}
        wanted = select(Call.id, Call.replica_id).where(Call.id.in_(call_ids))
        async with self._store.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return {call_id: owner for call_id, owner in rows if owner is not None}

    async def others(self, call_ids: Collection[str]) -> frozenset[str]:
        """Those of these calls that another server has."""
        owners = await self.owners(call_ids)
        ours = self._store.replica
        return frozenset(call_id for call_id, owner in owners.items() if owner != ours)

    async def lose(self, call_id: str, reason: str = LOST) -> bool:
        """End a call of ours that cannot be carried on. Whether it was still open."""
        mine = (Call.id == call_id) & (Call.replica_id == self._store.replica)
        over = update(Call).where(mine, Call.ended_at.is_(None))
        async with self._store.writing() as connection:
            result: CursorResult[Any] = await connection.execute(
                over.values(ended_at=self._clock(), end_reason=reason)
            )
        return result.rowcount > 0

    def _claimable(self, *which: ColumnElement[bool]) -> ColumnElement[bool]:
        wanted = Call.ended_at.is_(None) & (Call.replica_id != self._store.replica)
        for each in which:
            wanted &= each
        return wanted

    async def _claim(self, claim: Update) -> Sequence[str]:
        # Who comes second waits for the row, looks at it again, and finds that it is not as it was.
        values = {"replica_id": self._store.replica, "takeovers": Call.takeovers + 1}
        async with self._store.writing() as connection:
            rows = await connection.execute(claim.values(values).returning(Call.id))
            return rows.scalars().all()
