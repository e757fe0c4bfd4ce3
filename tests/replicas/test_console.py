"""Calls that server A carries, in the hands of an operator at server B: real processes."""

import base64
import itertools
import math
import signal
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.async_api import Page as BrowserPage
from playwright.async_api import async_playwright, expect

from switchboard.conversation.audio import FRAME_MS
from switchboard.records.bus import NEVER
from switchboard.records.operators import deeds_of
from switchboard.records.store import Store
from switchboard_local.acs.people import PhoneCall
from tests.browser.peers import FRAME, Page
from tests.console.house import next_frame, next_line
from tests.local.realtime.doubles import Cloud
from tests.page.conftest import CHROMIUM, FLAGS, WATCH, write_hum
from tests.phone.ringing import SPEECH
from tests.replicas.town import WAIT_S, Server, town

pytestmark = pytest.mark.timeout(300)

HUM_HZ = 0.05 * 48_000 / math.tau
"""Of the microphone's file."""
CALLERS_HZ = 1_000
AGENTS_HZ = 24_000 / 8 / math.tau
"""Of the voice that hums whatever the agent says."""
LOUD = 500

expect.set_options(timeout=30_000)


LISTEN = """
const connect = AudioNode.prototype.connect;
const listening = [];
AudioNode.prototype.connect = function (to, ...more) {
  if (to === this.context.destination) {
    const analyser = this.context.createAnalyser();
    connect.call(this, analyser);
    listening.push(analyser);
  }
  return connect.call(this, to, ...more);
};
window.sounds = (hz) => listening.some((analyser) => {
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  const bin = Math.round(hz * analyser.fftSize / analyser.context.sampleRate);
  return levels[bin] > -50 && levels[bin] > levels[bin * 3] + 20;
});
"""
"""What the page plays, where it leaves for the loudspeaker."""


@asynccontextmanager
async def console(server: Server, place: Path) -> AsyncGenerator[BrowserPage]:
    """With a microphone that hums."""
    write_hum(place / "hum.wav")
    microphone = f"--use-file-for-fake-audio-capture={place / 'hum.wav'}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--use-fake-ui-for-media-stream", microphone]
        )
        page = await browser.new_page()
        await page.add_init_script(WATCH)
        await page.add_init_script(LISTEN)
        await page.goto(f"{server.address}/console")
        yield page
        assert await page.evaluate("window.wrongs") == []
        await browser.close()


@dataclass
class Mouth:
    """A caller who makes a sound, or none, without a pause."""

    page: Page
    hz: float = 0.0

    async def run(self) -> None:
        at = 0
        while True:
            turn = math.tau * self.hz / 24_000
            frame = array("h", (int(12_000 * math.sin(turn * n)) for n in range(at, at + 480)))
            at += 480
            await self.page.say("audio", audio=base64.b64encode(frame.tobytes()).decode())
            await anyio.sleep(FRAME_MS / 1_000)

    async def listen(self) -> None:
        """Nothing that comes meanwhile matters, but whoever does not read is let go."""
        while True:
            await self.page.socket.recv()


@asynccontextmanager
async def speaking(page: Page) -> AsyncGenerator[Mouth]:
    mouth = Mouth(page)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mouth.run)
        tasks.start_soon(mouth.listen)
        yield mouth
        tasks.cancel_scope.cancel()


async def until_it_sounds(page: BrowserPage, hz: float) -> None:
    """Asked from outside: the page's policy lets nobody evaluate inside."""
    with anyio.fail_after(WAIT_S):
        while not await page.evaluate(f"window.sounds({hz})"):  # noqa: ASYNC110
            await anyio.sleep(0.05)


async def hears_the_hum(caller: Page) -> None:
    """Until the operator's microphone has come to the caller's ear: the sound of its file."""
    with anyio.fail_after(WAIT_S):
        while not hums(await caller.next("audio")):
            pass


def hums(audio: dict[str, Any]) -> bool:
    if not audio["item"].startswith("operator"):
        return False
    return sounds_of(base64.b64decode(audio["audio"]), HUM_HZ)


def sounds_of(pcm: bytes, hz: float) -> bool:
    samples = array("h", pcm)
    return max(map(abs, samples)) > LOUD and abs(pitch_hz(samples) - hz) < 60


