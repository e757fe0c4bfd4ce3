"""What the database does not take waits on disk, within bounds, and is written in its order."""

import logging
import resource
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest

from switchboard.conversation.commands import LineState
from switchboard.records.history import history
from switchboard.records.recorder import SPILL_S, Recorder
from switchboard.records.rows import Batch
from switchboard.records.schema import Call
from switchboard.records.spool import FILE, Spool, SpoolFull
from switchboard.records.store import Store, sqlite_url
from tests.records.test_recorder import known, line, opened


@asynccontextmanager
async def locked(store: Store) -> AsyncGenerator[None]:
    """Nobody else can write: the database is busy for as long as the block lasts."""
    async with store.writing():
        yield


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with Store(sqlite_url(tmp_path), busy_timeout_ms=20).opened() as store:
        yield store


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def lines(recorder: Recorder, count: int, words: str = "word") -> None:
    for number in range(count):
        recorder.note("c1", line(f"{words} {number}", LineState.FINAL, f"i{number}"), 0)


async def test_beyond_its_bound_rows_go_to_disk_and_come_back_in_order(
    store: Store, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(store, spool=spool, spill_rows=5)
    with caplog.at_level(logging.INFO):
        async with locked(store):
            opened(recorder)
            lines(recorder, 2, "early")
            await recorder.flush()
            assert recorder.spooled_bytes == 0  # so few wait in memory
            lines(recorder, 6, "late")
            await recorder.flush()
            assert recorder.spooled_bytes > 0
            recorder.close_call("c1", "goodbye", 160.0)
            await recorder.flush()
        await recorder.flush()
    found = await known(store)
    assert [item.text for item in found.items] == [f"late {number}" for number in range(6)]
    assert (found.call.end_reason, recorder.dropped, recorder.spooled_bytes) == ("goodbye", 0, 0)
    said = [record.message for record in caplog.records if "switchboard.records" in record.name]
    assert said == ["database away or busy", "rows spooled", "database back", "spool written"]


async def test_nothing_stays_in_memory_alone_for_long(store: Store, spool: Spool) -> None:
    now = 0.0
    recorder = Recorder(store, spool=spool, clock=lambda: now)
    async with locked(store):
        opened(recorder)
        await recorder.flush()
        assert recorder.spooled_bytes == 0
        now = SPILL_S + 1
        await recorder.flush()
        assert recorder.spooled_bytes > 0


async def test_a_writer_that_stops_while_the_database_is_away_leaves_all_on_disk(
    store: Store, spool: Spool
) -> None:
    async with locked(store):
        before = Recorder(store, spool=spool)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(before.run)
            opened(before)
            lines(before, 1)
            before.close_call("c1", "goodbye", 160.0)
            tasks.cancel_scope.cancel()
        assert await history(store, "c1") is None
    after = Recorder(store, spool=spool)
    assert await after.close_left_open(now=500.0) == 0  # its end was on disk
    found = await known(store)
    assert (found.call.end_reason, [item.text for item in found.items]) == ("goodbye", ["word 0"])
    assert spool.size == 0


async def test_what_is_on_disk_is_redacted(store: Store, spool: Spool, tmp_path: Path) -> None:
    recorder = Recorder(store, spool=spool, spill_rows=1)
    async with locked(store):
        opened(recorder)
        note = line("My card is 4111 1111 1111 1111.", LineState.FINAL)
        recorder.note("c1", note, 0)
        await recorder.flush()
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert "My card is" in text
    assert "1111" not in text
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


async def test_the_torn_end_of_a_file_costs_only_itself(
    store: Store, spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(store, spool=spool, spill_rows=1)
    async with locked(store):
        opened(recorder)
        lines(recorder, 2)
        await recorder.flush()
        with (tmp_path / FILE).open("ab") as file:
            file.write(b'["items", ["c1", "i9"], {"call_id": "c1", "te')  # died while it wrote
        recorder.close_call("c1", "goodbye", 160.0)
        await recorder.flush()
    with caplog.at_level(logging.ERROR):
        await recorder.flush()
        await recorder.flush()
    found = await known(store)
    assert (found.call.end_reason, len(found.items)) == ("goodbye", 2)
    errors = [each.message for each in caplog.records if each.levelno == logging.ERROR]
    assert (recorder.dropped, errors) == (1, ["records dropped"])


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x00\xff\n",
        b"[]\n",
        b'["items"]\n',
        b'["nothing", ["a"], {}]\n',
        b'["items", 3, {}]\n',
        b'["items", ["c1", "i1"], []]\n',
        b'["items", ["c1", "i1"], {"no_column": 1}]\n',
    ],
)
def test_lines_that_are_no_rows_are_counted(spool: Spool, tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / FILE).write_bytes(rubbish)
    [chunk] = spool.chunks()
    assert (dict(chunk.rows), chunk.unread) == ({}, 1)
    spool.done(chunk)
    assert not (tmp_path / FILE).exists()


async def test_beyond_its_bytes_nothing_is_taken_and_memory_drops_and_counts(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, max_bytes=2_000)
    recorder = Recorder(store, spool=spool, spill_rows=1, limit=20)
    async with locked(store):
        opened(recorder)
        await recorder.flush()
        lines(recorder, 30)
        await recorder.flush()
    assert 0 < spool.size <= 2_000
    assert recorder.dropped == 10
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "records dropped",
        "rows not spooled",
    ]
    await recorder.flush()
    assert len((await known(store)).items) == 20


@contextmanager
def disk_full_at(size: int) -> Generator[None]:
    """No file of this process becomes larger, as on a disk that has no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_half_a_row_takes_none(spool: Spool, tmp_path: Path) -> None:
    rows: Batch = {(Call, ("c1",)): {"id": "c1", "end_reason": "x" * 100}}
    spool.append(rows)
    before = (tmp_path / FILE).read_bytes()
    with disk_full_at(len(before) + 50), pytest.raises(OSError, match="too large"):
        spool.append(rows)
    assert (tmp_path / FILE).read_bytes() == before
    spool.append(rows)
    assert [len(chunk.rows) for chunk in spool.chunks()] == [1]  # the same row, twice


def test_an_empty_folder_has_no_spool(tmp_path: Path) -> None:
    assert Spool(tmp_path / "not yet").size == 0
    assert list(Spool(tmp_path).chunks()) == []
    with pytest.raises(SpoolFull):
        Spool(tmp_path, max_bytes=0).append({})
