"""Rows that wait on disk while the database is away: appended, and read back in their order.

One JSON array a line: table, key, values. The rows are as they may be stored, redacted already. A
line that cannot be read, such as the last one of a process that died while it wrote, is passed
over. Blocking: for a thread.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from switchboard.records.rows import Batch, Key
from switchboard.records.schema import Base, Call, Interruption, Item, Reply, ToolCall

FILE: Final = "records.spool"
FILES: Final = "records*.spool"
"""Where there are several workers, each has one: `records.2.spool` is the second's."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Some hundred thousand rows."""
CHUNK_ROWS: Final = 500
"""So many are written into the database at once."""

_TABLES: Final[dict[str, type[Base]]] = {
    table.__tablename__: table for table in (Call, Item, ToolCall, Interruption, Reply)
}


class SpoolFull(OSError):
    """The file has reached its bound."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that were read back, and how far one has read with them."""

    rows: Batch
    end: int
    unread: int
    """Lines that made no sense."""


class Spool:
    """A file of rows. Only one process has it (`claim`), and uses it one call at a time."""

    def __init__(self, folder: Path, *, worker: int = 1, max_bytes: int = MAX_BYTES) -> None:
        self._file = folder / _name(worker)
        self._max_bytes = max_bytes
        self._read_to = 0

    @property
    def size(self) -> int:
        """Bytes that wait; none where nothing does."""
        try:
            return self._file.stat().st_size - self._read_to
        except FileNotFoundError:
            return 0

    def append(self, batch: Batch) -> None:
        """Keep these rows, all or none, so that a crash does not lose them.

        Raises `SpoolFull`, or `OSError` where the disk takes no more.
        """
        # What stands before may lack its end.
        data = b"\n" + b"".join(_line(key, values) for key, values in batch.items())
        with _opened(self._file) as file:
            before = file.seek(0, os.SEEK_END)
            if before + len(data) > self._max_bytes:
                raise SpoolFull(f"{FILE} is full")
            try:
                _write_all(file.fileno(), data)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise

    def chunks(self) -> Iterator[Chunk]:
        """What waits, in its order. Each chunk stays in the file until it is `done`."""
        if not self.size:
            return
        with self._file.open("rb") as file:
            file.seek(self._read_to)
            while (chunk := _chunk(file)) is not None:
                yield chunk

    def done(self, chunk: Chunk) -> None:
        """These are in the database."""
        self._read_to = chunk.end
        if not self.size:
            self._file.unlink(missing_ok=True)
            self._read_to = 0


def waiting(folder: Path) -> int:
    """Bytes that wait in this folder, whichever worker's they are."""
    return sum(path.stat().st_size for path in folder.glob(FILES))


def gather(folder: Path, workers: int) -> None:
    """Let the first worker have the rows of those that there are no more. It does not run yet."""
    kept = {_name(number) for number in range(1, workers + 1)}
    for left in sorted(folder.glob(FILES)):
        if left.name not in kept:
            with _opened(folder / FILE) as file:
                file.seek(0, os.SEEK_END)
                # What stood before may lack its end. Twice written is as good as once.
                _write_all(file.fileno(), b"\n" + left.read_bytes())
                os.fsync(file.fileno())
            left.unlink()


def _name(worker: int) -> str:
    return FILE if worker == 1 else f"records.{worker}.spool"


def _opened(path: Path) -> Any:  # noqa: ANN401  (a file without a buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:  # a disk that is nearly full takes a part
        left = left[os.write(descriptor, left) :]


def _line(key: Key, values: dict[str, Any]) -> bytes:
    # Not msgspec: what services send may be half a surrogate pair, which it refuses.
    return json.dumps([key[0].__tablename__, key[1], values]).encode() + b"\n"


def _chunk(file: Any) -> Chunk | None:  # noqa: ANN401  (as above)
    rows: dict[Key, dict[str, Any]] = {}
    lines, unread = 0, 0
    while lines < CHUNK_ROWS and (line := file.readline()):
        lines += 1
        if not line.strip():
            continue
        try:
            key, values = _row(line)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            unread += 1
        else:
            rows.setdefault(key, {}).update(values)
    return Chunk(rows, file.tell(), unread) if lines else None


def _row(line: bytes) -> tuple[Key, dict[str, Any]]:
    """Raises `ValueError` and its like for what is no row of ours."""
    said: Any = json.loads(line)
    name, names, values = said
    table = _TABLES[name]
    columns = table.__table__.columns.keys()
    if not all(column in columns for column in values.keys()):  # noqa: SIM118  (no dict has none)
        raise ValueError("not a row")
    key = (table, tuple(names))
    hash(key)  # of a list within a list there is none
    return key, values