async def until_it_hears(telephone: PhoneCall, hz: float) -> None:
    """Until a fifth of a second of that has come to the ear, from now on."""
    left = 200 // FRAME_MS
    with anyio.fail_after(WAIT_S):
        async for heard in telephone.listen():
            left -= sounds_of(heard.pcm, hz)
            if left <= 0:
                return
    raise AssertionError("the call is over")


def whistle(seconds: int) -> bytes:
    turn = math.tau * CALLERS_HZ / 24_000
    return array("h", (int(12_000 * math.sin(turn * n)) for n in range(24_000 * seconds))).tobytes()


def pitch_hz(pcm: "array[int]") -> float:
    """Of a tone: how often it rises through nothing."""
    rises = sum(1 for one, next_ in itertools.pairwise(pcm) if one < 0 <= next_)
    return rises * 24_000 / len(pcm)


async def deeds(url: str, call_id: str) -> list[tuple[str, str]]:
    async with Store(url).opened() as store:
        return [(deed.kind, deed.outcome) for deed in await deeds_of(store, call_id)]


@pytest.mark.browser
@pytest.mark.node
async def test_a_websocket_call_on_a_is_watched_whispered_to_taken_over_and_ended_on_b_in_chromium(
    built_page: Path, cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        town(cloud, shared_url, tmp_path) as there,
        console(there.b, tmp_path) as operator,
        there.a.caller() as (call_id, caller),
    ):
        await operator.get_by_test_id("call").click()
        await caller.say("text", id="t1", text="Hello, can you help me?")
        lines = operator.get_by_test_id("line")
        await expect(lines.last).to_contain_text("You said: Hello, can you help me?")

        await operator.get_by_label("What to whisper").fill("Be brief.")
        await operator.get_by_role("button", name="Whisper", exact=True).click()
        await expect(operator.get_by_text("The agent has it: “Be brief.”")).to_be_visible()
        await caller.say("text", id="t2", text="And now?")
        await next_line(caller, "Be brief.")

        await operator.get_by_role("button", name="Listen in").click()
        ear = operator.get_by_test_id("ear")
        await expect(ear).to_have_attribute("data-state", "hearing")
        await there.b.until(call_id, lambda call: "listen" in kinds(call))
        await operator.get_by_role("button", name="Stop listening").click()

        await operator.get_by_role("button", name="Take over").click()
        await expect(operator.get_by_text("You are talking to the caller")).to_be_visible()
        await hears_the_hum(caller)
        cloud.doubles.ears.words = ["My invoice is wrong."]
        async with speaking(caller) as mouth:
            assert not await operator.evaluate(f"window.sounds({CALLERS_HZ})")
            mouth.hz = CALLERS_HZ
            await until_it_sounds(operator, CALLERS_HZ)
            mouth.hz = 0
            await expect(lines.filter(has_text="My invoice is wrong.")).to_be_visible()
        for server in (there.a, there.b):
            assert (await server.knows(call_id))["takenBy"] == "You"

        await operator.get_by_label("What the agent should know").fill("The invoice is cancelled.")
        await operator.get_by_role("button", name="Hand back to the agent").click()
        await next_line(caller, "handed the call back")
        await expect(operator.get_by_role("button", name="Take over")).to_be_visible()
        await caller.say("text", id="t3", text="What now?")
        await next_line(caller, "The invoice is cancelled.")
        await there.a.until(call_id, lambda call: "hand_back" in kinds(call))

        await operator.get_by_role("button", name="End the call…").click()
        await operator.get_by_role("button", name="Cut it off now").click()
        _, said = await caller.closed()
        assert said[-1]["reason"] == "operator"
        await expect(operator.get_by_test_id("outcome")).to_contain_text("an operator ended it")
    assert await deeds(shared_url, call_id) == [
        (kind, "taken") for kind in ("whisper", "listen", "take_over", "hand_back", "cut")
    ]


def kinds(call: dict[str, Any]) -> list[str]:
    return [act["kind"] for act in call["actions"]]


