"""Many lines at once, most of them silent: nothing is lost, and nobody is cut off.

Counts, not times: `make bench NAMES=proxy` measures.
"""

import anyio
import pytest
from websockets.asyncio.client import ClientConnection

from switchboard.access.rates import Rate
from switchboard.browser.proxy.routes import ProxyConfig
from tests.browser.proxy.peers import Door, echo, proxy, voice_live

AUDIO = '{"type":"input_audio_buffer.append","audio":"' + "A" * 1_264 + '"}'
OPEN = Rate(1_000, 5_000)


async def talk(client: ClientConnection, number: int, frames: int) -> list[str | bytes]:
    """Say frames at a caller's pace; returns what came back."""
    heard: list[str | bytes] = []

    async def listen() -> None:
        while len(heard) < frames:
            heard.append(await client.recv())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        for count in range(frames):
            await client.send(f"{number}/{count} {AUDIO}")
            await anyio.sleep(0.02)
    return heard


async def hold(door: Door, idle: int, speaking: int, frames: int) -> None:
    """Idle lines are taken, speaking ones beside them; all of it arrives; all lines still stand."""
    async with anyio.create_task_group() as lines:
        over, held = anyio.Event(), 0

        async def keep() -> None:
            nonlocal held
            async with door.dial() as client:
                held += 1
                await over.wait()
                await client.send("still there?")
                assert await client.recv() == "still there?"

        async def speak(number: int) -> None:
            async with door.dial() as client:
                heard = await talk(client, number, frames)
                assert heard == [f"{number}/{count} {AUDIO}" for count in range(frames)]

        for _ in range(idle):
            lines.start_soon(keep)
        await door.until(lambda: held == idle, patience_s=60)
        async with anyio.create_task_group() as speakers:
            for number in range(speaking):
                speakers.start_soon(speak, number)
        assert door.room.active() >= idle
        over.set()
    await door.until(lambda: door.room.active() == 0, patience_s=30)


@pytest.mark.parametrize(
    ("idle", "speaking", "frames"),
    [
        (100, 10, 50),
        pytest.param(400, 20, 1_500, marks=[pytest.mark.long, pytest.mark.timeout(300)]),
    ],
)
async def test_idle_lines_are_kept_and_speaking_ones_lose_nothing(
    idle: int, speaking: int, frames: int
) -> None:
    config = ProxyConfig(max_connections=idle + speaking, address_rate=OPEN, user_rate=OPEN)
    async with voice_live(echo) as live, proxy(live, config, ping_s=2) as door:
        await hold(door, idle, speaking, frames)
    assert len(live.heard) == idle + speaking * frames
    codes = [line["code"] for line in door.lines]
    assert codes == [1000] * (idle + speaking)
    assert sum(line["messages_up"] for line in door.lines) == len(live.heard)
