"""Everything one can live through on the softphone page, with an agent who has a colleague.

One town and one browser for all of it, as a newcomer has them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from switchboard_local.acs.playout import Ending
from switchboard_local.mind.parts import Request, Say, Thought
from tests.e2e.town import until
from tests.local.acs.peers import kept
from tests.local.acs.softphones import YOU, Softphones, softphones
from tests.local.realtime.doubles import Cloud, last_words
from tests.phone.handing import (
    ASKING,
    BRIEFING,
    CONNECTING,
    MS_PER_CHAR,
    receptionist,
    staffed,
)
from tests.phone.ringing import Town, clouded
from tests.phone.softphone import Visit, chromium, visited, write_mouth

pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
]

GOODBYE = "Goodbye then, and thank you for calling."
ALONE = "I am sorry, nobody is free just now."
RINGS: dict[str, Any] = {"dial_quiet_hours": "none", "dial_number_a_day": 100}


def host(request: Request) -> Sequence[Thought]:
    """The receptionist, who also says that nobody comes, and is short with the impatient."""
    said = last_words(request)
    if "declined" in said and not request.response_instructions:
        return [Say(ALONE)]
    if "no, thank you" in said:
        return [Say("Very well.")]
    return receptionist(request)


@pytest.fixture(scope="module")
def cloud() -> Generator[Cloud]:
    with pytest.MonkeyPatch.context() as environment, clouded(environment) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def mouth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears; silence, if nothing else is put there."""
    path = tmp_path_factory.mktemp("mouth") / "mouth.wav"
    write_mouth(path, hum_s=0, silence_s=30)
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(mouth: Path) -> AsyncGenerator[Browser]:
    async for browser in kept(chromium(mouth)):
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    async for there in kept(staffed(cloud, tmp_path_factory.mktemp("town"), **RINGS)):
        cloud.doubles.mind.script = host
        yield there


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(there: Town) -> AsyncGenerator[Softphones]:
    async for place in kept(softphones(there.acs)):
        yield place


@pytest_asyncio.fixture(loop_scope="module")
async def here(place: Softphones, there: Town, browser: Browser) -> AsyncGenerator[Visit]:
    """The page, opened anew; at the end nothing is left of any call, and nothing went wrong."""
    there.tap.frames.clear()
    async for here in kept(visited(place, there, browser)):
        yield here
        assert await here.wrongs() == []
    await there.empty()


