"""A busy server's records are written by a process of their own, as if by the server itself."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import NoReturn

import anyio
import msgspec
import pytest
from anyio import to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.conversation.commands import (
    LineState,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteTool,
    NoteUsage,
    Speaker,
    ToolState,
)
from switchboard.conversation.events import Usage
from switchboard.records.clerk import desk as desks
from switchboard.records.clerk.__main__ import Clerk, Collected
from switchboard.records.clerk.desk import Desk
from switchboard.records.clerk.wire import Done, Errand, framed
from switchboard.records.history import CallHistory, history
from switchboard.records.opening import Opening
from switchboard.records.recorder import MANY_ROWS, Recorder
from switchboard.records.redaction.kinds import FULL, USUAL, Pattern, Redaction
from switchboard.records.schema import Call, Item
from switchboard.records.store import Store, sqlite_url

ORDERS = Redaction(patterns=(Pattern("order", r"NW-\d{4}"),))


def opening(call_id: str, redaction: Redaction = FULL) -> Opening:
    return Opening(call_id, "local", "bank", "m", "v", "browser", 100.0, redaction=redaction)


def line(words: str, item: str, state: LineState = LineState.FINAL) -> NoteLine:
    return NoteLine(item, Speaker.CALLER, words, state, 10)


def refuse(*_: object) -> NoReturn:
    raise AssertionError("The server itself was to write nothing.")


async def known(store: Store, call_id: str = "c1") -> CallHistory:
    found = await history(store, call_id)
    assert found is not None
    return found


@asynccontextmanager
async def taken(store: Store) -> AsyncGenerator[Desk]:
    """A desk at which somebody sits."""
    desk = Desk(store)
    async with desk.running():
        desk.want()
        await until_taken(desk)
        yield desk


async def until_taken(desk: Desk) -> None:
    with anyio.fail_after(60):
        while not desk.is_taken:  # noqa: ASYNC110  (another process)
            await anyio.sleep(0.02)


async def test_what_a_clerk_writes_is_what_the_server_would_have_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with taken(store) as desk:
        monkeypatch.setattr(Store, "write", refuse)
        recorder = Recorder(store, desk=desk)
        recorder.open_call(opening("c1", ORDERS))
        recorder.open_call(opening("c2"))
        said = "My card is 4242 4242 4242 4242, and the order is NW-1234."
        for call_id in ("c1", "c2"):
            recorder.note(call_id, line(said, "i1"), 0)
            recorder.note(call_id, line("I would like to pay", "i2", LineState.PARTIAL), 0)
        recorder.note("c1", NoteTool("t1", "pay", '{"to": 1}', ToolState.DONE, 20, "{}", 8.0), 0)
        recorder.note("c1", NoteInterruption("i0", 120, 900, 5), 0)
        recorder.note("c1", NoteLatency("r1", 410), 50.0)
        recorder.note("c1", NoteUsage("r1", Usage(output_audio=55), 0.01), 0)
        recorder.close_call("c1", "rang off at 4242424242424242", 160.0)
        await recorder.flush()

        first, second = await known(store), await known(store, "c2")
    assert first.items[0].text == "My card is [card], and the order is [order]."
    assert second.items[0].text == "My card is [card], and the order is NW-1234."
    assert second.items[1].text == "I would"  # the rest may become something
    assert (first.tool_calls[0].duration_ms, first.interruptions[0].heard_ms) == (8.0, 120)
    assert (first.replies[0].first_audio_ms, first.replies[0].cost_usd) == (410, 0.01)
    assert (first.call.ended_at, first.call.end_reason) == (160, "rang off at [card]")
    assert recorder.dropped == 0


async def test_one_comes_once_there_is_much_to_write(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk(store)
    recorder = Recorder(store, desk=desk, batch_s=0.01)
    recorder.open_call(opening("c1"))
    count = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.run)
        recorder.note("c1", line("Hello.", "first"), 0)
        await recorder.flush()
        assert not desk.is_taken  # not for this little
        with anyio.fail_after(60):
            while not desk.is_taken:
                for _ in range(MANY_ROWS):
                    recorder.note("c1", line("And more.", f"i{count}"), 0)
                    count += 1
                await anyio.sleep(0.02)
        recorder.note("c1", line("By another hand.", "last"), 0)
        await recorder.flush()
        assert len((await known(store)).items) == count + 2
        tasks.cancel_scope.cancel()
    assert "records are written by a process of their own" in caplog.messages
    assert not desk.is_taken


async def test_whoever_is_killed_costs_nothing_and_another_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(desks, "AGAIN_S", 0.1)
    async with taken(store) as desk:
        recorder = Recorder(store, desk=desk)
        recorder.open_call(opening("c1"))
        await recorder.flush()
        assert desk._seated is not None  # pyright: ignore[reportPrivateUsage]  (whom to kill)
        desk._seated.process.kill()  # pyright: ignore[reportPrivateUsage]
        recorder.note("c1", line("Written all the same.", "i1"), 0)
        await recorder.flush()
        assert not desk.is_taken
        assert [item.text for item in (await known(store)).items] == ["Written all the same."]
        assert "records process gone" in caplog.messages

        desk.want()
        await until_taken(desk)
        recorder.note("c1", line("By the next.", "i2"), 0)
        await recorder.flush()
    assert len((await known(store)).items) == 2
    assert recorder.dropped == 0


async def test_a_bad_row_costs_only_itself_and_the_servers_log_says_so(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async with taken(store) as desk:
        recorder = Recorder(store, desk=desk)
        recorder.open_call(opening("c1"))
        recorder.note("c1", line("kept", "i1"), 0)
        recorder.note("no such call", line("secret words", "i2"), 0)
        await recorder.flush()
    assert [item.text for item in (await known(store)).items] == ["kept"]
    assert recorder.dropped == 1
    refused = [record for record in caplog.records if record.message == "row refused"]
    assert [record.__dict__["table"] for record in refused] == ["items"]
    assert "secret words" not in caplog.text


async def test_what_a_busy_database_did_not_take_is_written_later(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    async with Store(url).opened() as store, taken(store) as desk:
        recorder = Recorder(store, desk=desk)
        recorder.open_call(opening("c1"))
        async with store.writing():  # for longer than anybody waits
            await recorder.flush()
            assert recorder.is_away
        recorder.note("c1", line("Later.", "i1"), 0)
        await recorder.flush()
        assert not recorder.is_away
        assert [item.text for item in (await known(store)).items] == ["Later."]


async def test_more_than_one_errand_holds_keeps_each_call_before_its_lines(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "ROWS", 3)
    async with taken(store) as desk:
        recorder = Recorder(store, desk=desk)
        for number in range(5):  # its lines wait before the next call's row
            recorder.open_call(opening(f"c{number}"))
            for item in range(4):
                recorder.note(f"c{number}", line("Hello.", f"i{item}"), 0)
        await recorder.flush()
        assert recorder.dropped == 0
        assert [len((await known(store, f"c{number}")).items) for number in range(5)] == [4] * 5


async def test_of_what_a_database_did_not_take_nothing_more_is_tried(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else lines would be refused for good, for want of the call that they belong to."""
    monkeypatch.setattr(desks, "ROWS", 2)
    asked: list[Errand] = []

    async def ask(_: Desk, errand: Errand) -> Done:
        asked.append(errand)
        return Done([1], away=True)

    monkeypatch.setattr(Desk, "_ask", ask)
    rows = {(Item, ("c1", f"i{number}")): line("Hello.", f"i{number}") for number in range(3)}
    call = {(Call, ("c1",)): {"id": "c1"}}
    done = await Desk(store).write({**rows, **call}, lambda _: FULL, away=False)
    assert [slip.table for slip in asked[0].rows] == ["calls", "items"]
    assert (sorted(done.left), done.away, len(asked)) == ([0, 1, 2], True, 1)


