"""What a caller keys privately reaches the tool that needs it, and nobody and nothing else."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from switchboard.conversation import wording
from switchboard_local.faults.kinds import Close
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.e2e.town import until
from tests.local.realtime.doubles import Cloud, last_words, tone
from tests.phone.handing import ASKING, rings, staffed
from tests.phone.keying import block, carried, holds, is_asked, keypad, pin_clerk, spoken
from tests.phone.ringing import SPEECH, Town

WRONG, RIGHT = "739146", "258036"


def pin_clerk_with_humans(request: Request) -> Sequence[Thought]:
    """The clerk, who fetches a colleague for whoever wishes for one."""
    if not request.response_instructions and last_words(request) == wording.WANTS_HUMAN:
        wanted = json.dumps({"human": "support", "reason": "They asked."})
        return [Say(ASKING), Call("bring_in_human", wanted)]
    return pin_clerk(request)


async def outputs(there: Town, count: int) -> list[str]:
    """What the model was told of its tools, once that was so much."""
    with anyio.fail_after(20):
        while True:
            items = there.tap.events("conversation.item.create", from_model=False)
            told = [each.event["item"] for each in items]
            found = [item["output"] for item in told if item["type"] == "function_call_output"]
            if len(found) >= count:
                return found
            await anyio.sleep(0.02)


async def test_a_pin_is_keyed_wrong_and_right_and_nobody_learns_either(
    there: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    call = await is_asked(there)
    before = spoken(there)
    call.say(tone(1_500))  # reading it aloud while keying it
    for key in WRONG:
        await anyio.sleep(0.15)
        call.press(key)
    call.hush()
    told = await outputs(there, 2)
    assert json.loads(told[0]) == {
        "status": "complete",
        "token": json.loads(told[0])["token"],
        "digits": 6,
    }
    assert "Tries left: 2" in told[1]
    assert spoken(there) == before
    await there.quiet()
    await keypad(there)
    call.press(f"99*{RIGHT}")
    told = await outputs(there, 4)
    assert "works again" in told[3], told
    await there.quiet()
    call_id = there.call_id
    call.hang_up()
    await there.empty()

    account = await there.account(call_id)
    assert [each.state for each in account.tool_calls] == ["done", "failed", "done", "done"]
    assert "keyed" not in "".join(line.text for line in account.items)
    for digits in (WRONG, RIGHT):
        assert not holds(there, tmp_path, digits)
        assert digits not in caplog.text
    ours = [each for each in caplog.records if each.name.startswith("switchboard.")]
    assert ours
    keyed = {*WRONG, *RIGHT, *map(str.encode, WRONG + RIGHT)}
    assert not [value for each in ours for value in vars(each).values() if value in keyed]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_who_hangs_up_in_the_middle_leaves_nothing(there: Town, tmp_path: Path) -> None:
    call = await is_asked(there)
    call_id = there.call_id
    here = carried(there)
    call.press(WRONG[:5])
    await anyio.sleep(0.1)
    assert here.private
    call.hang_up()
    await there.empty()
    assert here.ended
    account = await there.account(call_id)
    [entry] = account.tool_calls
    assert "token" not in (entry.result or "")
    assert not holds(there, tmp_path, WRONG[:5])  # long enough to be no accident


async def test_a_session_that_is_lost_meanwhile_is_told_nothing_of_it(
    there: Town, tmp_path: Path
) -> None:
    call = await is_asked(there)
    before = spoken(there)
    call.press(WRONG[:2])
    call.say(tone(1_000))
    there.cloud.doubles.faults.arm(Close(code=1001))
    with anyio.fail_after(20):
        while len(there.tap.events("session.created")) < 2:  # noqa: ASYNC110
            await anyio.sleep(0.02)
    call.press(WRONG[2:])
    with anyio.fail_after(20):
        while "key-" not in json.dumps([f.event for f in there.tap.frames if not f.from_model]):  # noqa: ASYNC110
            await anyio.sleep(0.05)
    assert spoken(there) == before
    assert not holds(there, tmp_path, WRONG)
    call.hang_up()
    await there.empty()


async def test_who_speaks_instead_is_heard(there: Town) -> None:
    there.cloud.doubles.mind.script = pin_clerk
    there.cloud.doubles.ears.words = ["please unblock my card", "I do not know it"]
    await block(there)
    call = await there.ring()
    await call.say_out(SPEECH)
    await there.said("response.function_call_arguments.done")
    await call.say_out(SPEECH)
    [told] = await outputs(there, 1)
    assert json.loads(told)["status"] == "interrupted"
    call.hang_up()
    await there.empty()


async def test_a_human_who_is_fetched_meanwhile_ends_it_and_the_caller_is_heard_again(
    cloud: Cloud, tmp_path: Path
) -> None:
    tools = ["take_private_keys", "unblock_card"]
    async with staffed(cloud, tmp_path, phone_tools=tools) as there:
        call = await is_asked(there)
        here = carried(there)
        cloud.doubles.mind.script = pin_clerk_with_humans
        call.press(WRONG[:5])
        there.home.house.switchboard.ask_for_human(there.call_id)
        ring = await rings(there)
        [told] = await outputs(there, 1)
        assert json.loads(told)["status"] == "interrupted"
        before = spoken(there)
        call.press(WRONG[5:])  # to the tune
        await call.say_out(tone(400))
        ring.decline()
        told = await outputs(there, 2)
        assert [json.loads(each)["status"] for each in told] == ["interrupted", "declined"]
        assert spoken(there) == before
        await until(lambda: not here.private)  # some time after the last key, which was to the tune
        await there.quiet()
        await call.say_out(SPEECH)
        await until(lambda: spoken(there) > before)
        assert not holds(there, tmp_path, WRONG[:5])  # long enough to be no accident
        call.hang_up()
        await there.empty()