async def placed(there: Town, operation: str) -> str:
    """The product's id of a call to line 1, which it has placed."""
    body = {"to": YOU, "agent": "banking", "operation": operation}
    answer = await there.home.http.post("/api/phone/calls", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["call"]


async def comes_to(there: Town, call_id: str, state: str) -> dict[str, Any]:
    """What the product tells of a call that it placed, once it stands so."""
    with anyio.fail_after(20):
        while True:
            told = (await there.home.http.get(f"/api/phone/calls/{call_id}")).json()
            if told["state"] == state:
                return told
            await anyio.sleep(0.05)


async def takes(here: Visit, number: int) -> None:
    """Take that line into the hand."""
    await here.a_line(number).get_by_role("button").first.click()


async def they_talk(here: Visit, one: int, other: int) -> None:
    """What is typed on one line is heard on the other, which is then in the hand."""
    await takes(here, other)
    before = await here.heard.count()
    await takes(here, one)
    await here.say("Do you hear me?")
    await takes(here, other)
    await expect(here.heard.nth(before)).to_be_visible()


async def test_the_agent_rings_and_is_declined_rings_again_and_says_goodbye(
    here: Visit, there: Town
) -> None:
    declined = await placed(there, "operation-declined")
    await here.line("ringing")
    await here.attribute("bell", "in")
    await expect(here.page.locator(".display-head")).to_have_text("The agent is calling")
    await here.click("Decline")
    await here.line("ended")
    assert (await comes_to(there, declined, "failed"))["carrier"]["code"] == 603
    await there.empty()

    call_id = await placed(there, "operation-answered")
    await here.line("ringing")
    await here.click("Answer")
    await here.line("talking")
    await here.attribute("ear", "sounding")
    await comes_to(there, call_id, "answered")
    await there.quiet()
    await here.say("What is my balance?")
    output = await there.told("conversation.item.create")
    assert "balance_eur" in output["item"]["output"]
    await there.said("response.done", 3)
    await there.quiet()
    await expect(here.heard.nth(1)).to_be_visible()  # the greeting and the answer, in words

    media, before_bytes = there.media, there.media.playout.played_bytes
    await here.say("That is all, good bye.")
    await here.line("ended")
    await expect(here.page.locator(".display-more")).to_have_text("The other side hung up.")
    heard_ms = media.ms(media.playout.played_bytes - before_bytes)
    assert heard_ms == pytest.approx(MS_PER_CHAR * len(GOODBYE), abs=20)
    assert media.ms(media.playout.waiting_bytes) <= 20  # the same frame, of a clock that is late
    assert (await comes_to(there, call_id, "ended"))["answeredAt"] is not None
    await expect(here.passages("POST callConnections").first).to_be_visible()


async def test_typed_words_cut_the_agent_short(here: Visit, there: Town) -> None:
    await here.rings_the_agent()
    await here.say("What can you do?")
    await is_cut_short(here, lambda: here.say("No, thank you."))
    await hangs_up(here)


async def test_a_word_into_the_microphone_cuts_the_agent_short(
    here: Visit, there: Town, mouth: Path
) -> None:
    await here.rings_the_agent()
    await here.click("Mute")  # the microphone is let go, and hears the file anew when it is back
    await here.attribute("microphone", "off")
    write_mouth(mouth, hum_s=1.5, silence_s=60)
    await here.say("What can you do?")
    await is_cut_short(here, lambda: here.click("Muted"))
    assert "microphone" not in await here.page.locator(".telephone").inner_text()
    write_mouth(mouth, hum_s=0, silence_s=30)
    await hangs_up(here)


async def test_keys_go_both_ways(here: Visit, there: Town) -> None:
    await here.rings_the_agent()
    await here.say("Block my card.")
    question = await there.told("conversation.item.create")
    assert '"status": "confirm"' in question["item"]["output"]
    await there.said("response.done", 3)
    await there.quiet()
    call_id = there.call_id
    await here.page.get_by_role("button", name="1", exact=True).click()
    outcome = await until(lambda: agreed(there))
    assert '"status": "confirm"' not in outcome
    await there.quiet()

    await here.say("Press 19#")
    for place, key in enumerate("19#"):
        await expect(here.heard.filter(has_text="Key").nth(place)).to_contain_text(f"Key {key}")
    await expect(here.passages("SendDtmfTonesCompleted")).to_be_visible()
    await there.quiet()
    await hangs_up(here)
    await there.empty()
    account = await there.account(call_id)
    assert [(each.name, each.state) for each in account.tool_calls][-2:] == [
        ("block_card", "done"),
        ("send_keys", "done"),
    ]


async def test_the_second_line_takes_a_caller_who_is_put_through(here: Visit, there: Town) -> None:
    await here.rings_the_agent()
    media, call_id, before_bytes = there.media, there.call_id, there.media.playout.played_bytes
    await here.say("Put me through.")
    await expect(here.a_line(2)).to_contain_text("The agent is calling")
    heard_ms = media.ms(media.playout.played_bytes - before_bytes)
    assert heard_ms >= MS_PER_CHAR * len(CONNECTING) - 60

    await here.click("Answer line 2")
    await expect(here.passages("CallTransferAccepted")).to_be_visible()
    await there.empty()
    await they_talk(here, 2, 1)
    await they_talk(here, 1, 2)
    await here.click("Hang up")
    await expect(here.a_line(1)).to_contain_text("Call ended")
    assert (await there.account(call_id)).call.end_reason == "transferred"


async def test_the_second_line_declines_to_join_then_joins(here: Visit, there: Town) -> None:
    await here.rings_the_agent()
    call_id = there.call_id
    await here.say("Fetch somebody.")
    await expect(here.a_line(2)).to_contain_text("The agent is calling")
    await here.click("Decline line 2")
    output = await there.told("conversation.item.create")
    assert '"status": "declined"' in output["item"]["output"]
    await there.said("response.done", 3)
    await there.quiet()
    await expect(here.a_line(1)).to_contain_text("In a call with the agent")

    await here.say("Fetch somebody.")
    await here.click("Answer line 2")
    # The briefing is heard on the second line alone; then the agent is gone, and the two are left.
    await expect(here.heard.first).to_be_visible()
    await there.empty()
    await expect(here.a_line(1)).to_contain_text("In a call with line 2")
    await expect(here.a_line(2)).to_contain_text("In a call with line 1")
    await they_talk(here, 2, 1)
    await they_talk(here, 1, 2)
    await here.click("Hang up")
    await expect(here.a_line(1)).to_contain_text("Call ended")
    account = await there.account(call_id)
    assert account.call.end_reason == "handed_over"
    assert {ALONE, ASKING, BRIEFING} - {line.text for line in account.items} <= {BRIEFING}
    tools = [(each.name, each.state) for each in account.tool_calls]
    assert tools == [("bring_in_human", "failed"), ("bring_in_human", "done")]


async def is_cut_short(here: Visit, speak: Callable[[], Awaitable[None]]) -> None:
    """The agent has begun a long answer; a second into it somebody speaks."""
    there, playout = here.there, here.there.media.playout
    before_bytes, stops = playout.played_bytes, len(playout.stops)
    await until(lambda: there.media.ms(playout.played_bytes - before_bytes) >= 1_000)
    await speak()
    cut = await there.told("conversation.item.truncate")
    [stop] = [each for each in list(playout.stops)[stops:] if each.dropped_bytes]
    really_ms = there.media.ms(stop.played_bytes - before_bytes)
    # Roughly: the browser takes its share of the processors. test_ringing measures it.
    assert cut["audio_end_ms"] == pytest.approx(really_ms, abs=250)
    assert Ending.STOPPED in [each.ending for each in playout.stretches]
    await expect(here.passages("StopAudio").first).to_be_visible()
    await here.attribute("ear", "silent")


async def hangs_up(here: Visit) -> None:
    await here.click("Hang up")
    await here.line("ended")
    await expect(here.page.locator(".display-more")).to_have_text("You hung up.")


def agreed(there: Town) -> str:
    """What came of the tool, once it was asked for again; empty before."""
    told = there.tap.events("conversation.item.create", from_model=False)
    outputs = [str(each.event["item"]["output"]) for each in told if "output" in each.event["item"]]
    return outputs[1] if len(outputs) > 1 else ""