async def test_what_has_no_form_on_the_way_costs_no_clerk(store: Store) -> None:
    async with taken(store) as desk:
        recorder = Recorder(store, desk=desk)
        recorder.open_call(opening("c1"))
        recorder.note("c1", line("kept", "i1"), 0)
        recorder.note("c1", NoteUsage("r1", Usage(output_audio=2**70), 0.01), 0)
        await recorder.flush()
        assert desk.is_taken
        assert [item.text for item in (await known(store)).items] == ["kept"]
        assert recorder.dropped == 1


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "print('?')", "1 / 0"])
async def test_what_does_not_answer_is_no_clerk(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    program: str,
) -> None:
    monkeypatch.setattr(desks, "START_S", 0.5)
    monkeypatch.setattr(desks, "END_S", 0.1)
    desk = Desk(store, (sys.executable, "-c", program))
    async with desk.running():
        desk.want()
        with anyio.fail_after(30):
            while "no process for the records" not in caplog.messages:  # noqa: ASYNC110  (a log)
                await anyio.sleep(0.02)
        assert not desk.is_taken


async def test_a_clerk_ends_with_its_server_even_with_one_that_is_killed(tmp_path: Path) -> None:
    server = dedent(
        """
        import asyncio, sys
        from switchboard.records.clerk.desk import Desk
        from switchboard.records.store import Store

        async def serve():
            async with Store(sys.argv[1]).opened() as store:
                desk = Desk(store)
                async with desk.running():
                    desk.want()
                    while not desk.is_taken:
                        await asyncio.sleep(0.02)
                    print(desk._seated.process.pid, flush=True)
                    await asyncio.sleep(60)

        asyncio.run(serve())
        """
    )
    command = [sys.executable, "-c", server, sqlite_url(tmp_path)]
    process = await anyio.open_process(command, stderr=subprocess.DEVNULL)
    async with process:
        assert process.stdout is not None
        with anyio.fail_after(60):
            clerk = int(await process.stdout.receive())
        os.kill(clerk, signal.SIGINT)  # as a terminal sends it to both
        os.kill(clerk, signal.SIGTERM)
        os.kill(clerk, 0)  # is there
        process.kill()
        with anyio.fail_after(30):
            while _is_running(clerk):  # noqa: ASYNC110  (nobody tells)
                await anyio.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Not gone, nor waiting for whoever inherits it to notice."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


