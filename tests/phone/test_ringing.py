"""Somebody rings the agent: the product and the local ACS, and nothing between them replaced."""

from pathlib import Path
from statistics import median_low

import pytest

from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import NoAnswer
from switchboard_local.acs.playout import Ending
from tests.local.realtime.doubles import Cloud, tone
from tests.phone.ringing import AGENT, SPEECH, Town, town

USUALLY_MS = 40
AT_MOST_MS = 250
"""By how much a cut may miss where the ear was: on a busy machine a clock is late now and then."""


async def test_a_caller_is_greeted_and_asks_and_is_answered(there: Town) -> None:
    there.cloud.doubles.ears.words = ["what is my balance"]
    call = await there.ring()
    greeting_ms = call.heard_ms

    await call.say_out(SPEECH)
    output = await there.told("conversation.item.create")
    assert "balance" in output["item"]["output"]
    await there.said("response.done", 3)  # the greeting, the tool call, the answer
    await there.quiet()
    assert call.heard_ms > greeting_ms + 300

    call_id = there.call_id
    call.hang_up()
    await there.empty()
    account = await there.account(call_id)
    assert (account.call.channel, account.call.end_reason) == ("phone", "hung_up")
    assert [each.name for each in account.tool_calls] == ["get_balance"]
    assert {line.text for line in account.items} >= {"what is my balance", "It is done."}


async def test_what_the_caller_spoke_over_is_cut_where_the_ear_was(there: Town) -> None:
    there.cloud.doubles.ears.words = ["what can you do", "no thank you"]
    call = await there.ring()
    before = there.media.playout.played_bytes

    await call.say_out(SPEECH)
    await there.said("response.created", 2)
    await call.hear_ms(call.heard_ms + 1_000)
    await call.say_out(tone(1_200))
    cut = await there.told("conversation.item.truncate")
    [stop] = [each for each in there.media.playout.stops if each.dropped_bytes]
    really_ms = there.media.ms(stop.played_bytes - before)
    assert cut["audio_end_ms"] == pytest.approx(really_ms, abs=AT_MOST_MS)
    assert there.media.playout.stretches[-1].ending is Ending.STOPPED  # and nothing came after
    assert there.media.misfits == 0


async def test_every_reply_of_a_call_is_cut_where_the_ear_was(there: Town) -> None:
    there.cloud.doubles.ears.words = ["what can you do"]
    call = await there.ring()
    before, wrong_ms = there.media.playout.played_bytes, list[float]()
    await call.say_out(SPEECH)
    for number, heard_ms in enumerate((400, 900, 200, 1_300), 1):
        await there.said("response.created", 1 + number)
        await call.hear_ms(call.heard_ms + heard_ms)
        await call.say_out(SPEECH)
        cut = await there.told("conversation.item.truncate", number)
        stop = [each for each in there.media.playout.stops if each.dropped_bytes][number - 1]
        really_ms = there.media.ms(stop.played_bytes - before)
        wrong_ms.append(abs(cut["audio_end_ms"] - really_ms))
        before = stop.played_bytes
    assert median_low(wrong_ms) <= USUALLY_MS, wrong_ms
    assert max(wrong_ms) <= AT_MOST_MS, wrong_ms


async def test_a_key_agrees_to_what_was_asked(there: Town) -> None:
    there.cloud.doubles.ears.words = ["block my card"]
    call = await there.ring()
    await call.say_out(SPEECH)
    question = await there.told("conversation.item.create")
    assert "confirm" in question["item"]["output"]
    await there.quiet()
    call.press("1")
    await there.told("conversation.item.create", 2)
    call_id = there.call_id
    await there.said("response.done", 5)
    await there.quiet()
    call.hang_up()
    await there.empty()
    account = await there.account(call_id)
    assert account.tool_calls[-1].name == "block_card"
    assert account.tool_calls[-1].state == "done"


async def test_the_agent_hangs_up_when_its_goodbye_has_been_heard(there: Town) -> None:
    there.cloud.doubles.ears.words = ["good bye"]
    call = await there.ring()
    media, greeting_bytes = there.media, there.media.playout.played_bytes
    await call.say_out(SPEECH)
    await call.ended.wait()
    await there.empty()
    said_ms = 60 * len("Goodbye then, and thank you for calling.")
    assert media.ms(media.playout.played_bytes - greeting_bytes) == pytest.approx(said_ms, abs=20)
    assert media.playout.waiting_bytes == 0


async def test_when_all_lines_are_busy_the_caller_is_told(cloud: Cloud, tmp_path: Path) -> None:
    async with town(cloud, tmp_path, max_calls=1) as there:
        first = await there.ring()
        with pytest.raises(NoAnswer) as refused:
            await there.acs.dial(there.acs.phone("+15550122"), AGENT)
        assert refused.value.outcome is Outcome.BUSY
        first.hang_up()
        await there.empty()
        await there.ring()  # the line is free again


async def test_media_that_break_come_back_to_the_same_call(there: Town) -> None:
    there.cloud.doubles.ears.words = ["what is my balance"]
    call = await there.ring()
    there.media.cut()
    await call.say_out(SPEECH)
    await there.told("conversation.item.create")
    await there.quiet()
    assert there.home.house.switchboard.live() == 1
    assert len(there.tap.events("session.created")) == 1
    call.hang_up()
    await there.empty()


async def test_a_server_that_stops_hangs_up(cloud: Cloud, tmp_path: Path) -> None:
    async with town(cloud, tmp_path) as there:
        call = await there.ring()
        assert not call.ended.is_set()
    assert call.ended.is_set()
