"""An engine and a mind of fixed sound and scripted words: here the dialect is under test."""

import math
import socket
import threading
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import uvicorn
from fastapi import FastAPI

from switchboard_local.app import create_app
from switchboard_local.engine.parts import PartInfo
from switchboard_local.entra.issuer import Issuer
from switchboard_local.entra.keys import KeyRing
from switchboard_local.faults.registry import Faults
from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.serving import server_config
from switchboard_local.settings import Settings
from switchboard_local.vault import Vault
from tests.local.tokens import token_at

KEYS = KeyRing()
"""Of all local clouds of doubles: making keys takes long."""
PCM_BYTES_PER_MS = 48
WINDOW_MS = 32


def tone(duration_ms: int, amplitude: int = 8000) -> bytes:
    """A hum, standing for speech."""
    count = duration_ms * 24
    wave = (int(amplitude * math.sin(i / 8)) for i in range(count))
    return array("h", wave).tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(duration_ms * PCM_BYTES_PER_MS)


class LoudnessDetector:
    """Loud is speech."""

    window_ms: float = WINDOW_MS

    def __init__(self) -> None:
        self._rest = b""

    def push(self, pcm: bytes) -> list[float]:
        size = WINDOW_MS * PCM_BYTES_PER_MS
        data = self._rest + pcm
        cut = len(data) - len(data) % size
        self._rest = data[cut:]
        return [
            0.99 if max(array("h", data[at : at + size])) > 1000 else 0.01
            for at in range(0, cut, size)
        ]

    def reset(self) -> None:
        self._rest = b""


class LoudnessDetectors:
    info = PartInfo("voice activity", "loudness")

    def open(self) -> LoudnessDetector:
        return LoudnessDetector()


@dataclass
class ScriptedEars:
    """Hears what it is told to hear."""

    words: list[str] = field(default_factory=list[str])
    """Taken one by one; the last stays."""
    broken: bool = False
    delay_s: float = 0.0
    heard_ms: list[float] = field(default_factory=list[float])
    info: PartInfo = field(default=PartInfo("ears", "scripted"))

    async def transcribe(self, pcm: bytes) -> str:
        self.heard_ms.append(len(pcm) / PCM_BYTES_PER_MS)
        await anyio.sleep(self.delay_s)
        if self.broken:
            raise RuntimeError("deaf")
        return self.words[0] if self.words else "hello"


@dataclass
class HummingVoice:
    """Hums for 60 ms a letter."""

    ms_per_char: int = 60
    broken: bool = False
    stopped: int = 0
    prepared: list[str] = field(default_factory=list[str])
    info: PartInfo = field(default=PartInfo("voice", "humming"))

    async def prepare(self, text: str) -> None:
        self.prepared.append(text)

    async def speak(self, text: str, *, speed: float = 1.0) -> AsyncGenerator[bytes]:
        left_ms = int(len(text) * self.ms_per_char / speed)
        try:
            while left_ms > 0:
                if self.broken:
                    raise RuntimeError("hoarse")
                await anyio.sleep(0.001)
                yield tone(min(left_ms, 250))
                left_ms -= 250
        except GeneratorExit:
            self.stopped += 1
            raise


type Script = Callable[[Request], Sequence[Thought]]


def last_words(request: Request) -> str:
    """What the last user item says."""
    for item in reversed(request.items):
        if item["type"] == "function_call_output":
            return f"result {item['output']}"
        if item.get("role") == "user":
            return " ".join(
                str(part.get("text") or part.get("transcript") or "") for part in item["content"]
            )
    return ""


def echo(request: Request) -> Sequence[Thought]:
    """Says what it heard; asked for the weather, it looks it up with the first tool it has."""
    said = last_words(request)
    if "weather" in said and request.tools and request.tool_choice != "none":
        return [Call(str(request.tools[0]["name"]), '{"city": "Oslo"}')]
    if request.response_instructions:
        return [Say(request.response_instructions)]
    return [Say(f"You said: {said}.")]


@dataclass
class ScriptedMind:
    """Thinks what its script says, and remembers what it was asked."""

    script: Script = echo
    delay_s: float = 0.0
    requests: list[Request] = field(default_factory=list[Request])
    info: PartInfo = field(default=PartInfo("mind", "scripted"))

    async def reply(self, request: Request) -> AsyncIterator[Thought]:
        self.requests.append(request)
        for thought in self.script(request):
            await anyio.sleep(self.delay_s)
            yield thought


@dataclass
class Doubles:
    """A whole engine of doubles, and its mind."""

    detectors: LoudnessDetectors = field(default_factory=LoudnessDetectors)
    ears: ScriptedEars = field(default_factory=ScriptedEars)
    voice: HummingVoice = field(default_factory=HummingVoice)
    mind: ScriptedMind = field(default_factory=ScriptedMind)
    faults: Faults = field(default_factory=Faults)
    vault: Vault | None = None


@dataclass(frozen=True)
class Cloud:
    """A local cloud being served."""

    port: int
    doubles: Doubles
    issuer: Issuer | None = None
    """Its tenant, where that is in this process."""

    @property
    def token(self) -> str:
        """What opens its doors."""
        return token_at(self.port)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/openai/v1"

    @property
    def headers(self) -> dict[str, str]:
        """The same, as it is sent."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/openai/v1/realtime?model=gpt-realtime"


@contextmanager
def served(app: FastAPI) -> Generator[int]:
    """`app` on a free port of loopback, in a thread of its own."""
    with served_where(lambda _: app) as port:
        yield port


@contextmanager
def served_where(make_app: Callable[[int], FastAPI]) -> Generator[int]:
    """The same, for an app that must know its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        app = make_app(port)
        server = uvicorn.Server(server_config(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                threading.Event().wait(0.01)
            yield port
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def local_cloud(doubles: Doubles | None = None, **settings: object) -> Generator[Cloud]:
    """A local cloud of doubles; `settings` are those of `Settings`."""
    parts = doubles or Doubles()
    chosen = Settings.model_validate({"local_pace": 40.0, **settings})
    issuers: list[Issuer] = []

    def make_app(port: int) -> FastAPI:
        app, issuer = app_of(parts, chosen, port)
        issuers.append(issuer)
        return app

    with served_where(make_app) as port:
        yield Cloud(port, parts, issuers[0])


def app_of(parts: Doubles, chosen: Settings, port: int) -> tuple[FastAPI, Issuer]:
    """A local cloud of these doubles, to be served on `port`, and its tenant."""
    issuer = Issuer(f"http://127.0.0.1:{port}", KEYS, chosen.local_token_seconds)
    return create_app(parts, parts.mind, chosen, parts.faults, issuer, parts.vault), issuer