async def test_a_message_that_is_none_ends_the_clerk(store: Store) -> None:
    async with taken(store) as desk:
        seated = desk._seated  # pyright: ignore[reportPrivateUsage]
        assert seated is not None
        seated.writer.write(framed(Done()))  # no errand
        assert await to_thread.run_sync(seated.process.wait, 30) != 0


type Noted = tuple[str, NoteLine | NoteTool | NoteInterruption | NoteLatency | NoteUsage]
_words = st.text(max_size=30)
_notes = st.one_of(
    st.builds(
        NoteLine,
        item_id=st.sampled_from(["i1", "i2"]),
        speaker=st.sampled_from(Speaker),
        text=_words,
        state=st.sampled_from(LineState),
        began_ms=st.floats(0, 1e6),
        heard_chars=st.none() | st.integers(0, 30),
        typed=st.booleans(),
        growing=st.booleans(),
    ),
    st.builds(
        NoteTool,
        call_id=st.sampled_from(["t1", "t2"]),
        name=_words,
        arguments=_words,
        state=st.sampled_from(ToolState),
        began_ms=st.floats(0, 1e6),
        result=st.none() | _words,
        duration_ms=st.none() | st.floats(0, 1e6),
    ),
    st.builds(NoteInterruption, st.just("i1"), *[st.integers(0, 10_000)] * 3),
    st.builds(NoteLatency, st.just("r1"), st.integers(0, 10_000)),
)
_redactions = st.sampled_from([FULL, ORDERS, Redaction(kinds=frozenset(list(USUAL)[:1]))])


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.tuples(st.sampled_from(["c1", "c2"]), _notes), max_size=20), _redactions)
def test_every_row_is_the_same_by_either_hand(
    noted: list[tuple[str, NoteLine]], rules: Redaction
) -> None:
    here, there = Kept(), Kept()
    asyncio.run(_write_both(noted, rules, here, there))
    assert there.batches == here.batches


class Kept:
    """Takes a store's place at a writer, and keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[object] = []
        self.replica = "r1"
        self.away = False

    async def write(self, work: object) -> None:
        self.batches.append({key: dict(row) for key, row in work.args[0].items()})  # type: ignore[attr-defined]

    async def shown(self) -> None:
        return None


class Across(Desk):
    """To a clerk in this process: what is told is written and read as on the socket."""

    clerk: Clerk

    async def _ask(self, errand: Errand) -> Done:
        data = framed(errand)[4:]
        return await self.clerk.do(msgspec.msgpack.decode(data, type=Errand))

    @property
    def is_taken(self) -> bool:
        return True


async def _write_both(
    noted: list[tuple[str, NoteLine]], rules: Redaction, here: Kept, there: Kept
) -> None:
    across = Across(there)  # type: ignore[arg-type]
    across.clerk = Clerk(there, Collected())  # type: ignore[arg-type]
    for recorder in (Recorder(here), Recorder(there, desk=across)):  # type: ignore[arg-type]
        for call_id in ("c1", "c2"):
            recorder.open_call(opening(call_id, rules))
        for call_id, note in noted:
            recorder.note(call_id, note, 1.0)
        await recorder.flush()
