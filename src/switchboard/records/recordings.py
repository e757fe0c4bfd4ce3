"""The rows of recordings: that there was one, who keeps it and where, what became of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from switchboard.records.schema import RecordingRow
from switchboard.records.store import Store

MAX_WHERE_CHARS = 20_000
CARRIER = "carrier"
HERE = "here"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of the recording of one call."""

    recording_id: str | None
    state: str
    """`running`, `paused`, `stopped`, `failed`, `filed`."""
    began_at: float
    ended_at: float | None
    where: Sequence[str]
    """The addresses of its parts, once the carrier has filed them."""
    duration_ms: float | None


class RecordingTable:
    """Each method is one transaction, committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self,
        call_id: str,
        state: str,
        at: float,
        *,
        recording_id: str | None = None,
        kept: str = CARRIER,
        duration_ms: float | None = None,
    ) -> None:
        """The recording of this call has come to `state`, at `at` epoch seconds.

        One that has been filed stays so: that it is over may be told later than where it lies.
        """
        over = state in ("stopped", "failed")
        new: dict[str, object] = {"state": state, "ended_at": at if over else None}
        if recording_id is not None:
            new["recording_id"] = recording_id
        if duration_ms is not None:
            new["duration_ms"] = duration_ms
        insert = postgresql.insert if self._store.dialect == "postgresql" else sqlite.insert
        row = insert(RecordingRow).values(call_id=call_id, began_at=at, kept=kept, **new)
        filed = RecordingRow.state == "filed"
        known = {**new, "state": case((filed, "filed"), else_=state)}
        async with self._store.writing() as connection:
            await connection.execute(
                row.on_conflict_do_update(index_elements=["call_id"], set_=known)
            )

    async def filed(
        self, recording_id: str, where: Sequence[str], duration_ms: float | None
    ) -> bool:
        """It lies there now. Whether there is such a recording."""
        places = _as_many(where)
        known = (
            update(RecordingRow)
            .where(RecordingRow.recording_id == recording_id)
            .values(state="filed", places=places, duration_ms=duration_ms)
            .returning(RecordingRow.call_id)
        )
        async with self._store.writing() as connection:
            return (await connection.execute(known)).first() is not None

    async def of(self, call_id: str) -> Kept | None:
        """The recording of a call, if there was to be one."""
        wanted = select(RecordingRow.__table__).where(RecordingRow.call_id == call_id)
        async with self._store.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        where = places_of(row.places)
        return Kept(row.recording_id, row.state, row.began_at, row.ended_at, where, row.duration_ms)


def places_of(places: str | None) -> Sequence[str]:
    """The addresses that a row has."""
    where: list[str] = json.loads(places) if places else []
    return where


def _as_many(where: Sequence[str]) -> str:
    """JSON of as many of them, from the first on, as there is room for."""
    kept = list(where)
    while len(written := json.dumps(kept)) > MAX_WHERE_CHARS:
        kept.pop()
    return written
