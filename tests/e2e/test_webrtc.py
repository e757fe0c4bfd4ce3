"""A person speaks to the agent over WebRTC, through the product and the local cloud, offline."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said
from tests.e2e.conftest import NO_UDP, Visit, Visiting
from tests.e2e.recorder import answered_ms, heard
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]
ANSWERED_WITHIN_MS = 15_000
"""From the caller's last sound to the answer's first, a tool between them, on a busy machine."""
FALLBACK_S = 8.0
FACTS = ("1204", "1200 and 4", "one thousand two hundred and four")
"""1,204.50, however the ears write it down."""


def live_calls(here: Visit) -> int:
    count: int = httpx.get(f"{here.address}/health", timeout=5).json()["calls"]["live"]
    return count


def confidential() -> list[str]:
    """Every sentence of the prompts, and every description of a tool, as the product has them."""
    command = [sys.executable, "-m", "switchboard", "tools", "--json"]
    agents = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    lines = [line for agent in agents.values() for line in agent["instructions"].splitlines()]
    tools = [tool["description"] for agent in agents.values() for tool in agent["tools"]]
    return [text for text in lines + tools if len(text) > 30]


async def test_a_spoken_question_is_answered_aloud_and_nothing_secret_reaches_the_page(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What is the balance of my account?")
    mic = microphone(tmp_path / "mic.wav", (8.0, question))
    async with visiting(mic, connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("way", "webrtc")
        await here.state("speaker", "playing")
        lines = here.page.get_by_test_id("line")
        await expect(lines.first).to_contain_text("Contoso Bank")

        tool = here.page.get_by_test_id("tool")
        await expect(tool).to_contain_text("Checked the balance", timeout=40_000)
        await expect(here.page.get_by_test_id("latency").first).to_be_visible(timeout=20_000)
        await here.state("speaker", "playing")
        await here.state("floor", "nobody")
        await here.state("speaker", "silent")
        gap_ms = await answered_ms(here.page)
        assert 0 < gap_ms < ANSWERED_WITHIN_MS
        words = await engine.ears.transcribe((await heard(here.page))[-24_000 * 2 * 12 :])
        spoken = words.replace(",", "")
        assert any(fact in spoken for fact in FACTS), words

        await here.page.get_by_role("button", name="End", exact=True).click()
        await until(lambda: live_calls(here) == 0)
        told = "\n".join(await here.recorder.everything(here.page))
        assert "a=fingerprint" in told, "the offer and its answer were recorded"
        assert "Checked the balance" in told or "get_balance" in told, "so was the stream"
        assert here.recorder.frames == []
        assert "ek_" not in told
        assert '"parameters"' not in told
        assert [text for text in confidential() if text in told] == []
        log = here.log.read_text()
        assert "ek_" not in log
        assert [text for text in confidential() if text in log] == []


async def test_speaking_over_the_agent_silences_it(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What are my last transactions?")
    interruption = await said(engine.voice, "Stop, please. That is enough for now.")
    mic = microphone(tmp_path / "mic.wav", (8.0, question), (15.0, interruption))
    async with visiting(mic, connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("way", "webrtc")
        cut = here.page.locator("[data-testid=line][data-state=cut]")
        await expect(cut).to_be_visible(timeout=40_000)
        await here.state("speaker", "silent", timeout_s=2)


async def test_typed_words_and_consent_go_by_the_server_and_leaving_hangs_up(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live")
        await here.state("way", "webrtc")
        await here.page.get_by_label("Your message").fill("Block my card ending in 4417, please")
        await here.page.keyboard.press("Enter")
        await here.page.get_by_role("button", name="Yes").click(timeout=40_000)
        tool = here.page.get_by_test_id("tool").last
        await expect(tool).to_contain_text("Blocked", timeout=20_000)
        assert live_calls(here) == 1

        await here.page.reload()

        await until(lambda: live_calls(here) == 0, timeout_s=3)


async def test_a_network_without_udp_falls_back_to_a_socket_and_says_so(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), NO_UDP, connection="automatic") as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live", timeout_s=FALLBACK_S)
        await here.state("way", "websocket")
        preface = here.page.get_by_text("Connected over WebSocket: this network blocks WebRTC.")
        await expect(preface).to_be_visible()
        greeting = (await until(lambda: here.ear.lines("agent", "final")))[0]
        assert "Contoso Bank" in greeting["text"]
        assert live_calls(here) == 1, "the half-made call has ended"
