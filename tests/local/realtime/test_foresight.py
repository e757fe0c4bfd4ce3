"""Answers begun before a turn is surely over: at hand if it is, thrown away if it is not."""

from collections.abc import Sequence

import anyio
from anyio.abc import TaskGroup

from switchboard_local.mind.parts import Request, Say, Thought
from switchboard_local.realtime.foresight import Foresight
from tests.local.realtime.bench import Bench
from tests.local.realtime.doubles import HummingVoice, ScriptedMind, silence, tone


def request(text: str = "hello") -> Request:
    part = {"type": "input_text", "text": text}
    return Request("", [], "auto", [{"type": "message", "role": "user", "content": [part]}])


def fore(tasks: TaskGroup, mind: ScriptedMind) -> Foresight:
    return Foresight(mind, HummingVoice(), tasks)


async def told(foresight: Foresight, asked: Request) -> list[Thought]:
    return [thought async for thought in foresight.reply(asked)]


async def test_what_was_prepared_is_said_without_asking_the_mind_again() -> None:
    mind = ScriptedMind()
    async with anyio.create_task_group() as tasks:
        foresight = fore(tasks, mind)
        foresight.prepare(request(), aloud=False)
        await anyio.wait_all_tasks_blocked()
        assert await told(foresight, request()) == [Say("You said: hello.")]
    assert len(mind.requests) == 1


async def test_an_answer_still_in_the_making_is_waited_for() -> None:
    mind = ScriptedMind(lambda _: [Say("One."), Say("Two.")], delay_s=0.01)
    async with anyio.create_task_group() as tasks:
        foresight = fore(tasks, mind)
        foresight.prepare(request(), aloud=False)
        assert await told(foresight, request()) == [Say("One."), Say("Two.")]
    assert len(mind.requests) == 1


async def test_another_request_is_put_to_the_mind_and_what_was_prepared_is_dropped() -> None:
    mind = ScriptedMind(delay_s=0.01)
    async with anyio.create_task_group() as tasks:
        foresight = fore(tasks, mind)
        foresight.prepare(request("so far"), aloud=False)
        assert await told(foresight, request("all of it")) == [Say("You said: all of it.")]
        assert await told(foresight, request("so far")) == [Say("You said: so far.")]
    assert len(mind.requests) == 3


async def test_what_is_forgotten_is_not_thought_to_its_end() -> None:
    mind = ScriptedMind(delay_s=60)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            foresight = fore(tasks, mind)
            foresight.prepare(request(), aloud=True)
            await anyio.wait_all_tasks_blocked()
            foresight.forget()


async def test_a_mind_that_failed_while_nobody_waited_is_asked_in_earnest() -> None:
    failures = [RuntimeError("no idea")]

    def script(_: Request) -> Sequence[Thought]:
        if failures:
            raise failures.pop()
        return [Say("Now I know.")]

    mind = ScriptedMind(script)
    async with anyio.create_task_group() as tasks:
        foresight = fore(tasks, mind)
        foresight.prepare(request(), aloud=True)
        await anyio.wait_all_tasks_blocked()
        assert await told(foresight, request()) == [Say("Now I know.")]


async def test_the_voice_makes_ready_for_the_first_sentence_where_it_will_be_heard() -> None:
    mind = ScriptedMind(lambda _: [Say("One."), Say("Two.")])
    for aloud, prepared in ((True, ["One."]), (False, [])):
        voice = HummingVoice()
        async with anyio.create_task_group() as tasks:
            Foresight(mind, voice, tasks).prepare(request(), aloud=aloud)
        assert voice.prepared == prepared


def test_the_answer_to_a_pause_is_for_the_very_request_that_its_turn_becomes() -> None:
    bench = Bench()
    bench.hear(tone(600), silence(160))
    assert bench.foreseen is None
    bench.understand("block my card")
    bench.hear(silence(500))
    assert bench.foreseen is not None
    assert bench.session.request(bench.making[-1]) == bench.foreseen


def test_what_was_begun_in_a_pause_is_dismissed_when_the_caller_goes_on() -> None:
    bench = Bench()
    bench.hear(tone(600), silence(160))
    bench.understand("block my")
    assert bench.foreseen is not None
    bench.hear(tone(300))
    assert bench.foreseen is None


def test_nothing_is_begun_where_the_client_asks_for_replies_itself() -> None:
    bench = Bench()
    turns = {"type": "server_vad", "create_response": False}
    bench.update(audio={"input": {"turn_detection": turns}})
    bench.hear(tone(600), silence(160))
    bench.understand("block my card")
    assert bench.foreseen is None


def test_nothing_is_begun_for_a_pause_in_which_nothing_was_understood() -> None:
    bench = Bench()
    bench.hear(tone(600), silence(160))
    bench.understand("")
    assert bench.foreseen is None
