"""What a frame of audio costs on its way through the product, counted and not timed: instructions
of the interpreter and calls of functions, from the bytes of one socket to those of the other.

A change that makes it dearer shows here on any machine; `bench hot` says what that is in time.
"""

import base64
import gc
import json
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol

from bench.relay import standing_in
from switchboard.app import create_app
from switchboard.browser.leg import BrowserLeg
from switchboard.browser.sockets import BoundedSockets
from switchboard.conversation.core import Conversation
from switchboard.exchange.call import Call
from switchboard.model.frames import QuickConnection
from switchboard.model.link import Link
from switchboard.settings import Settings
from tests.browser.peers import serving
from tests.test_app import ROOT

AUDIO = base64.b64encode(bytes(960)).decode()
TOOL = 4
"""Of `sys.monitoring`, one that it has no name for."""
ROUNDS, FRAMES = 7, 20


class Cost(NamedTuple):
    """Of one frame."""

    instructions: float
    calls: float


def counted(step: Callable[[], None]) -> Cost:
    """The least of several rounds, for other threads count, too. The loop stands still."""
    return min(_round(step) for _ in range(ROUNDS))


def _round(step: Callable[[], None]) -> Cost:
    seen = [0, 0]

    def instruction(*_: object) -> None:
        seen[0] += 1

    def call(*_: object) -> None:
        seen[1] += 1

    watch = sys.monitoring
    watch.use_tool_id(TOOL, "hot path")
    try:
        watch.register_callback(TOOL, watch.events.INSTRUCTION, instruction)
        watch.register_callback(TOOL, watch.events.PY_START, call)
        watch.set_events(TOOL, watch.events.INSTRUCTION | watch.events.PY_START)
        for _ in range(FRAMES):
            step()
    finally:
        watch.set_events(TOOL, watch.events.NO_EVENTS)
        watch.free_tool_id(TOOL)
    return Cost(seen[0] / FRAMES, seen[1] / FRAMES)


class Scene(NamedTuple):
    """A call in which the agent speaks."""

    page: BoundedSockets
    model: QuickConnection
    """The product's ends of both sockets."""
    up: bytes
    """20 ms of the caller, as bytes of the page's socket."""
    down: bytes
    """20 ms of the agent, as bytes of the model's."""
    caller: ClientConnection


@asynccontextmanager
async def house(data_dir: Path, model: str) -> AsyncGenerator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    told = Settings(
        port=port,
        data_dir=data_dir,
        session_config=ROOT / "session_config.json",
        azure_openai_endpoint=model,
        after_calls=False,
    )
    async with serving(create_app(told), door):
        yield f"http://127.0.0.1:{port}"


async def called(url: str) -> ClientConnection:
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False) as http:
        placed = (await http.post("/api/calls", json={"agent": "telecom"})).json()
    return await connect(
        url.replace("http", "ws", 1) + placed["socket"],
        origin=Origin(url),
        subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{placed['ticket']}")],
        compression=None,
        ping_interval=None,
    )


async def answered(caller: ClientConnection) -> str:
    """The item of which the first audio comes to the page, while it speaks."""
    speech = json.dumps({"type": "audio", "audio": AUDIO}, separators=(",", ":"))
    with anyio.fail_after(30):
        while True:
            await caller.send(speech)
            with anyio.move_on_after(0.02):
                while True:
                    message = msgspec.json.decode(await caller.recv())
                    if message["type"] == "audio":
                        return message["item"]


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Scene]:
    async with standing_in() as (model, _):
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{model}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        async with house(tmp_path, model) as url, await called(url) as caller:
            item = await answered(caller)
            await anyio.sleep(0.2)  # what is on its way arrives
            up = json.dumps({"type": "audio", "audio": AUDIO}, separators=(",", ":")).encode()
            delta = {
                "type": "response.output_audio.delta",
                "event_id": "event_0123456789",
                "response_id": item.removeprefix("item_"),
                "item_id": item,
                "output_index": 0,
                "content_index": 0,
                "delta": AUDIO,
            }
            yield Scene(
                the(BoundedSockets, lambda one: one.client == caller.local_address),
                the(QuickConnection, lambda one: one.protocol.state is State.OPEN),
                Frame(Opcode.TEXT, up).serialize(mask=True),
                Frame(Opcode.TEXT, json.dumps(delta).encode()).serialize(mask=False),
                caller,
            )


def the[T](kind: type[T], wanted: Callable[[T], bool]) -> T:
    (found,) = (each for each in gc.get_objects() if type(each) is kind and wanted(each))
    return found


async def test_a_frame_of_the_callers_costs_no_more_than_it_did(scene: Scene) -> None:
    cost = counted(lambda: scene.page.data_received(scene.up))
    assert cost.calls <= 26
    assert cost.instructions <= 540
    # It was counted on its whole way: nothing of it waits.
    assert cost.calls > 10
    assert scene.page.queue.empty()


async def test_a_frame_of_the_agents_costs_no_more_than_it_did(scene: Scene) -> None:
    cost = counted(lambda: scene.model.data_received(scene.down))
    assert cost.calls <= 24
    assert cost.instructions <= 415
    assert cost.calls > 10
    heard = 0
    with anyio.fail_after(10):
        while heard < ROUNDS * FRAMES:
            heard += msgspec.json.decode(await scene.caller.recv())["type"] == "audio"


async def test_a_frame_leaves_nothing_behind(scene: Scene) -> None:
    """Of the caller's, the last moments are kept in case a new session must hear them: bounded."""
    for _ in range(40):
        scene.model.data_received(scene.down)
    blocks = sys.getallocatedblocks()
    for _ in range(200):
        scene.model.data_received(scene.down)
    # One block a frame are the bytes that wait to leave while the loop stands still.
    assert sys.getallocatedblocks() - blocks <= 2 * 200 + 50


async def test_a_call_that_has_ended_leaves_nothing_to_the_collector(scene: Scene) -> None:
    """Else thousands of its objects would wait for a look at everything, which stops all calls."""
    gc.collect()
    gc.disable()
    try:
        await scene.caller.send('{"type":"end"}')
        await scene.caller.wait_closed()
        await anyio.sleep(1.5)  # it says goodbye to the service
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(each).__qualname__ for each in gc.garbage if _is_ours(each)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not left
    # Nor does a socket that somebody still has, as this scene does, hold any of it.
    kinds = (BrowserLeg, Call, Conversation, Link)
    assert not [each for each in gc.get_objects() if isinstance(each, kinds)]


def _is_ours(left: object) -> bool:
    return type(left).__module__.startswith("switchboard.")
