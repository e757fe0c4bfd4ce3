"""How long calls are kept: a sweeper that deletes what is older, a little at a time."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

import anyio
from sqlalchemy import ColumnElement, delete, select

from switchboard.records.persons import (
    BATCH,
    NAMELESS,
    QUOTA_S,
    Alias,
    count,
    delete_calls,
    forget_dialled,
)
from switchboard.records.promised import GIVEN_UP, KEPT
from switchboard.records.schema import Call, Dialled, Promised, RecordingRow
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

SWEEP_S: Final = 30.0
REST_S: Final = 0.2
"""Between two batches: calls are written, too."""
DAY_S: Final = 86_400.0

type Days = Callable[[], Mapping[str, int | None]]
"""For each agent that there is, how many days its calls are kept; `None` where it does not say."""


def _nobody(_: str) -> str:
    # Without a telephone nobody is rung, and no quota counts.
    return NAMELESS


class Sweeper:
    """Deletes calls that have been over for longer than their agent's profile says, and what is
    kept beside them. Several replicas may do it at once. `run` must run."""

    def __init__(
        self,
        store: Store,
        days: Days,
        otherwise: int,
        *,
        alias: Alias | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`otherwise`: days, for agents that do not say, and for those that are gone. `clock` is
        epoch seconds."""
        self._store = store
        self._days = days
        self._otherwise = otherwise
        self._alias = alias or _nobody
        self._clock = clock

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep again and again, until cancelled."""
        while True:
            try:
                while await self.sweep():  # noqa: ASYNC110  (there is nobody to set an event)
                    await anyio.sleep(REST_S)
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("records not swept", extra={"error": type(reason).__name__})
            await anyio.sleep(every_s)

    async def sweep(self) -> int:
        """One batch of each kind. How many rows went; 0 once there is nothing left to do."""
        now = self._clock()
        known = self._days()
        gone = 0
        for agent, days in known.items():
            kept_s = DAY_S * (self._otherwise if days is None else days)
            gone += await self._sweep(
                Call.agent == agent, Dialled.agent == agent, Promised.agent == agent, now, kept_s
            )
        gone += await self._sweep(
            Call.agent.not_in(known),
            Dialled.agent.not_in(known),
            Promised.agent.not_in(known),
            now,
            DAY_S * self._otherwise,
        )
        gone += await self._sweep_recordings(now)
        if gone:
            logger.info("records swept", extra={"rows": gone})
        return gone

    async def _sweep(
        self,
        calls: ColumnElement[bool],
        dialled: ColumnElement[bool],
        promised: ColumnElement[bool],
        now: float,
        kept_s: float,
    ) -> int:
        before = now - kept_s
        over = select(Call.id).where(calls, Call.ended_at <= before).order_by(Call.ended_at)
        settled = select(Promised.id).where(
            promised, Promised.state.in_((KEPT, GIVEN_UP)), Promised.due_at <= before
        )
        placed = select(Dialled.operation).where(
            dialled,
            Dialled.ended_at <= before,
            # What still counts for a quota goes nameless first, and as a whole later.
            (Dialled.at <= now - QUOTA_S) | Dialled.number.not_like(f"{NAMELESS}%"),
        )
        async with self._store.writing() as connection:
            found = over.limit(BATCH).with_for_update(skip_locked=True)
            ids = list((await connection.scalars(found)).all())
            gone = sum((await delete_calls(connection, ids)).values()) if ids else 0
            rows = list((await connection.scalars(settled.limit(BATCH))).all())
            if rows:
                gone += await count(connection, delete(Promised).where(Promised.id.in_(rows)))
            rows = list((await connection.scalars(placed.limit(BATCH))).all())
            if rows:
                chosen = select(Dialled.operation).where(Dialled.operation.in_(rows))
                gone += await forget_dialled(connection, chosen, now, self._alias)
        return gone

    async def _sweep_recordings(self, now: float) -> int:
        """Those of calls that were never recorded otherwise, or are gone."""
        before = now - max(DAY_S * self._otherwise, QUOTA_S)
        orphans = (
            select(RecordingRow.call_id)
            .outerjoin(Call, Call.id == RecordingRow.call_id)
            .where(Call.id.is_(None), RecordingRow.began_at <= before)
            .limit(BATCH)
        )
        async with self._store.writing() as connection:
            rows = list((await connection.scalars(orphans)).all())
            if not rows:
                return 0
            return await count(
                connection, delete(RecordingRow).where(RecordingRow.call_id.in_(rows))
            )
