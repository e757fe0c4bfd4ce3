"""What must be so once a caller has spoken over the agent, on a call over a WebSocket."""

from contextlib import suppress
from typing import Any

import anyio
from playwright.async_api import expect

from tests.e2e.conftest import MICROPHONES, Visit
from tests.e2e.town import until

SILENT_WITHIN_S = 0.150
"""From the service's `speech_started` to a silent page."""
TRIES = 4
"""On a busy machine a page may be late; one that is slow is late each time."""
QUESTION = "What are my last transactions?"
"""Takes the agent long to answer."""
ANSWER = "The latest are"


async def cut_in_time(here: Visit, interruption: bytes) -> None:
    """Whoever speaks into an answer silences the page at once, and the model keeps what was heard.

    The agent has just begun the answer to `QUESTION`.
    """
    took_s = [await _interrupted(here, interruption, 1)]
    while took_s[-1] > SILENT_WITHIN_S and len(took_s) < TRIES:
        await here.type(QUESTION)
        await speaks(here, len(took_s) + 1)
        took_s.append(await _interrupted(here, interruption, len(took_s) + 1))
    assert took_s[-1] <= SILENT_WITHIN_S, took_s


async def asked_aloud(here: Visit, question: bytes) -> str:
    """Ask `QUESTION` by a microphone, until it is answered; the microphone that is free then.

    On a busy machine some of what is said is lost on its way, as on any line, and is said again.
    """
    for device, other in (MICROPHONES, MICROPHONES[::-1], MICROPHONES):
        await here.say(question, device)
        with suppress(AssertionError):
            await expect(here.lines("agent", ANSWER).first).to_be_visible()
            await here.state("speaker", "playing")
            return other
    raise AssertionError("nobody answered")


async def speaks(here: Visit, times: int = 1) -> None:
    """Until the answer to `QUESTION` sounds, for the so manieth time."""
    await expect(here.lines("agent", ANSWER)).to_have_count(times)
    await here.state("speaker", "playing")


async def _interrupted(here: Visit, interruption: bytes, times: int) -> float:
    """How long the page sounded after the service had noticed, in seconds."""
    before = len(here.tap.events("input_audio_buffer.speech_started"))
    await here.say(interruption, MICROPHONES[times % 2])
    cut = (await until(lambda: here.ear.of("interruption")[times - 1 :]))[0]
    started = here.tap.events("input_audio_buffer.speech_started")[before]
    silent_at = await silent_after(here, started.at)
    await _kept(here, cut)
    await expect(here.page.locator("[data-testid=line][data-state=cut]")).to_have_count(times)
    return silent_at - started.at


async def _kept(here: Visit, cut: dict[str, Any]) -> None:
    """After the interruption `cut`: a model that knows what was heard."""
    truncated = (await until(lambda: _truncates(here, cut["item"])))[-1]
    received_ms = len(here.ear.audio(cut["item"])) / 48
    assert 0 < truncated["audio_end_ms"] < received_ms
    whole, kept = _line(here, cut["item"]), await _remembered(here, cut["item"])
    assert len(kept) < len(whole["text"])
    assert whole["text"].startswith(kept[: len(kept) * 3 // 4])


async def silent_after(here: Visit, at: float) -> float:
    """When the speaker fell silent, first after `at`."""
    with anyio.fail_after(20):
        while True:
            log: list[tuple[str, float]] = await here.page.evaluate("window.speaker")
            for state, when in log:
                if state == "silent" and when >= at - 0.01:
                    return when
            await anyio.sleep(0.02)


def _truncates(here: Visit, item: str) -> list[dict[str, Any]]:
    told = here.tap.events("conversation.item.truncate", from_model=False)
    return [each.event for each in told if each.event["item_id"] == item]


def _line(here: Visit, item: str) -> dict[str, Any]:
    return [line for line in here.ear.of("line") if line["id"] == item][-1]


async def _remembered(here: Visit, item: str) -> str:
    """What the service has in its history of this item."""
    before = len(here.tap.events("conversation.item.retrieved"))
    await here.tap.ask_model({"type": "conversation.item.retrieve", "item_id": item})
    answer = (await until(lambda: here.tap.events("conversation.item.retrieved")[before:]))[0]
    parts = answer.event["item"]["content"]
    return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)
