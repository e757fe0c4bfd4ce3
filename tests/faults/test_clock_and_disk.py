"""The clock on the wall jumps, the disk is full, the database's file is damaged."""

import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from switchboard.records.history import history
from switchboard.records.recorder import Recorder
from switchboard.records.spool import Spool
from switchboard.records.store import Store, sqlite_url
from tests.records.test_recorder import known, opened
from tests.test_app import open_house, say

HOUR_S = 3_600.0


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
async def test_a_call_does_not_notice_that_the_clock_jumps(
    tmp_path: Path, jump_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    async with open_house(tmp_path, reattach_seconds=5) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "Before")
            monkeypatch.setattr(time, "time", lambda: now() + jump_s)
            monkeypatch.setattr(home.house.tickets, "_clock", time.time)
            await home.house.tickets.sweep(home.house.switchboard.cancel)
            await say(page, "After", "t2")
            page.socket.transport.abort()
        async with home.dial(placed, page.ready["resume"]) as again:  # its ticket is good still
            assert again.ready["resumed"] is True
            await again.say("end")
            assert (await again.closed())[0] == 1000
        async with home.dial(await home.place()) as page:
            await say(page, "A new call")
        await home.quiet()
        await home.house.recorder.flush()
        found = await history(home.house.store, placed["call"])
    assert found is not None and found.call.end_reason == "goodbye"


@contextmanager
def disk_full(larger_than: int) -> Generator[None]:
    """No file of this process grows beyond so many bytes, as on a disk that has no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (larger_than, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_call_goes_on_while_the_disk_is_full(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "Before")
            await home.house.recorder.flush()
            with disk_full(0):
                await say(page, "Meanwhile", "t2")
                await home.house.recorder.flush()
                assert home.house.store.away
                health = (await home.http.get("/health")).json()
                assert health["records"]["database"] == "not ok"
                refused = await home.http.post("/api/calls", json={"agent": "telecom"})
                assert (refused.status_code, refused.json()["code"]) == (503, "records_away")
            await page.say("end")
            assert (await page.closed())[0] == 1000
        await home.quiet()
        with anyio.fail_after(60):
            while True:
                await home.house.recorder.flush()
                found = await history(home.house.store, placed["call"])
                if found is not None and found.call.ended_at is not None:
                    break
                await anyio.sleep(0.05)
        assert home.house.recorder.dropped == 0
    assert [item.text for item in found.items if item.typed] == ["Before", "Meanwhile"]


async def test_a_damaged_file_costs_no_row_and_the_next_one_gets_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    spool = Spool(tmp_path)
    async with Store(sqlite_url(folder)).opened() as store:
        recorder = Recorder(store, spool=spool, spill_rows=1)
        file = folder / "records.sqlite3"
        await store.scrub()
        file.write_bytes(b"no database" * 4_096)
        for log in folder.glob("*-*"):
            log.unlink()
        await store._engine.dispose()  # pyright: ignore[reportPrivateUsage]  (what is open knows pages by heart)
        opened(recorder)
        recorder.close_call("c1", "goodbye", 160.0)
        await recorder.flush()
        assert (recorder.is_away, recorder.dropped) == (True, 0)
    assert spool.size > 0
    for left in folder.iterdir():
        left.unlink()  # somebody puts a good one in its place
    async with Store(sqlite_url(folder)).opened() as store:
        await Recorder(store, spool=spool).flush()
        assert (await known(store)).call.end_reason == "goodbye"
