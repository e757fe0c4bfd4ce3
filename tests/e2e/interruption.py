"""What must be so once a caller has spoken over the agent, on a call over a WebSocket."""

import time
from typing import Any

from tests.e2e.conftest import Visit
from tests.e2e.town import until

SILENT_WITHIN_S = 0.150
"""From the service's `speech_started` to a silent page."""


async def cut_in_time(here: Visit, cut: dict[str, Any]) -> None:
    """After the interruption `cut`: silence at once, and a model that knows what was heard."""
    started = here.tap.events("input_audio_buffer.speech_started")[-1]
    silent_at = await _silent_after(here, started.at)
    assert silent_at - started.at <= SILENT_WITHIN_S

    truncated = here.tap.events("conversation.item.truncate", from_model=False)[-1].event
    received_ms = len(here.ear.audio(cut["item"])) / 48
    assert truncated["item_id"] == cut["item"]
    assert 0 < truncated["audio_end_ms"] < received_ms
    whole, kept = _line(here, cut["item"]), await _remembered(here, cut["item"])
    assert len(kept) < len(whole["text"])
    assert whole["text"].startswith(kept[: len(kept) * 3 // 4])


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


def _line(here: Visit, item: str) -> dict[str, Any]:
    return [line for line in here.ear.of("line") if line["id"] == item][-1]


async def _remembered(here: Visit, item: str) -> str:
    """What the service has in its history of this item."""
    await here.tap.ask_model({"type": "conversation.item.retrieve", "item_id": item})
    answer = (await until(lambda: here.tap.events("conversation.item.retrieved")))[-1]
    parts = answer.event["item"]["content"]
    return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)
