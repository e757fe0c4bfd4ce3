"""Networks, microphones and model sessions change in the middle of a call; the call goes on."""

from pathlib import Path

import anyio
import pytest
from playwright.async_api import Locator, Request, expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said
from tests.e2e.conftest import MICROPHONES, Visit, Visiting
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]
BALANCE = "Your current account holds 1,204.50 euros."
CARDS = "You have a debit card"
LATEST = "The latest are 23.85 euros"
BROKE_OFF = "The line to the agent broke off here; the call goes on."
AWAY_S = 2.5
"""Long enough for a page to notice, which it does after 2 s; far less than a call is held."""


async def test_a_call_over_a_websocket_outlives_its_network_and_its_microphone(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await greeted(here)
        await here.say(await said(engine.voice, "What is my balance?"), MICROPHONES[0])
        await expect(here.lines("agent", BALANCE)).to_be_visible()
        await here.state("speaker", "playing")

        await here.page.context.set_offline(True)
        await here.state("phase", "away")
        note = here.page.get_by_text("The connection was lost: trying to come back")
        await expect(note).to_be_visible()
        await here.page.context.set_offline(False)
        await here.state("phase", "live")
        await expect(note).to_be_hidden()

        # What was heard stays, once; the rest is taken up.
        again = here.lines("agent", f"I am here again. {BALANCE}")
        await expect(again).to_be_visible()
        await here.state("speaker", "silent")
        assert await spoken(here) == [
            ("agent", "final"),
            ("caller", "final"),
            ("agent", "cut"),
            ("agent", "final"),
        ]
        assert len(here.ear.of("ready")) == 2
        await expect(here.page.get_by_test_id("tool")).to_have_count(1)

        await here.say(await said(engine.voice, "Which cards do I have?"), MICROPHONES[1])
        await expect(here.lines("agent", CARDS)).to_be_visible()


async def test_a_call_over_webrtc_outlives_its_network_and_its_microphone(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await greeted(here)
        await here.say(await said(engine.voice, "What is my balance?"), MICROPHONES[0])
        await heard_out(here, BALANCE)

        async with here.page.expect_response(lambda answer: answer.url.endswith("/messages")):
            await here.type("What are my last transactions?")
        await here.page.context.set_offline(True)
        # The voices go on beside the page's network, and nothing tells it of the words.
        await anyio.sleep(AWAY_S)
        await here.page.context.set_offline(False)

        latest = here.lines("agent", LATEST)
        await expect(latest).to_be_visible()
        again = (await until(lambda: streams(here)[1:]))[0]
        assert int(again.headers["last-event-id"]) > 1
        await expect(latest).to_have_attribute("data-state", "final")
        await here.state("speaker", "silent")
        assert await spoken(here) == 2 * [("agent", "final"), ("caller", "final")] + [
            ("agent", "final")
        ]
        await expect(here.page.get_by_test_id("tool")).to_have_count(2)

        await here.say(await said(engine.voice, "Which cards do I have?"), MICROPHONES[1])
        await expect(here.lines("agent", CARDS)).to_be_visible()


async def test_a_model_session_that_is_lost_costs_one_calm_line_and_one_apology(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await greeted(here)
        await here.fault(fault="drop", service="realtime", on="reply", after_ms=2_500)
        await here.type("What are my last transactions?")

        await expect(broke_off(here)).to_be_visible()
        await finished_after_one_apology(here)
        assert here.tap.paths == 2 * ["/openai/v1/realtime"]

        await here.type("Which cards do I have?")
        await expect(here.lines("agent", CARDS)).to_be_visible()
        await expect(broke_off(here)).to_have_count(1)


async def test_over_webrtc_a_lost_sideband_is_not_noticed_and_lost_media_are_made_anew(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await greeted(here)
        await here.fault(fault="drop", service="sideband", on="now")
        await here.type("Which cards do I have?")
        await heard_out(here, CARDS)
        await expect(broke_off(here)).to_have_count(0)
        await expect(here.lines("agent", "sorry")).to_have_count(0)

        await here.fault(fault="drop", service="calls", on="reply", after_ms=2_500)
        await here.type("What are my last transactions?")

        await expect(broke_off(here)).to_be_visible()
        await finished_after_one_apology(here)
        await here.type("What is my balance?")
        await expect(here.lines("agent", BALANCE)).to_be_visible()
        await expect(broke_off(here)).to_have_count(1)


async def greeted(here: Visit) -> None:
    """In a call whose agent has said its greeting."""
    await here.call("Contoso Bank")
    await here.state("speaker", "playing")
    await here.state("speaker", "silent")


async def heard_out(here: Visit, text: str) -> None:
    """The agent says `text`, and what follows, to its end."""
    await expect(here.lines("agent", text)).to_be_visible()
    # Words may come before the sound of them.
    await here.state("speaker", "playing")
    await here.state("floor", "nobody")
    await here.state("speaker", "silent")


async def finished_after_one_apology(here: Visit) -> None:
    """The agent says it is sorry and the whole of the answer, to its end."""
    await heard_out(here, "I am sorry.")
    await expect(here.lines("agent", "I am sorry.")).to_contain_text("Bluebird Books.")
    await expect(here.lines("agent", "sorry")).to_have_count(1)
    await here.state("phase", "live")
    await until(lambda: here.live_calls() == 1)


async def spoken(here: Visit) -> list[tuple[str | None, str | None]]:
    """Who said something, in the transcript's order, and how each line ended."""
    lines = await here.page.get_by_test_id("line").all()
    return [
        (await line.get_attribute("data-speaker"), await line.get_attribute("data-state"))
        for line in lines
    ]


def broke_off(here: Visit) -> Locator:
    return here.page.get_by_test_id("transcript").get_by_text(BROKE_OFF)


def streams(here: Visit) -> list[Request]:
    """The page's requests for the events of its call."""
    return [each for each in here.recorder.requests if each.url.endswith("/events")]
