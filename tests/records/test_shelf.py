"""The sound of calls goes when the records of them do."""

from pathlib import Path

import pytest

from switchboard.records.recordings import HERE, RecordingTable
from switchboard.records.reel import Reel
from switchboard.records.shelf import NoRoom, Shelf, unlink
from switchboard.records.store import Store, sqlite_url

SECOND_BYTES = 96_000


def file(directory: Path, call_id: str, seconds: int = 1) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / f"{call_id}.wav"
    with Reel(path) as reel:
        reel.write([], seconds * 1_000)
    return path


async def test_a_file_that_no_record_knows_is_deleted_and_others_stay(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        shelf = Shelf(tmp_path / "sound", store, 10)
        await RecordingTable(store).put("known", "stopped", 1.0, kept=HERE)
        known, gone = file(tmp_path / "sound", "known"), file(tmp_path / "sound", "gone")
        reel = await shelf.begin("writing")
        assert await shelf.sweep() == 1
        assert known.exists()
        assert not gone.exists()
        assert shelf.find("writing") is not None
        reel.close()
        shelf.done("writing")
        assert await shelf.sweep() == 1
        assert shelf.find("writing") is None
        assert shelf.find("known") == known


async def test_it_takes_so_much_and_no_more(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        shelf = Shelf(tmp_path / "sound", store, 1)
        file(tmp_path / "sound", "old", seconds=5)
        reel = await shelf.begin("new")
        shelf.grew(SECOND_BYTES)
        with pytest.raises(NoRoom):
            shelf.grew(5 * SECOND_BYTES)
        reel.close()
        file(tmp_path / "sound", "older", seconds=6)
        with pytest.raises(NoRoom):
            await shelf.begin("next")


async def test_a_directory_that_cannot_be_made_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "sound").write_text("in the way")
    async with Store(sqlite_url(tmp_path)).opened() as store:
        with pytest.raises(NoRoom):
            await Shelf(tmp_path / "sound", store, 1).begin("c1")


@pytest.mark.parametrize("call_id", ["../records", "", "a/b", "x" * 65])
async def test_only_names_of_calls_are_looked_for(tmp_path: Path, call_id: str) -> None:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        assert Shelf(tmp_path, store, 1).find(call_id) is None


def test_an_erasure_takes_the_files_of_its_calls(tmp_path: Path) -> None:
    mine, other = file(tmp_path, "mine"), file(tmp_path, "other")
    assert unlink(tmp_path, ["mine", "never-recorded"]) == 1
    assert not mine.exists()
    assert other.exists()
