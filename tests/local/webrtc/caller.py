"""A caller over WebRTC who is no browser: aiortc, with a mouth and an ear that tests work."""

import asyncio
import fractions
import json
from array import array
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from tests.local.realtime.bench import Event, assert_documented
from tests.local.realtime.doubles import Cloud

LOUD = 1000
PATIENCE_S = 45
SESSION: dict[str, Any] = {
    "type": "realtime",
    "model": "gpt-realtime",
    "audio": {
        "input": {
            "transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        }
    },
}


class Mouth(MediaStreamTrack):
    """Says what it is given, 24 kHz PCM, and is silent else."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.waiting = bytearray()
        self._frames = 0
        self._began_s = 0.0

    async def recv(self) -> AudioFrame:
        now_s = asyncio.get_running_loop().time()
        self._began_s = self._began_s or now_s
        await asyncio.sleep(self._began_s + self._frames * 0.02 - now_s)
        frame = AudioFrame(format="s16", layout="mono", samples=480)
        frame.planes[0].update(bytes(self.waiting[:960]).ljust(960, b"\0"))
        del self.waiting[:960]
        frame.sample_rate = 24_000
        frame.time_base = fractions.Fraction(1, 24_000)
        frame.pts = self._frames * 480
        self._frames += 1
        return frame


@dataclass
class Caller:
    """One call, from the caller's side."""

    connection: RTCPeerConnection
    call_id: str
    mouth: Mouth
    heard_ms: int = 0
    """Of sound; silence is not counted."""
    last_heard_s: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Queue[Event] = field(default_factory=asyncio.Queue[Event])
    send_text: Callable[[str | bytes], None] = lambda _: None

    def say(self, *audio: bytes) -> None:
        for pcm in audio:
            self.mouth.waiting += pcm

    def send(self, kind: str, **fields: object) -> None:
        self.send_text(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, noted: list[Event] | None = None) -> Event:
        """The next event of its kind; what comes before it is noted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await self.arrived.get()
                if noted is not None:
                    noted.append(event)
                if event["type"] == kind:
                    return event

    async def until_loud(self) -> None:
        """Until something more is heard."""
        before = self.heard_ms
        async with asyncio.timeout(PATIENCE_S):
            while self.heard_ms == before:  # noqa: ASYNC110 - a fact of the media, not an event
                await asyncio.sleep(0.01)

    async def until_quiet(self, for_s: float = 0.3) -> None:
        """Until nothing was heard for so long."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            while loop.time() - self.last_heard_s < for_s:  # noqa: ASYNC110 - nothing happens
                await asyncio.sleep(0.01)

    async def listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: object = await track.recv()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - av's Packet
                assert isinstance(frame, AudioFrame)
                if max(array("h", frame.to_ndarray().tobytes())) > LOUD:
                    self.heard_ms += 20
                    self.last_heard_s = asyncio.get_running_loop().time()
        except MediaStreamError:
            self.over.set()


async def mint(cloud: Cloud, **session: object) -> str:
    """A client secret, as a page's own server would get it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{cloud.base_url}/realtime/client_secrets",
            headers=cloud.headers,
            json={"session": SESSION | session},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


async def offer(
    cloud: Cloud, sdp: str | bytes, secret: str, query: str = "", kind: str = "application/sdp"
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        return await client.post(
            f"{cloud.base_url}/realtime/calls{query}",
            headers={"authorization": f"Bearer {secret}", "content-type": kind},
            content=sdp,
        )


async def offered(connection: RTCPeerConnection) -> str:
    """The offer of a connection, once it is made."""
    await connection.setLocalDescription(await connection.createOffer())
    return connection.localDescription.sdp


@asynccontextmanager
async def calling(
    cloud: Cloud, secret: str, query: str = "", *, talks: bool = True, speaks: bool = True
) -> AsyncGenerator[Caller]:
    """A connected call. `talks` is whether it has a data channel, `speaks` a microphone."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    mouth = Mouth()
    if speaks:
        connection.addTrack(mouth)
    else:
        connection.addTransceiver("audio", direction="recvonly")
    channel = connection.createDataChannel("oai-events") if talks else None
    try:
        answer = await offer(cloud, await offered(connection), secret, query)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"] == "application/sdp"
        caller = Caller(connection, answer.headers["location"].split("/")[-1], mouth)
        opened = asyncio.Event()

        def take(text: str) -> None:
            event = json.loads(text)
            assert_documented(event)
            caller.arrived.put_nowait(event)

        def changed() -> None:
            if connection.connectionState == "connected":
                opened.set()

        if channel is not None:
            channel.on("message", take)
            channel.on("open", opened.set)
            caller.send_text = channel.send
        else:
            connection.on("connectionstatechange", changed)
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        listening = asyncio.create_task(caller.listen(connection.getReceivers()[0].track))
        async with asyncio.timeout(PATIENCE_S):
            await opened.wait()
        yield caller
        await connection.close()
        await listening
    finally:
        await connection.close()
