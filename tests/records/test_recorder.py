"""The recorder notes at once, writes soon, and never stands in a call's way."""

import logging
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import event

from switchboard.conversation.commands import (
    Floor,
    LineState,
    NoteFloor,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteTool,
    NoteUsage,
    Speaker,
    ToolState,
)
from switchboard.conversation.events import Usage
from switchboard.records.history import CallHistory, history
from switchboard.records.opening import Opening
from switchboard.records.recorder import Recorder
from switchboard.records.store import Store, sqlite_url
from tests.databases import Cluster

BLUE = "It is the blue one, and it lies on the kitchen table at home, beside the old radio. "


def line(words: str, state: LineState, item: str = "i1", began_ms: float = 10) -> NoteLine:
    return NoteLine(item, Speaker.CALLER, words, state, began_ms)


def opened(recorder: Recorder, call_id: str = "c1") -> None:
    recorder.open_call(
        Opening(
            call_id,
            principal_id="local",
            agent="bank",
            model="gpt-realtime",
            voice="marin",
            channel="browser",
            began_at=100.0,
        )
    )


async def known(store: Store, call_id: str = "c1") -> CallHistory:
    found = await history(store, call_id)
    assert found is not None
    return found


async def test_a_call_is_read_back_as_it_happened(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", line("Block my", LineState.PARTIAL), 0)
    recorder.note("c1", line("Block my card", LineState.FINAL), 0)
    recorder.note("c1", line("Hello", LineState.CUT, "i0", began_ms=0), 0)
    asked = NoteTool("t1", "block_card", '{"card": "1"}', ToolState.RUNNING, 20)
    recorder.note("c1", asked, 0)
    recorder.note("c1", NoteInterruption("i0", 120, 900, 5), 0)
    recorder.note("c1", NoteLatency("r1", 410), 0)
    recorder.note("c1", NoteUsage("r1", Usage(output_audio=55), 0.01), 0)
    recorder.note("c1", NoteFloor(Floor.AGENT), 0)
    await recorder.flush()
    recorder.note("c1", NoteTool("t1", "block_card", "{}", ToolState.DONE, 20, "{}", 8.0), 0)
    recorder.close_call("c1", "goodbye", 160.0)
    await recorder.flush()

    found = await known(store)
    assert (found.call.agent, found.call.ended_at, found.call.end_reason) == (
        "bank",
        160,
        "goodbye",
    )
    assert [(item.text, item.state) for item in found.items] == [
        ("Hello", "cut"),
        ("Block my card", "final"),
    ]
    assert [(tool.state, tool.duration_ms) for tool in found.tool_calls] == [("done", 8.0)]
    assert [cut.heard_ms for cut in found.interruptions] == [120]
    assert [(r.first_audio_ms, r.output_audio, r.cost_usd) for r in found.replies] == [
        (410, 55, 0.01)
    ]


async def test_each_call_is_closed_with_its_own_reason(store: Store) -> None:
    recorder = Recorder(store)
    for call_id in ("c1", "c2", "c3"):
        opened(recorder, call_id)
    await recorder.flush()

    recorder.close_call("c2", "goodbye", 160.0)
    await recorder.flush()
    recorder.close_call("c3", "silence", 170.0)
    recorder.close_call("c1", "budget", 180.0)
    await recorder.flush()

    reasons = [(await known(store, call_id)).call.end_reason for call_id in ("c1", "c2", "c3")]
    assert reasons == ["budget", "goodbye", "silence"]
    assert recorder.dropped == 0


async def test_the_writer_writes_soon_and_once_more_when_stopped(store: Store) -> None:
    recorder = Recorder(store, batch_s=0.05)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.run)
        opened(recorder)
        with anyio.fail_after(20):
            while await history(store, "c1") is None:  # noqa: ASYNC110  (another connection's commit)
                await anyio.sleep(0.01)
        recorder.close_call("c1", "goodbye", 160.0)
        tasks.cancel_scope.cancel()
    assert (await known(store)).call.end_reason == "goodbye"


