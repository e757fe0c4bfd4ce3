"""An operator takes a telephone call over: product and local ACS, nothing between replaced."""

import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from switchboard.console import protocol as wire
from switchboard.console.calldesk import LocalCalls
from tests.local.acs.peers import kept
from tests.local.realtime.doubles import Cloud
from tests.phone.handing import rings, staffed, they_talk
from tests.phone.ringing import SPEECH, Town

VOICE = base64.b64encode(b"\x40\x10" * 480).decode()


class Seat:
    """An operator who counts what they hear."""

    def __init__(self) -> None:
        self.caller_frames = 0

    def caller(self, audio: str) -> None:
        self.caller_frames += any(base64.b64decode(audio))

    def agent(self, audio: str) -> None: ...
    def operator(self, audio: str) -> None: ...
    def hush(self) -> None: ...
    def muted(self, muted: bool) -> None: ...
    def over(self) -> None: ...


@pytest.fixture
async def there(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    async for place in kept(staffed(cloud, tmp_path)):
        yield place


def nobody_asks(_call_id: str, _tool_id: str) -> bool:
    return False


async def test_operator_and_telephone_hear_each_other_and_the_agent_goes_on(there: Town) -> None:
    call = await there.ring()
    desk, seat = LocalCalls(there.home.house.switchboard, nobody_asks), Seat()
    replies = len(there.tap.events("response.created"))
    with desk.taking_over(there.call_id, seat, "Ada") as mouth:
        before_ms = call.heard_ms
        with anyio.fail_after(30):
            while call.heard_ms < before_ms + 500:
                mouth.speak(VOICE)
                await anyio.sleep(0.02)
        assert b"\x40\x10" * 100 in call.heard_pcm
        await call.say_out(SPEECH)
        await there.said("conversation.item.input_audio_transcription.completed")
        assert seat.caller_frames > 0
        assert len(there.tap.events("response.created")) == replies
        mouth.hand_back(None)
    await there.said("response.created", replies + 1)


async def test_the_operator_sends_the_caller_on_to_a_human_by_name(there: Town) -> None:
    call = await there.ring()
    desk = LocalCalls(there.home.house.switchboard, nobody_asks)
    assert desk.can(there.call_id).humans == ["support"]
    with desk.taking_over(there.call_id, Seat(), "Ada"):
        await desk.act(there.call_id, wire.Human("support"))
        human = (await rings(there)).answer()
        await there.empty()
    await they_talk(call, human)
