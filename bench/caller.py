"""A caller of the local realtime service who speaks recorded clips in real time and listens."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from bench.clips import Clip
from switchboard_local.engine.samples import RATE_HZ, frame_levels, from_pcm, resampled, to_pcm

FRAME_S: Final = 0.02
_FRAME_BYTES: Final = int(RATE_HZ * FRAME_S) * 2
_AUDIBLE: Final = 0.008
"""-42 dB below full scale: the last frame louder than this is where a clip's speech ends."""
_PAUSE_S: Final = 1.0
_REPLY_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance and its reply. Milliseconds after the last sample of speech was sent."""

    clip: str
    said: str
    understood: str
    stopped_ms: float
    """`speech_stopped` came."""
    created_ms: float
    """`response.created` came."""
    audio_ms: float
    """The first audio came: what a caller waits for."""
    cut_early: bool
    """The service took a pause inside the clip for its end."""


def speech(clip: Clip) -> bytes:
    """The clip at 24 kHz without the silence around it."""
    pcm, rate_hz = clip.pcm()
    samples = resampled(from_pcm(pcm), rate_hz, RATE_HZ)
    frame = _FRAME_BYTES // 2
    loud = np.flatnonzero(frame_levels(samples, frame) > _AUDIBLE)
    return to_pcm(samples[int(loud[0]) * frame : (int(loud[-1]) + 1) * frame])


class Caller:
    """One conversation. Frames leave on time whatever happens: speech, or a quiet line."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._to_say: list[bytes] = []
        self._said_at = 0.0
        self._events: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
        noise = np.random.default_rng(7).standard_normal(_FRAME_BYTES // 2) * 0.0005
        self._quiet = to_pcm(noise.astype(np.float32))

    async def say(self, clip: Clip) -> Turn:
        """Speak the clip, wait for the reply to it to end."""
        while not self._events.empty():
            self._events.get_nowait()
        pcm = speech(clip)
        self._to_say = [pcm[at : at + _FRAME_BYTES] for at in range(0, len(pcm), _FRAME_BYTES)]
        self._said_at = 0.0
        came: dict[str, float] = {}
        understood = ""
        async with asyncio.timeout(_REPLY_TIMEOUT_S + len(pcm) / RATE_HZ / 2):
            while "response.done" not in came or not self._said_at:
                at, event = await self._events.get()
                kind = str(event["type"])
                came.setdefault(kind, at)
                if kind == "error":
                    raise RuntimeError(f"the service says: {event['error']}")
                if kind == "conversation.item.input_audio_transcription.completed":
                    understood = f"{understood} {event['transcript']}".strip()
        await asyncio.sleep(_PAUSE_S)
        return self._turn(clip, understood, came)

    async def speak_forever(self) -> None:
        """Send a frame every 20 ms: the next of what is to be said, else a quiet line."""
        due = time.perf_counter()
        while True:
            frame = self._to_say.pop(0) if self._to_say else self._quiet
            audio = base64.b64encode(frame).decode()
            await self._socket.send(
                json.dumps({"type": "input_audio_buffer.append", "audio": audio})
            )
            if frame is not self._quiet and not self._to_say:
                self._said_at = time.perf_counter()
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def listen_forever(self) -> None:
        """Note when each event comes."""
        async for message in self._socket:
            event = json.loads(message)
            event.pop("delta", None)
            self._events.put_nowait((time.perf_counter(), event))

    def _turn(self, clip: Clip, understood: str, came: dict[str, float]) -> Turn:
        def after_ms(kind: str) -> float:
            return (came.get(kind, float("nan")) - self._said_at) * 1000

        stopped_ms = after_ms("input_audio_buffer.speech_stopped")
        created_ms = after_ms("response.created")
        audio_ms = after_ms("response.output_audio.delta")
        cut_early = stopped_ms < 0
        return Turn(clip.name, clip.text, understood, stopped_ms, created_ms, audio_ms, cut_early)


@asynccontextmanager
async def calling(base_url: str, silence_ms: int) -> AsyncGenerator[Caller]:
    """A session that hears and speaks, its frames flowing."""
    url = base_url.replace("http", "ws", 1) + "/openai/v1/realtime?model=gpt-realtime"
    headers = {"Authorization": f"Bearer {await _token(base_url)}"}
    async with connect(url, additional_headers=headers, compression=None, max_size=2**22) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": _session(silence_ms)}))
        caller = Caller(socket)
        async with asyncio.TaskGroup() as tasks:
            forever = [
                tasks.create_task(caller.speak_forever()),
                tasks.create_task(caller.listen_forever()),
            ]
            try:
                yield caller
            finally:
                for task in forever:
                    task.cancel()


async def _token(base_url: str) -> str:
    """A token of the local cloud's identity endpoint, as a virtual machine has one."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"{base_url}/metadata/identity/oauth2/token",
            params={"api-version": "2018-02-01", "resource": "https://ai.azure.com"},
            headers={"Metadata": "true"},
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token


def _session(silence_ms: int) -> dict[str, Any]:
    pcm = {"type": "audio/pcm", "rate": RATE_HZ}
    detection = {"type": "server_vad", "silence_duration_ms": silence_ms}
    heard = {"format": pcm, "turn_detection": detection, "transcription": {"model": "whisper-1"}}
    return {
        "type": "realtime",
        "instructions": "Be brief.",
        "output_modalities": ["audio"],
        "audio": {"input": heard, "output": {"format": pcm, "voice": "marin"}},
    }


async def converse(
    base_url: str, clips: Sequence[Clip], silence_ms: int, wait_s: float
) -> list[Turn]:
    """One conversation of as many turns as there are clips, begun after `wait_s`."""
    await asyncio.sleep(wait_s)
    async with calling(base_url, silence_ms) as caller:
        await asyncio.sleep(_PAUSE_S)
        return [await caller.say(clip) for clip in clips]
