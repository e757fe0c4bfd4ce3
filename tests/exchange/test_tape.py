"""A call from the page is recorded: both sides where they were heard, nothing that is private."""

from array import array
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.events import RecordingState
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.conversation.noticing import RECORDING
from switchboard.conversation.rules import Recording, Rules
from switchboard.exchange.tape import Tape, TapeDeck
from switchboard.records.recordings import RecordingTable
from switchboard.records.reel import Reel
from switchboard.records.shelf import DIRECTORY, NoRoom
from tests.exchange.house import House, house
from tests.exchange.legs import Caller, Model, until
from tests.records.test_reel import sides, tone

ASKED = Recording("May we record this call?", consent=True)
RULES = Rules(tools={}, reattach_s=1, silence_s=100, recording=ASKED)


class Bench:
    """A tape, its clock by hand, and a file."""

    def __init__(self, path: Path) -> None:
        self.now = 100.0
        self.private = False
        self.path = path
        self.told: list[RecordingState] = []
        self.states: list[str] = []
        self.full = False
        self.tape = Tape(
            "c1",
            TapeDeck(self, self),
            private=lambda: self.private,
            tell=self.told.append,
            clock=lambda: self.now,
        )

    async def begin(self, call_id: str) -> Reel:
        if self.full:
            raise NoRoom("full")
        return Reel(self.path / f"{call_id}.wav")

    def grew(self, size_bytes: int) -> None:
        if self.full:
            raise NoRoom("full")

    def done(self, call_id: str) -> None: ...

    async def put(
        self, call_id: str, state: str, at: float, *, kept: str, duration_ms: float | None = None
    ) -> None:
        assert (call_id, kept) == ("c1", "here")
        self.states.append(state)

    async def recorded(self, play: Callable[[], None]) -> tuple[list[int], list[int]]:
        """Run it while `play` plays; what is in the file."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.tape.run)
            self.tape.want(on=True)
            await until(lambda: self.told)
            play()
            tasks.cancel_scope.cancel()
        return sides(self.path / "c1.wav")

    def wait(self, ms: float) -> None:
        self.now += ms / 1_000

    def speaks(self, level: int, frames: int) -> None:
        for _ in range(frames):
            self.wait(20)
            self.tape.caller(tone(level, 20), 20)


async def test_a_reply_stands_where_it_was_heard_and_ends_where_it_was_cut(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def play() -> None:
        bench.speaks(7, 50)
        for at in range(0, 1_000, 100):  # made at once, faster than it is spoken
            bench.tape.agent("i1", at, 100, tone(at + 1, 100))
        bench.wait(100)
        bench.tape.heard("i1", 100)
        bench.wait(104)  # a report that comes a little late leaves no gap
        bench.tape.heard("i1", 200)
        bench.wait(50)
        bench.tape.hush()
        bench.tape.heard("i1", 250)
        bench.wait(2_000)
        bench.tape.agent("i2", 0, 100, tone(5_000, 100))
        bench.wait(100)
        bench.tape.heard("i2", 100)

    caller, agent = await bench.recorded(play)
    assert caller[:1_000] == [7] * 1_000
    assert agent[:1_250] == [0] * 1_000 + [1] * 100 + [101] * 100 + [201] * 50
    assert set(agent[1_250:3_250]) == {0}, "the rest was never heard"
    assert agent[3_254:3_354] == [5_000] * 100
    assert bench.states == ["running", "stopped"]


async def test_a_line_that_is_away_leaves_silence_of_its_length(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def play() -> None:
        bench.speaks(7, 10)
        bench.wait(5_000)
        bench.speaks(9, 10)

    caller, _ = await bench.recorded(play)
    assert caller == [7] * 200 + [0] * 5_000 + [9] * 200


async def test_a_network_that_stalls_tears_nothing_apart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def play() -> None:
        bench.speaks(7, 10)
        bench.wait(600)
        for _ in range(30):
            bench.tape.caller(tone(9, 20), 20)  # all that was held up, at once

    caller, _ = await bench.recorded(play)
    assert caller == [7] * 200 + [9] * 600


async def test_what_is_private_and_what_is_paused_is_silence(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def play() -> None:
        bench.tape.agent("i1", 0, 3_000, tone(3, 3_000))
        for private, wanted in ((False, True), (True, True), (False, False), (False, True)):
            bench.private = private
            bench.tape.want(on=wanted)
            bench.speaks(7, 100)
            bench.tape.heard("i1", (bench.now - 100) * 1_000 / 4)

    caller, agent = await bench.recorded(play)
    assert caller == [7] * 2_000 + [0] * 4_000 + [7] * 2_000
    heard = [at for at, level in enumerate(agent) if level]
    assert min(heard) == 1_500
    assert not [at for at in heard if 2_000 <= at < 7_500]
    assert max(heard) == 7_999


async def test_more_than_fits_is_not_kept_in_memory(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    long = tone(1, 1_000) * 60

    def play() -> None:
        for at in range(20):
            bench.tape.agent("i1", at * 60_000, 60_000, long)
            assert sum(len(a) for i in bench.tape._items.values() for *_, a in i.made) <= 24_000_000  # pyright: ignore[reportPrivateUsage]
        bench.tape.hush()
        bench.tape.agent("i2", 0, 20, tone(1, 20))
        assert set(bench.tape._items) == {"i2"}  # pyright: ignore[reportPrivateUsage]

    await bench.recorded(play)


async def test_a_full_disk_is_told_at_once_and_in_between(tmp_path: Path) -> None:
    for full_first in (True, False):
        bench = Bench(tmp_path)
        bench.full = full_first
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bench.tape.run)
            bench.tape.want(on=True)
            await until(lambda bench=bench: bench.told)
            bench.full = True
            bench.tape.want(on=True)
            await until(lambda bench=bench: bench.told[-1] is RecordingState.FAILED)
        assert bench.states[-1] == "failed"


# -- on a call ----------------------------------------------------------------------------------


async def agrees(home: House, caller: Caller) -> tuple[str, Model]:
    call_id, model = await home.call(caller)
    await until(lambda: caller.notes(c.NoteRecording))
    caller.does(e.CallerDecided(RECORDING, agreed=True))
    return call_id, model


def stands(caller: Caller) -> list[c.Recorded]:
    return [note.state for note in caller.notes(c.NoteRecording)]


async def test_who_agrees_is_recorded_and_sees_so(tmp_path: Path) -> None:
    async with house(tmp_path, RULES, recordings_mb=10) as home:
        caller = Caller()
        call_id, model = await agrees(home, caller)
        await until(lambda: c.Recorded.RUNNING in stands(caller))
        caller.does(CallerAudio(tone(7, 20)))
        model.does(
            e.ReplyStarted("r1"),
            e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
            ReplyAudio("r1", "i1", b64encode(array("h", [9] * 480).tobytes()).decode()),
            e.ReplyDone("r1", e.ReplyStatus.COMPLETED),
        )
        await until(lambda: caller.played)
        await anyio.sleep(0.03)  # nobody is believed to have heard faster than time passes
        caller.does(e.Heard("i1", 20))
        tape = home.switchboard.find(call_id)._tape  # pyright: ignore[reportPrivateUsage]
        assert tape is not None
        await until(lambda: tape._items["i1"].heard_ms == 20)  # pyright: ignore[reportPrivateUsage]
        await home.switchboard.end(call_id, "test")
        await until(lambda: not home.switchboard.live())
        kept = await RecordingTable(home.store).of(call_id)
        assert kept is not None
        assert (kept.state, kept.where) == ("stopped", [])
        caller_side, agent_side = sides(tmp_path / DIRECTORY / f"{call_id}.wav")
        assert kept.duration_ms == pytest.approx(len(caller_side), abs=1)
        assert caller_side.count(7) == 20
        assert agent_side.count(9) == 20


async def test_without_a_yes_there_is_no_file_and_no_row(tmp_path: Path) -> None:
    async with house(tmp_path, RULES, recordings_mb=10) as home:
        caller = Caller()
        call_id, _ = await home.call(caller)
        await until(lambda: caller.notes(c.NoteRecording))
        caller.does(CallerAudio(tone(7, 20)), e.CallerDecided(RECORDING, agreed=False))
        await until(lambda: c.Recorded.OFF in stands(caller))
        await home.switchboard.end(call_id, "test")
        await until(lambda: not home.switchboard.live())
        assert await RecordingTable(home.store).of(call_id) is None
        assert not list((tmp_path / DIRECTORY).glob("*"))


async def test_where_there_is_no_room_the_caller_is_told_that_it_is_not_recorded(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, RULES, recordings_mb=0) as home:
        caller = Caller()
        await agrees(home, caller)
        await until(lambda: c.Recorded.OFF in stands(caller))
        codes = [note.code for note in caller.notes(c.NoteNotice)]
        assert codes == ["not_recorded"]


async def test_whoever_comes_back_is_told_again(tmp_path: Path) -> None:
    async with house(tmp_path, RULES, recordings_mb=10) as home:
        caller, again = Caller(), Caller()
        call_id, _ = await agrees(home, caller)
        await until(lambda: c.Recorded.RUNNING in stands(caller))
        home.join(call_id, again)
        await until(lambda: stands(again) == [c.Recorded.RUNNING])
