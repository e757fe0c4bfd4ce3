"""A person speaks to the agent in a real browser, offline, and is answered aloud."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said
from tests.e2e.conftest import Visit, Visiting
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(120),
]
SILENT_WITHIN_S = 0.150
"""From the service's `speech_started` to a silent page."""


@pytest.mark.asyncio(loop_scope="session")
async def test_a_spoken_question_is_looked_up_and_answered_aloud(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What is the balance of my account?")
    async with visiting(microphone(tmp_path / "mic.wav", (6.0, question))) as here:
        await here.call("Contoso Bank")

        await here.state("speaker", "playing")
        greeting = (await until(lambda: here.ear.lines("agent", "final")))[0]
        assert "Contoso Bank" in greeting["text"]

        tool = await until(lambda: [t for t in here.ear.of("tool") if t["state"] == "done"])
        assert tool[0]["name"] == "get_balance"
        assert tool[0]["result"]["balance_eur"] == 1204.5
        await expect(here.page.get_by_test_id("tool")).to_contain_text("Checked the balance")

        answer = await until(lambda: here.ear.lines("agent", "final")[1:])
        heard = await engine.ears.transcribe(here.ear.audio(answer[0]["id"]))
        assert any(fact in heard for fact in ("1,204", "1204", "1,200 and 4")), heard
        await expect(here.page.get_by_test_id("latency").first).to_be_visible()


@pytest.mark.asyncio(loop_scope="session")
async def test_speaking_over_the_agent_silences_the_page_and_the_model_keeps_what_was_heard(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What are my last transactions?")
    interruption = await said(engine.voice, "Stop, please. That is enough for now.")
    mic = microphone(tmp_path / "mic.wav", (6.0, question), (13.0, interruption))
    async with visiting(mic) as here:
        await here.call("Contoso Bank")

        cut = (await until(lambda: here.ear.of("interruption"), timeout_s=30))[0]

        started = here.tap.events("input_audio_buffer.speech_started")[-1]
        silent_at = await _silent_after(here, started.at)
        assert silent_at - started.at <= SILENT_WITHIN_S

        truncated = here.tap.events("conversation.item.truncate", from_model=False)[-1].event
        received_ms = len(here.ear.audio(cut["item"])) / 48
        assert truncated["item_id"] == cut["item"]
        assert 0 < truncated["audio_end_ms"] < received_ms
        whole, kept = await _line(here, cut["item"]), await _remembered(here, cut["item"])
        assert len(kept) < len(whole["text"])
        assert whole["text"].startswith(kept[: len(kept) * 3 // 4])
        line = here.page.locator("[data-testid=line][data-state=cut]")
        await expect(line).to_be_visible()


@pytest.mark.asyncio(loop_scope="session")
async def test_typing_works_in_the_same_conversation_and_a_button_gives_consent(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav")) as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live")
        await here.page.get_by_label("Your message").fill("Block my card ending in 4417, please")
        await here.page.keyboard.press("Enter")

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
        assert _live(here) == 1
        assert here.tap.lines == 1

        await here.page.reload()

        await until(lambda: _live(here) == 0, timeout_s=3)
        await until(lambda: here.tap.lines == 0, timeout_s=3)


def _live(here: Visit) -> int:
    state = httpx.get(f"{here.address}/health", timeout=5).json()
    live: int = state["calls"]["live"]
    return live


async def _silent_after(here: Visit, at: float) -> float:
    """When the speaker fell silent, first after `at`."""
    until_s = time.monotonic() + 5
    log: list[tuple[str, float]] = []
    while time.monotonic() < until_s:
        log = await here.page.evaluate("window.speaker")
        for state, when in log:
            if state == "silent" and when >= at - 0.01:
                return when
        await here.page.wait_for_timeout(20)
    raise AssertionError(f"never silent after {at}: {log}")


async def _line(here: Visit, item: str) -> dict[str, Any]:
    return [line for line in here.ear.of("line") if line["id"] == item][-1]


async def _remembered(here: Visit, item: str) -> str:
    """What the service has in its history of this item."""
    await here.tap.ask_model({"type": "conversation.item.retrieve", "item_id": item})
    answer = (await until(lambda: here.tap.events("conversation.item.retrieved")))[-1]
    parts = answer.event["item"]["content"]
    return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)


def test_the_page_is_told_no_prompt_and_no_tool_schema() -> None:
    page = Path(__file__).parents[2] / "src/switchboard/browser/page"
    bundle = "".join(f.read_text("utf-8", "ignore") for f in page.rglob("*") if f.is_file())
    prompts = (Path(__file__).parents[2] / "prompts").glob("*.md")
    sentences = [line for p in prompts for line in p.read_text().splitlines() if len(line) > 30]

    assert bundle
    assert sentences
    assert not [sentence for sentence in sentences if sentence in bundle]
    assert '"parameters"' not in json.dumps(bundle)
