"""Where the sound of calls lies: one file a call under `DATA_DIR`, so many bytes and no more."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread
from sqlalchemy import select

from switchboard.records.reel import Reel
from switchboard.records.schema import RecordingRow
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

DIRECTORY: Final = "recordings"
SWEEP_S: Final = 30.0
ENDING: Final = ".wav"
CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MEGABYTE: Final = 1_000_000


class NoRoom(Exception):
    """The shelf is full, or cannot be written."""


class Shelf:
    """The recordings of this server's disk. A file without its row in the records is deleted, and
    so each goes when its call does: by retention, by an erasure, on whatever server. `run` must
    run."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        max_mb: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._store = store
        self._max_bytes = max_mb * MEGABYTE
        self._clock = clock
        self._used = 0
        self._writing: set[str] = set()

    async def begin(self, call_id: str) -> Reel:
        """An empty file for this call. Raises `NoRoom`."""
        try:
            self._used = await anyio.to_thread.run_sync(self._measure)
            self._check()
            reel = await anyio.to_thread.run_sync(Reel, self._path(call_id))
        except OSError as reason:
            raise NoRoom(type(reason).__name__) from reason
        self._writing.add(call_id)
        return reel

    def grew(self, size_bytes: int) -> None:
        """A file has. Raises `NoRoom` once there is no more room for any."""
        self._used += size_bytes
        self._check()

    def done(self, call_id: str) -> None:
        """Nobody writes the file any more."""
        self._writing.discard(call_id)

    def find(self, call_id: str) -> Path | None:
        """The sound of a call, if it lies here."""
        return sound_of(self._directory, call_id)

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep again and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("recordings not swept", extra={"error": type(reason).__name__})
            await anyio.sleep(every_s)

    async def sweep(self) -> int:
        """Delete what the records know nothing of (any more). How many files went."""
        lying = await anyio.to_thread.run_sync(self._lying)
        unknown = set(lying) - self._writing - await self._known(lying)
        for call_id in unknown:
            await anyio.to_thread.run_sync(partial(self._path(call_id).unlink, missing_ok=True))
        if unknown:
            logger.info("recordings swept", extra={"files": len(unknown)})
        return len(unknown)

    async def _known(self, call_ids: list[str]) -> set[str]:
        known: set[str] = set()
        async with self._store.reading() as connection:
            for at in range(0, len(call_ids), 500):
                some = RecordingRow.call_id.in_(call_ids[at : at + 500])
                known.update(await connection.scalars(select(RecordingRow.call_id).where(some)))
        return known

    def _check(self) -> None:
        if self._used >= self._max_bytes:
            raise NoRoom("full")

    def _measure(self) -> int:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return sum(path.stat().st_size for path in self._directory.glob(f"*{ENDING}"))

    def _lying(self) -> list[str]:
        return [path.stem for path in self._directory.glob(f"*{ENDING}")]

    def _path(self, call_id: str) -> Path:
        return self._directory / f"{call_id}{ENDING}"


def sound_of(directory: Path, call_id: str) -> Path | None:
    """The sound of a call, if it lies in that directory."""
    path = directory / f"{call_id}{ENDING}" if CALL_ID.fullmatch(call_id) else None
    return path if path is not None and path.is_file() else None


def unlink(directory: Path, call_ids: Iterable[str]) -> int:
    """Delete the sound of these calls at once, as far as it lies here. How many files went."""
    gone = 0
    for call_id in call_ids:
        path = directory / f"{call_id}{ENDING}"
        if path.exists():
            path.unlink(missing_ok=True)
            gone += 1
    return gone