async def test_a_database_in_memory_takes_records_too() -> None:
    async with Store("sqlite+aiosqlite://").opened() as store:
        recorder = Recorder(store)
        opened(recorder)
        await recorder.flush()
        assert (await known(store)).call.id == "c1"
        assert recorder.dropped == 0


async def test_a_line_that_changes_often_is_written_once(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    for length in range(1, 200):
        recorder.note("c1", line("x" * length, LineState.FINAL), 0)
    statements: list[str] = []
    engine = store._behind or store._engine.sync_engine  # pyright: ignore[reportPrivateUsage]  (counts what reaches the database)

    def count(*arguments: object) -> None:
        statements.append(str(arguments[2]).split()[0])

    event.listen(engine, "before_cursor_execute", count)
    await recorder.flush()
    assert statements.count("INSERT") == len(statements) - statements.count("BEGIN") == 2
    assert len((await known(store)).items[0].text) == 199


async def test_a_full_queue_drops_counts_and_says_so(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(store, limit=3)
    opened(recorder)
    for number in range(10):
        recorder.note("c1", line("secret words", LineState.FINAL, f"i{number}"), 0)
    opened(recorder, "c2")  # a call's own row is never dropped
    with caplog.at_level(logging.ERROR):
        await recorder.flush()
    assert recorder.dropped == 8
    assert [(record.message, record.__dict__["rows"]) for record in caplog.records] == [
        ("records dropped", 8)
    ]
    assert len((await known(store)).items) == 2
    assert await history(store, "c2") is not None


async def test_one_bad_row_costs_only_itself(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", line("kept", LineState.FINAL), 0)
    recorder.note("no such call", line("lost", LineState.FINAL), 0)
    await recorder.flush()
    assert [item.text for item in (await known(store)).items] == ["kept"]
    assert recorder.dropped == 1


async def test_a_row_the_driver_itself_chokes_on_costs_only_itself(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", NoteUsage("r1", Usage(output_audio=2**64), None), 0)
    recorder.note("c1", line("Hello", LineState.FINAL), 0)
    await recorder.flush()

    assert [item.text for item in (await known(store)).items] == ["Hello"]
    assert recorder.dropped == 1


async def test_a_busy_database_is_tried_again(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path), busy_timeout_ms=50).opened() as store:
        recorder = Recorder(store)
        opened(recorder)
        async with store.writing():
            await recorder.flush()
        assert await history(store, "c1") is None
        recorder.close_call("c1", "goodbye", 160.0)
        await recorder.flush()
        assert (await known(store)).call.end_reason == "goodbye"
        assert recorder.dropped == 0


async def test_a_database_that_is_away_costs_no_row(
    cluster: Cluster, shared_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a server fails over: its connections break, and for a while there are none."""
    name = shared_url.rpartition("/")[2]
    async with Store(shared_url).opened() as store:
        recorder = Recorder(store)
        opened(recorder)
        await recorder.flush()
        await cluster.run(
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        with caplog.at_level(logging.INFO):
            for word in ("Block", "Block my", "Block my card"):
                recorder.note("c1", line(word, LineState.FINAL), 0)
                await recorder.flush()
            await cluster.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            recorder.close_call("c1", "goodbye", 160.0)
            await recorder.flush()
        found = await known(store)
    assert [item.text for item in found.items] == ["Block my card"]
    assert (found.call.end_reason, recorder.dropped) == ("goodbye", 0)
    said = [record.message for record in caplog.records if "writer" in record.name]
    assert said == ["database away or busy", "database back"]


async def test_what_no_database_could_keep_is_mended(store: Store) -> None:
    """Half a surrogate pair and NUL, which a service may send; and more than there is room for."""
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", line("a\0b \ud83d c \U0001f600", LineState.FINAL), 0)
    recorder.note("c1", NoteTool("t1", "n" * 300, "{\0}", ToolState.DONE, 20, "\0", 8.0), 0)
    recorder.close_call("c1", "r" * 300, 160.0)
    await recorder.flush()
    found = await known(store)
    assert [item.text for item in found.items] == ["a\ufffdb \ufffd c \U0001f600"]
    [tool] = found.tool_calls
    assert (tool.name, tool.arguments, tool.result) == ("n" * 128, "{\ufffd}", "\ufffd")
    assert found.call.end_reason == "r" * 200
    assert recorder.dropped == 0


async def test_a_name_that_is_too_long_costs_only_its_row(shared_url: str) -> None:
    """SQLite keeps it; PostgreSQL refuses it."""
    async with Store(shared_url).opened() as store:
        recorder = Recorder(store)
        opened(recorder)
        recorder.note("c1", line("lost", LineState.FINAL, item="i" * 129), 0)
        recorder.note("c1", line("kept", LineState.FINAL), 0)
        await recorder.flush()
        assert [item.text for item in (await known(store)).items] == ["kept"]
    assert recorder.dropped == 1


async def test_a_writer_stopped_half_way_loses_nothing(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.run)
        await anyio.lowlevel.checkpoint()  # it has begun, and not finished
        tasks.cancel_scope.cancel()
    assert (await known(store)).call.agent == "bank"


async def test_calls_left_open_by_a_crash_are_closed_at_the_next_start(store: Store) -> None:
    before = Recorder(store)
    opened(before, "crashed")
    opened(before, "ended")
    before.close_call("ended", "goodbye", 160.0)
    await before.flush()

    assert await Recorder(store).close_left_open(now=500.0) == 1
    crashed, ended = (await known(store, "crashed")).call, (await known(store, "ended")).call
    assert (crashed.end_reason, crashed.ended_at) == ("interrupted", 500.0)
    assert (ended.end_reason, ended.ended_at) == ("goodbye", 160.0)


async def test_an_unknown_call_has_no_history(store: Store) -> None:
    assert await history(store, "never") is None


async def test_a_flush_waits_for_what_another_is_writing(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    recorder.close_call("c1", "goodbye", 160.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.flush)
        await anyio.lowlevel.checkpoint()  # it has taken what there was
        await recorder.flush()
        assert (await known(store)).call.end_reason == "goodbye"


async def test_a_line_that_grows_is_written_now_and_then_and_at_once_when_it_is_whole(
    store: Store,
) -> None:
    recorder = Recorder(store, batch_s=0.001, grows_s=600)

    async def texts(count: int, last: str | None = None) -> list[str]:
        """Once there are so many, and the newest is that."""
        with anyio.fail_after(20):
            while True:
                found = await history(store, "c1")
                said = [item.text for item in found.items] if found else []
                if len(said) == count and last in (None, said[-1]):
                    return said
                await anyio.sleep(0.01)

    third = ""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.run)
        opened(recorder)
        recorder.note("c1", line("I want to block", LineState.PARTIAL), 0)
        [first] = await texts(1)  # of the newest words one cannot say yet what they are part of
        recorder.note("c1", line("I want to block my old card", LineState.PARTIAL), 0)
        recorder.note("c1", line("Yes?", LineState.FINAL, "i0", began_ms=5), 0)
        assert await texts(2) == ["Yes?", first]
        whole = "I want to block my old card, please."
        recorder.note("c1", line(whole, LineState.FINAL), 0)
        await texts(2, whole)
        recorder.note("c1", line(BLUE, LineState.PARTIAL, "i3", began_ms=30), 0)
        [*_, third] = await texts(3)
        recorder.note("c1", line(BLUE * 3, LineState.PARTIAL, "i3", 30), 0)
        tasks.cancel_scope.cancel()
    assert len((await texts(3))[-1]) > len(third)  # what waits is written in the end


async def test_what_waits_when_a_call_is_let_go_takes_nothing_more_of_it(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", NoteTool("t1", "block_card", "{}", ToolState.RUNNING, 20), 0)
    recorder.let_go("c1")
    recorder.note("c1", NoteTool("t1", "block_card", "{}", ToolState.FAILED, 20), 0)
    await recorder.flush()
    [tool] = (await known(store)).tool_calls
    assert tool.state == ToolState.RUNNING
