"""A person speaks to the agent over WebRTC, through the product and the local cloud, offline."""

import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said, tells_the_balance
from tests.e2e.conftest import NO_UDP, Visiting
from tests.e2e.interruption import QUESTION, asked_aloud, silent_after
from tests.e2e.recorder import answered_ms, heard
from tests.e2e.secrecy import secrets_in
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]
ANSWERED_WITHIN_MS = 15_000
"""From the caller's last sound to the answer's first, a tool between them, on a busy machine."""


async def test_a_spoken_question_is_answered_aloud_and_nothing_secret_reaches_the_page(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What is the balance of my account?")
    # Late enough for the greeting to be over; the first microphone's voice is recorded.
    mic = microphone(tmp_path / "mic.wav", (12.0, question))
    async with visiting(mic, connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("way", "webrtc")
        await here.state("speaker", "playing")
        lines = here.page.get_by_test_id("line")
        await expect(lines.first).to_contain_text("Contoso Bank")

        tool = here.page.get_by_test_id("tool")
        await expect(tool).to_contain_text("Checked the balance", timeout=40_000)
        await expect(here.page.get_by_test_id("latency").first).to_be_visible()
        await here.state("speaker", "playing")
        await here.state("floor", "nobody")
        await here.state("speaker", "silent")
        gap_ms = await answered_ms(here.page)
        assert 0 < gap_ms < ANSWERED_WITHIN_MS
        words = await engine.ears.transcribe((await heard(here.page))[-24_000 * 2 * 12 :])
        assert tells_the_balance(words), words

        await here.page.get_by_role("button", name="End", exact=True).click()
        await until(lambda: here.live_calls() == 0)
        told = "\n".join(await here.recorder.everything(here.page))
        assert "a=fingerprint" in told, "the offer and its answer were recorded"
        assert "Checked the balance" in told or "get_balance" in told, "so was the stream"
        assert here.recorder.frames == []
        assert secrets_in(told) == []
        assert secrets_in(here.log.read_text()) == []


async def test_speaking_over_the_agent_silences_it(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, QUESTION)
    interruption = await said(engine.voice, "Stop, please. That is enough for now.")
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("way", "webrtc")
        await here.state("speaker", "playing")
        await here.state("speaker", "silent")
        free = await asked_aloud(here, question)
        began = time.time()
        await here.say(interruption, free)
        await expect(here.page.locator("[data-testid=line][data-state=cut]").last).to_be_visible()
        await silent_after(here, began)


async def test_typed_words_and_consent_go_by_the_server_and_leaving_hangs_up(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live")
        await here.state("way", "webrtc")
        await here.type("Block my card ending in 4417, please")
        await here.page.get_by_role("button", name="Yes").click(timeout=40_000)
        tool = here.page.get_by_test_id("tool").last
        await expect(tool).to_contain_text("Blocked")
        assert here.live_calls() == 1

        await here.page.reload()

        await until(lambda: here.live_calls() == 0)


async def test_a_network_without_udp_falls_back_to_a_socket_and_says_so(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    async with visiting(microphone(tmp_path / "mic.wav"), NO_UDP, connection="automatic") as here:
        await here.call("Contoso Bank")
        await here.state("phase", "live")
        await here.state("way", "websocket")
        preface = here.page.get_by_text("Connected over WebSocket: this network blocks WebRTC.")
        await expect(preface).to_be_visible()
        greeting = (await until(lambda: here.ear.lines("agent", "final")))[0]
        assert "Contoso Bank" in greeting["text"]
        assert here.live_calls() == 1, "the half-made call has ended"
