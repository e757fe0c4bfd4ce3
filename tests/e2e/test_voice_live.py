"""A person speaks to an agent whose model is behind Azure AI Voice Live."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from switchboard_local.engine.load import Engine
from tests.e2e.caller import microphone, said, tells_the_balance
from tests.e2e.conftest import MICROPHONES, Visiting
from tests.e2e.interruption import QUESTION, cut_in_time, speaks
from tests.e2e.secrecy import secrets_in
from tests.e2e.town import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]
MODEL = "Voice Live: GPT Realtime 2.1"


async def test_a_call_over_voice_live_is_spoken_typed_and_spoken_over(
    visiting: Visiting, engine: Engine, tmp_path: Path
) -> None:
    question = await said(engine.voice, "What is the balance of my account?")
    interruption = await said(engine.voice, "Stop, please. That is enough for now.")
    # Whoever chose WebRTC is told why this call goes another way.
    async with visiting(microphone(tmp_path / "mic.wav"), connection="webrtc") as here:
        await here.choose(Model=MODEL)
        await here.page.get_by_role("button", name="Settings").click()
        hint = f"{MODEL} can be talked to over WebSocket only."
        await expect(here.page.get_by_text(hint)).to_be_visible()
        await here.call("Contoso Bank")
        await here.state("way", "websocket")
        why = "Connected over WebSocket: this model cannot be talked to over WebRTC."
        await expect(here.page.get_by_text(why)).to_be_visible()
        greeting = (await until(lambda: here.ear.lines("agent", "final")))[0]
        assert "Contoso Bank" in greeting["text"]
        await here.state("speaker", "silent")

        await here.say(question, MICROPHONES[0])
        await expect(here.page.get_by_test_id("tool")).to_contain_text("Checked the balance")
        answer = (await until(lambda: here.ear.lines("agent", "final")[1:]))[0]
        heard = await engine.ears.transcribe(here.ear.audio(answer["id"]))
        assert tells_the_balance(heard), heard
        await here.state("speaker", "silent")

        await here.type(QUESTION)
        await speaks(here)
        await cut_in_time(here, interruption)

        assert here.tap.paths == ["/voice-live/realtime"]
        await here.page.get_by_role("button", name="End", exact=True).click()
        await until(lambda: here.live_calls() == 0)
        told = "\n".join(await here.recorder.everything(here.page))
        assert "get_balance" in told, "the frames were recorded"
        assert secrets_in(told) == []
        assert secrets_in(here.log.read_text()) == []
