"""Calls through the exchange: two scripted legs, everything between them real."""

import asyncio
from pathlib import Path

import anyio
import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.errors import LinesBusy, ModelUnavailable, NotAllowed, ServerStopping
from switchboard.exchange import Lines
from switchboard.records.history import history
from tests.exchange.house import FRAME, house, told
from tests.exchange.legs import Caller, until


async def test_audio_runs_both_ways_as_it_came(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)
        audio = ReplyAudio("r1", "i1", FRAME)

        caller.does(CallerAudio(FRAME))
        model.does(e.ReplyStarted("r1"), audio)

        assert (await until(lambda: model.heard))[0] is FRAME
        assert (await until(lambda: caller.played))[0] is audio


async def test_what_the_caller_says_before_the_model_is_there_is_not_lost(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        caller.does(CallerAudio(FRAME), CallerAudio(FRAME))
        _, model = await here.call(caller)

        await until(lambda: model.told == [c.AppendAudio(2 * FRAME)])


async def test_what_the_model_never_got_does_not_count_as_waiting(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        here.join(here.place(), caller)
        [model] = await until(lambda: here.service.dialled[-1:])
        caller.does(*[CallerAudio(FRAME)] * 1_000)  # twenty seconds, of which fifteen are kept
        await anyio.sleep(0.05)

        model.does(e.ModelReady("s1"), e.SpeechStarted("u1", 0))
        model.does(e.SpeechStopped("u1", 14_900), e.ReplyStarted("r1"))
        model.does(ReplyAudio("r1", "i1", FRAME))

        [latency] = await until(lambda: caller.notes(c.NoteLatency))
        assert sum(len(t.audio) for t in model.told if isinstance(t, c.AppendAudio)) == 750 * 1280
        assert latency.first_audio_ms == pytest.approx(100, abs=90)


async def test_after_a_barge_in_no_late_audio_reaches_the_caller(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)
        model.does(
            e.ReplyStarted("r1"),
            e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
            ReplyAudio("r1", "i1", FRAME),
            e.SpeechStarted("u1", 0),
            ReplyAudio("r1", "i1", FRAME),
            ReplyAudio("r1", "i1", FRAME),
            e.ReplyDone("r1", e.ReplyStatus.CANCELLED),
            e.TurnCommitted("u1"),
        )

        await until(lambda: [n for n in caller.notes(c.NoteLine) if n.item_id == "u1"])

        assert len(caller.played) == 1
        assert caller.stops == 1


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("add_up", '{"first": 2, "second": 3}', "5"),
        ("add_up", '{"first": "two"}', "second"),
        ("give_up", "{}", "The archive is closed today."),
        ("sleep_long", "{}", "1.5 seconds"),
        ("add_upp", "{}", "add_up"),
        ("rm_rf", "{}", "no tool"),
    ],
)
async def test_every_tool_call_is_answered_whatever_the_tool_does(
    tmp_path: Path, name: str, arguments: str, said: str
) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)

        model.does(
            e.ReplyStarted("r1"),
            e.ToolRequested("r1", "f1", "c1", name, arguments),
            e.ReplyDone("r1", e.ReplyStatus.COMPLETED),
        )

        [answer] = await until(lambda: told(model, c.AddToolOutput))
        assert said in answer.output
        await until(lambda: told(model, c.RequestReply))


async def test_audio_flows_while_a_tool_hangs(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)
        model.does(e.ReplyStarted("r1"), e.ToolRequested("r1", "f1", "c1", "sleep_long", "{}"))
        await until(lambda: caller.notes(c.NoteTool))

        caller.does(CallerAudio(FRAME))
        model.does(ReplyAudio("r1", "i1", FRAME))

        await until(lambda: model.heard and caller.played)
        assert not told(model, c.AddToolOutput)


async def test_a_model_that_cannot_be_had_is_said_so_and_the_call_ends(tmp_path: Path) -> None:
    refusal = ModelUnavailable("no such deployment", retryable=False, status=404)
    async with house(tmp_path, refuse=refusal) as here:
        caller = Caller()
        call_id = here.place()
        here.join(call_id, caller)

        reason = await until(lambda: caller.closed)

        assert reason is not None
        assert "no such deployment" in reason
        assert [n.code for n in caller.notes(c.NoteNotice)] == ["model_lost"]


