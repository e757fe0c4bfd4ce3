"""A person speaks to the agent in a real browser, offline, and is answered aloud."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said, tells_the_balance
from tests.e2e.conftest import MICROPHONES, Visiting
from tests.e2e.interruption import QUESTION, cut_in_time, speaks
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(300),
]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_spoken_question_is_looked_up_and_answered_aloud(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What is the balance of my account?")
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await here.call("Contoso Bank")

        await here.state("speaker", "playing")
        greeting = (await until(lambda: here.ear.lines("agent", "final")))[0]
        assert "Contoso Bank" in greeting["text"]
        await here.state("speaker", "silent")
        await here.say(question, MICROPHONES[0])

        tool = await until(lambda: [t for t in here.ear.of("tool") if t["state"] == "done"])
        assert tool[0]["name"] == "get_balance"
        assert tool[0]["result"]["balance_eur"] == 1204.5
        await expect(here.page.get_by_test_id("tool")).to_contain_text("Checked the balance")

        answer = await until(lambda: here.ear.lines("agent", "final")[1:])
        heard = await engine.ears.transcribe(here.ear.audio(answer[0]["id"]))
        assert tells_the_balance(heard), heard
        await expect(here.page.get_by_test_id("latency").first).to_be_visible()


@pytest.mark.asyncio(loop_scope="session")
async def test_speaking_over_the_agent_silences_the_page_and_the_model_keeps_what_was_heard(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, QUESTION)
    interruption = await said(engine.voice, "Stop, please. That is enough for now.")
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await here.call("Contoso Bank")
        await here.state("speaker", "playing")
        await here.state("speaker", "silent")
        await here.say(question, MICROPHONES[0])
        await speaks(here)
        await cut_in_time(here, interruption)


@pytest.mark.asyncio(loop_scope="session")
async def test_typing_works_in_the_same_conversation_and_a_button_gives_consent(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live")
        await here.type("Block my card ending in 4417, please")

        asking = (await until(lambda: [t for t in here.ear.of("tool") if t["state"] == "asking"]))[
            0
        ]
        assert asking["name"] == "block_card"
        await here.page.get_by_role("button", name="Yes").click()

        done = await until(lambda: [t for t in here.ear.of("tool") if t["state"] == "done"])
        assert done[0]["id"] == asking["id"]
        assert done[0]["arguments"] == {"card": "4417"}
        assert done[0]["result"]["status"] == "blocked"


@pytest.mark.asyncio(loop_scope="session")
async def test_reloading_in_the_middle_of_a_call_leaves_nothing_running(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await here.call("Contoso Bank")
        await here.state("speaker", "playing")
        assert here.live_calls() == 1
        assert here.tap.lines == 1

        await here.page.reload()

        await until(lambda: here.live_calls() == 0)
        await until(lambda: here.tap.lines == 0)


def test_the_page_is_told_no_prompt_and_no_tool_schema() -> None:
    page = Path(__file__).parents[2] / "src/switchboard/browser/page"
    bundle = "".join(f.read_text("utf-8", "ignore") for f in page.rglob("*") if f.is_file())
    prompts = (Path(__file__).parents[2] / "prompts").glob("*.md")
    sentences = [line for p in prompts for line in p.read_text().splitlines() if len(line) > 30]

    assert bundle
    assert sentences
    assert not [sentence for sentence in sentences if sentence in bundle]
    assert '"parameters"' not in json.dumps(bundle)