async def test_a_telephone_call_on_a_is_watched_whispered_to_heard_and_ended_from_b(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with town(cloud, shared_url, tmp_path, telephone=True) as there:
        call_id, telephone = await there.ring()
        seen = await there.b.knows(call_id)
        assert seen["call"]["channel"] == "phone"
        assert seen["call"]["server"] is not None
        assert (await there.b.act(call_id, "whisper", text="Offer ten euros.")).is_success
        ticket = (await there.b.http.post(f"/api/console/calls/{call_id}/listeners")).json()
        async with there.b.console.ear(call_id, ticket["ticket"]) as ear:
            cloud.doubles.ears.words = ["what do you offer"]
            await telephone.say_out(SPEECH)
            heard = {(await next_frame(ear, "voice"))["side"]}
            with anyio.fail_after(WAIT_S):
                while heard != {"caller", "agent"}:
                    heard.add((await next_frame(ear, "voice"))["side"])
            await there.b.until(call_id, lambda call: "Offer ten euros." in str(call["lines"]))
            assert (await there.b.act(call_id, "cut")).is_success
            with anyio.fail_after(WAIT_S):
                await telephone.ended.wait()
            await next_frame(ear, "over")
        ended = await there.b.until(call_id, lambda call: not call["live"])
        assert ended["call"]["endReason"] == "operator"
        assert kinds(ended) == ["whisper", "listen", "cut"]


@pytest.mark.browser
@pytest.mark.node
async def test_a_telephone_call_on_a_is_taken_over_on_b_handed_back_and_ended_in_chromium(
    built_page: Path, cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        town(cloud, shared_url, tmp_path, telephone=True) as there,
        console(there.b, tmp_path) as operator,
    ):
        assert there.doorway is not None
        call_id, telephone = await there.ring()
        await operator.get_by_test_id("call").click()
        lines = operator.get_by_test_id("line")

        await operator.get_by_role("button", name="Take over").click()
        await expect(operator.get_by_text("You are talking to the caller")).to_be_visible()
        await until_it_hears(telephone, HUM_HZ)
        cloud.doubles.ears.words = ["My invoice is wrong."]
        assert not await operator.evaluate(f"window.sounds({CALLERS_HZ})")
        telephone.say(whistle(60))
        await until_it_sounds(operator, CALLERS_HZ)
        telephone.hush()
        await expect(lines.filter(has_text="My invoice is wrong.")).to_be_visible()
        for server in (there.a, there.b):
            assert (await server.knows(call_id))["takenBy"] == "You"

        await operator.get_by_label("What the agent should know").fill("The invoice is cancelled.")
        await operator.get_by_role("button", name="Hand back to the agent").click()
        await until_it_hears(telephone, AGENTS_HZ)
        await expect(operator.get_by_role("button", name="Take over")).to_be_visible()
        await there.a.until(call_id, lambda call: call["floor"] == "nobody")
        cloud.doubles.ears.words = ["What now?"]
        await telephone.say_out(SPEECH)
        await expect(lines.last).to_contain_text("The invoice is cancelled.")
        assert (await there.a.knows(call_id))["takenBy"] is None

        await operator.get_by_role("button", name="End the call…").click()
        await operator.get_by_role("button", name="Cut it off now").click()
        with anyio.fail_after(WAIT_S):
            await telephone.ended.wait()
        await expect(operator.get_by_test_id("outcome")).to_contain_text("an operator ended it")
        # The carrier knew of the first server only: both voices went from one to the other.
        assert {port for _, port in there.doorway.passed} == {there.a.port}
    assert await deeds(shared_url, call_id) == [
        (kind, "taken") for kind in ("take_over", "hand_back", "cut")
    ]


async def test_a_server_that_is_stuck_is_said_to_be_and_does_not_act_once_it_is_not(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        town(cloud, shared_url, tmp_path) as there,
        there.a.caller() as (call_id, caller),
        there.b.stream("/api/console/live") as live,
    ):
        await there.b.knows(call_id)
        there.a.signal(signal.SIGSTOP)
        silent = await there.b.act(call_id, "cut")
        assert (silent.status_code, silent.json()["code"]) == (504, "server_silent")
        assert silent.json()["text"] == NEVER
        there.a.signal(signal.SIGCONT)
        await live.next("row")
        await caller.say("text", id="t1", text="Are you still there?")
        await next_line(caller, "Are you still there?")
        await caller.say("audio", audio=FRAME)
        assert await deeds(shared_url, call_id) == [("cut", "refused")]