async def test_a_lost_caller_comes_back_to_the_same_call_and_sees_what_was_said(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        first = Caller()
        call_id, model = await here.call(first)
        first.does(e.CallerTyped("t1", "Hello?"))
        await until(lambda: first.notes(c.NoteLine))
        first.drops()
        await anyio.sleep(0.05)

        second = Caller()
        here.join(call_id, second)
        second.does(CallerAudio(FRAME))

        await until(lambda: model.heard)
        assert [line.text for line in second.notes(c.NoteLine)] == ["Hello?"]
        assert len(here.service.dialled) == 1


async def test_a_caller_who_does_not_come_back_leaves_nothing_behind(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        before = len(asyncio.all_tasks())
        caller = Caller()
        call_id, _ = await here.call(caller)
        caller.drops()

        await until(lambda: here.switchboard.live() == 0)

        assert here.service.open == 0
        await until(lambda: len(asyncio.all_tasks()) <= before)
        with pytest.raises(NotAllowed):
            await here.switchboard.carry(call_id, Caller())


async def test_the_newer_socket_wins(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        first, second = Caller(), Caller()
        call_id, model = await here.call(first)

        here.join(call_id, second)
        await until(lambda: first.closed)
        second.does(CallerAudio(FRAME))

        await until(lambda: model.heard)
        assert first.closed == "replaced"
        assert here.switchboard.live() == 1


async def test_what_the_older_socket_had_still_to_play_counts_as_unheard(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        first, second = Caller(), Caller()
        call_id, model = await here.call(first)
        model.does(e.ReplyStarted("r1"), e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE))
        model.does(ReplyAudio("r1", "i1", 50 * FRAME), e.ReplyDone("r1", e.ReplyStatus.COMPLETED))
        await until(lambda: first.played)

        here.join(call_id, second)

        await until(lambda: c.DeleteItem("i1") in model.told)
        await until(lambda: [told for told in model.told if isinstance(told, c.RequestReply)])
        assert first.closed == "replaced"


async def test_busy_lines_refuse_and_a_line_nobody_came_for_is_free_again(tmp_path: Path) -> None:
    async with house(tmp_path, lines=Lines(calls=1, wait_s=0.5)) as here:
        here.place()
        with pytest.raises(LinesBusy):
            here.place()

        await anyio.sleep(0.6)

        here.place()


async def test_a_call_is_in_the_record_while_it_runs_and_closed_after(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        call_id, model = await here.call(caller)
        caller.does(e.CallerTyped("t1", "What is two and three?"))
        model.does(
            e.ReplyStarted("r1"),
            e.ToolRequested("r1", "f1", "c1", "add_up", '{"first": 2, "second": 3}'),
        )
        await until(lambda: told(model, c.AddToolOutput))
        caller.does(e.CallerLeft("hung_up"))
        await until(lambda: here.switchboard.live() == 0)
        await here.recorder.flush()

        kept = await history(here.store, call_id)

        assert kept is not None
        assert kept.call.end_reason == "hung_up"
        assert [item.text for item in kept.items] == ["What is two and three?"]
        assert [call.name for call in kept.tool_calls] == ["add_up"]


async def test_a_stopping_server_takes_no_calls_and_lets_those_there_are_go_on(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        placed = here.place()
        call_id, model = await here.call(Caller())
        assert here.switchboard.left() == 0  # nobody waits for them
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.switchboard.drain, 60.0)
            await until(lambda: not here.switchboard.ready())
            with pytest.raises(ServerStopping):
                here.place()
            assert here.switchboard.left() == 2
            # Whoever was let in before may still come, and is answered.
            here.join(placed, Caller())
            await until(lambda: here.switchboard.live() == 2)
            assert not told(model, c.RequestReply)  # and nobody is told goodbye
            for each in (call_id, placed):
                await here.switchboard.end(each, "hung_up")
        assert here.switchboard.left() == 0


async def test_once_its_time_is_over_it_says_goodbye_and_waits(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.switchboard.drain, 0.05)
            [goodbye] = await until(lambda: told(model, c.RequestReply))
            model.does(
                e.ReplyStarted("r1", goodbye.tag),
                e.ReplyDone("r1", e.ReplyStatus.COMPLETED),
            )

        assert caller.closed == "server_stopping"
        with pytest.raises(LinesBusy):
            here.place()
