"""A call outlives its model sessions: scripted legs, everything between them real."""

import time
from dataclasses import replace
from pathlib import Path

import anyio

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.conversation.session import FoundryAgent
from switchboard.errors import ModelUnavailable
from tests.exchange.house import FRAME, House, house, told
from tests.exchange.legs import SPEC, Caller, Model, until

LOST = e.ModelLost("the connection was lost", retryable=True)


async def next_model(here: House, *, after: int) -> Model:
    """The session dialled after this many."""
    await until(lambda: len(here.service.dialled) > after)
    return here.service.dialled[after]


async def test_a_lost_session_is_replaced_and_the_caller_is_heard_from_where_it_broke(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        caller.does(CallerAudio(FRAME))
        await until(lambda: first.heard)
        first.does(e.SpeechStarted("u1", 0))
        await until(lambda: here.spoken_of(caller, c.Floor.CALLER))

        first.does(LOST)
        second = await next_model(here, after=1)
        caller.does(CallerAudio(FRAME))
        await anyio.sleep(0.02)
        second.does(e.ModelReady("s2"))

        [again] = await until(lambda: told(second, c.AppendAudio))
        assert again.audio == 2 * FRAME
        caller.does(CallerAudio(FRAME))
        assert await until(lambda: second.heard) == [FRAME]
        assert here.service.open == 1


async def test_a_tool_result_survives_the_session_that_asked_for_it(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        first.does(
            e.ReplyStarted("r1"),
            e.ToolRequested("r1", "f1", "c1", "add_up", '{"first": 2, "second": 3}'),
        )
        await until(lambda: told(first, c.AddToolOutput))

        first.does(LOST)
        second = await next_model(here, after=1)
        second.does(e.ModelReady("s2"))

        await until(lambda: told(second, c.RequestReply))
        assert told(second, c.AddToolCall)[0].arguments == '{"first": 2, "second": 3}'
        assert told(second, c.AddToolOutput) == [c.AddToolOutput("c1", '{"result":5}')]


async def test_a_dial_that_fails_is_made_again(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        here.service.refuse = ModelUnavailable("out of quota", retryable=True, status=429)
        first.does(LOST)
        await until(lambda: here.service.refused > 1)

        here.service.refuse = None
        second = await next_model(here, after=1)
        second.does(e.ModelReady("s2"))
        caller.does(CallerAudio(FRAME))

        await until(lambda: second.heard)
        assert caller.closed is None


async def test_a_session_that_is_never_configured_counts_as_a_failed_dial(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        first.does(LOST)
        stuck = await next_model(here, after=1)

        stuck.does(e.ModelLost("the session was not configured in time", retryable=True))
        third = await next_model(here, after=2)
        third.does(e.ModelReady("s3"))

        await until(lambda: told(third, c.RequestReply) or third.heard or here.service.open == 1)
        assert caller.closed is None


async def test_a_session_about_to_end_gives_way_before_it_does(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        call_id = here.place()
        here.join(call_id, caller)
        first = await next_model(here, after=0)
        first.does(e.ModelReady("s1", expires_at=time.time() + 1.5))

        second = await next_model(here, after=1)
        caller.does(CallerAudio(FRAME))
        assert await until(lambda: first.heard), "the old one serves until the new one can"
        second.does(e.ModelReady("s2", expires_at=time.time() + 3_600))

        await until(lambda: here.service.open == 1)
        caller.does(CallerAudio(FRAME))
        await until(lambda: second.heard)
        assert not caller.notes(c.NoteNotice)


async def test_a_session_that_is_ready_waits_until_the_agent_has_finished(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        call_id = here.place()
        here.join(call_id, caller)
        first = await next_model(here, after=0)
        first.does(e.ModelReady("s1", expires_at=time.time() + 60))
        await here.renewal_is_due(call_id)
        second = await next_model(here, after=1)
        first.does(e.ReplyStarted("r1"), e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE))
        first.does(ReplyAudio("r1", "i1", FRAME))
        await until(lambda: caller.played)

        second.does(e.ModelReady("s2"))
        await anyio.sleep(0.05)
        assert here.service.open == 2, "the agent speaks"
        first.does(e.ReplyDone("r1", e.ReplyStatus.COMPLETED))
        caller.does(e.Heard("i1", 20))

        await until(lambda: here.service.open == 1)
        caller.does(CallerAudio(FRAME))
        await until(lambda: second.heard)


async def test_the_last_word_of_a_replaced_session_dials_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        call_id = here.place()
        here.join(call_id, caller)
        first = await next_model(here, after=0)
        first.does(e.ModelReady("s1", expires_at=time.time() + 1.5))
        second = await next_model(here, after=1)

        second.does(e.ModelReady("s2"))
        first.does(LOST)
        await until(lambda: here.service.open == 1)
        await anyio.sleep(0.4)

        assert len(here.service.dialled) == 2


async def test_late_words_of_a_replaced_session_reach_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        first.does(LOST)
        second = await next_model(here, after=1)
        second.does(e.ModelReady("s2"))

        first.does(e.ReplyStarted("r9"), ReplyAudio("r9", "i9", FRAME))
        second.does(e.ReplyStarted("r1"), ReplyAudio("r1", "i1", FRAME))

        assert [audio.reply_id for audio in await until(lambda: caller.played)] == ["r1"]


async def test_a_session_that_cannot_be_replaced_ends_the_call_in_words(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, first = await here.call(caller)
        here.service.refuse = ModelUnavailable("no such deployment", retryable=False, status=404)

        first.does(LOST)

        assert "no such deployment" in (await until(lambda: caller.closed) or "")
        assert here.service.open == 0


async def test_a_foundry_agent_goes_on_with_its_own_conversation(tmp_path: Path) -> None:
    spec = replace(SPEC, agent=FoundryAgent("desk", "project"))
    async with house(tmp_path, spec=spec) as here:
        caller = Caller()
        call_id = here.place()
        here.join(call_id, caller)
        first = await next_model(here, after=0)
        first.does(e.ModelReady("s1", conversation_id="conv_1"))
        caller.does(e.CallerTyped("t1", "Hello?"))
        await until(lambda: told(first, c.AddCallerText))
        first.does(LOST)

        second = await next_model(here, after=1)
        caller.does(e.CallerTyped("t2", "Are you there?"))
        await until(lambda: len(caller.notes(c.NoteLine)) > 1)
        second.does(e.ModelReady("s2", conversation_id="conv_1"))

        await until(lambda: told(second, c.RequestReply))
        assert [spec.agent and spec.agent.conversation_id for spec in here.service.specs] == [
            None,
            "conv_1",
        ]
        assert [text.item_id for text in told(second, c.AddCallerText)] == ["t2"]


async def test_ten_losses_in_ten_turns_with_tools(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        caller = Caller()
        _, model = await here.call(caller)
        for n in range(10):
            model = await one_turn_and_a_loss(here, caller, model, n)

        done = [note for note in caller.notes(c.NoteTool) if note.state is c.ToolState.DONE]
        assert [note.result for note in done] == [f'{{"result":{n + 1}}}' for n in range(10)]
        retold = told(model, c.AddCallerText)
        assert [text.text for text in retold] == [f"What is {n} and one?" for n in range(10)]
        assert here.service.open == 1


async def one_turn_and_a_loss(here: House, caller: Caller, model: Model, n: int) -> Model:
    """A question, a tool call, a loss in the midst of it, and the answer of the next session."""
    caller.does(e.CallerTyped(f"t{n}", f"What is {n} and one?"))
    asked = (await until(lambda: told(model, c.RequestReply)))[-1]
    model.does(
        e.ReplyStarted(f"r{n}", asked.tag),
        e.ToolRequested(f"r{n}", f"f{n}", f"c{n}", "add_up", f'{{"first": {n}, "second": 1}}'),
        LOST,
    )
    following = await next_model(here, after=n + 1)
    following.does(e.ModelReady(f"s{n + 2}"))
    answer = (await until(lambda: told(following, c.RequestReply)))[-1]
    following.does(
        e.ReplyStarted(f"a{n}", answer.tag),
        e.ReplyItemStarted(f"a{n}", f"m{n}", e.ItemKind.MESSAGE),
        e.ReplyWords(f"a{n}", f"m{n}", f"It is {n + 1}.", final=True, spoken=False),
        e.ReplyDone(f"a{n}", e.ReplyStatus.COMPLETED),
    )
    await until(lambda: [x for x in caller.notes(c.NoteLine) if x.item_id == f"m{n}"])
    return following
