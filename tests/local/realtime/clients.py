"""WebSocket clients of the local realtime service, without an SDK."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.local.realtime.bench import Event, assert_documented
from tests.local.realtime.doubles import Cloud


@asynccontextmanager
async def joined(cloud: Cloud, max_queue: int = 16) -> AsyncGenerator[ClientConnection]:
    """An open session, its first two events read."""
    async with connect(
        cloud.ws_url,
        additional_headers=cloud.headers,
        max_size=None,
        proxy=None,
        open_timeout=60,
        max_queue=max_queue,
    ) as socket:
        assert (await receive(socket))["type"] == "session.created"
        assert (await receive(socket))["type"] == "conversation.created"
        yield socket


async def emptied(cloud: Cloud, within_s: float = 20) -> None:
    """Until no session is open."""
    url = f"http://127.0.0.1:{cloud.port}/health"
    async with asyncio.timeout(within_s), httpx.AsyncClient(trust_env=False) as plain:
        while (await plain.get(url)).json()["sessions"]:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.05)


async def send(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def receive(socket: ClientConnection) -> Event:
    event = json.loads(await asyncio.wait_for(socket.recv(), 20))
    assert_documented(event)
    return event


async def until(socket: ClientConnection, kind: str) -> Event:
    while True:
        event = await receive(socket)
        if event["type"] == kind:
            return event


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """How the service ends the session."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    frame = ended.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


async def cut_off(socket: ClientConnection) -> None:
    """Read until the connection is gone; there must have been no word of farewell."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    assert ended.value.rcvd is None
    assert socket.close_code == 1006


async def still_answers(socket: ClientConnection) -> None:
    await send(socket, "response.cancel", event_id="ping")
    while (await until(socket, "error"))["error"]["event_id"] != "ping":
        pass


async def append(socket: ClientConnection, pcm: bytes) -> None:
    for at in range(0, len(pcm), 4800):
        audio = b64encode(pcm[at : at + 4800]).decode()
        await send(socket, "input_audio_buffer.append", audio=audio)
