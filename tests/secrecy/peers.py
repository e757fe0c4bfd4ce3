"""The whole product as a child, an upstream that takes everything down, and a page that talks."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
from anyio import to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from switchboard_local.entra.issuer import Issuer
from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.settings import Settings
from switchboard_local.vault import KEY_SECRET, Vault
from tests.browser.peers import House, Page
from tests.local.realtime.doubles import Doubles, app_of, last_words, served_where

ROOT: Final = Path(__file__).parents[2]
HEADER: Final = "identity-header-4d1f0c"
KEY: Final = "vault-key-8c2e6b5a97"

TYPED: Final = "my zeppelin is due for maintenance"
SPOKEN: Final = "perambulating wolverines"
ARGUMENT: Final = "ultramarine"
RESULT: Final = "forty-one marzipan lighthouses"
FAULT: Final = ARGUMENT[::-1]
PROMPT: Final = "You keep the albatross desk, and never mention the kaleidoscope."

OUTPUT: Final = "function_call_output"
_TOOLS: Final = f'''
from switchboard.tools import tool

@tool(title="Look it up")
async def look_up(colour: str) -> str:
    """Look up what there is in a colour."""
    return "{RESULT}"

@tool(title="Stumble")
async def stumble(colour: str) -> str:
    """Fail at something that has a colour."""
    raise ValueError(colour[::-1])
'''


def thinking(request: Request) -> Sequence[Thought]:
    """Calls both tools about whatever the caller typed, then says what it found."""
    said = last_words(request)
    if "zeppelin" in said and request.tools and request.tool_choice != "none":
        arguments = json.dumps({"colour": ARGUMENT})
        return [Call("look_up", arguments), Call("stumble", arguments)]
    found = [str(each["output"]) for each in request.items if each["type"] == OUTPUT]
    return [Say(request.response_instructions or f"You said: {said}. {' '.join(found)}")]


@dataclass
class Upstream:
    """All that came to the services, as bytes."""

    port: int = 0
    doubles: Doubles = field(default_factory=Doubles)
    came: list[bytes] = field(default_factory=list[bytes])
    issuer: Issuer | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def user_token(self) -> str:
        """What somebody who signed in shows the proxy."""
        assert self.issuer is not None
        return self.issuer.issue("https://ai.azure.com", scp="user_impersonation").text

    @property
    def everything(self) -> bytes:
        return b"\n".join(self.came)

    def values(self, header: bytes) -> set[str]:
        """What was said in a header, without a scheme."""
        found = (
            line.partition(b": ")[2].removeprefix(b"Bearer ").decode()
            for line in self.came
            if line.startswith(header + b": ")
        )
        return set(found)


class _Recorder:
    """Takes down requests on their way to `app`."""

    def __init__(self, app: ASGIApp, upstream: Upstream) -> None:
        self._app = app
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came = self._upstream.came
        if scope["type"] != "lifespan":
            came.append(scope["path"].encode() + b"?" + scope["query_string"])
            came.extend(name + b": " + value for name, value in scope["headers"])

        async def heard() -> Message:
            message = await receive()
            for part in ("body", "bytes", "text"):
                if said := message.get(part):
                    came.append(said if isinstance(said, bytes) else said.encode())
            return message

        await self._app(scope, heard, send)


@contextmanager
def upstream() -> Generator[Upstream]:
    """A local cloud with a key for its Voice Live, and everything taken down."""
    there = Upstream(doubles=Doubles(vault=Vault.with_key(KEY)))
    there.doubles.ears.words = [SPOKEN]
    there.doubles.mind.script = thinking
    parts = there.doubles
    settings = Settings.model_validate({"local_pace": 40.0, "identity_header": HEADER})

    def make_app(port: int) -> FastAPI:
        app, there.issuer = app_of(parts, settings, port)
        app.add_middleware(_Recorder, upstream=there)
        return app

    with served_where(make_app) as port:
        there.port = port
        yield there


def agents(folder: Path) -> Path:
    """One agent, whose prompt and tools can be told from anything else; two models."""
    (folder / "prompts").mkdir()
    (folder / "prompts" / "desk.md").write_text(PROMPT)
    (folder / "tools.py").write_text(_TOOLS)
    desk = {
        "id": "desk",
        "title": "Desk",
        "model": "gpt-realtime",
        "voice": "marin",
        "prompt": "prompts/desk.md",
        "tools": ["look_up", "stumble"],
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
    }
    live = {"id": "live", "title": "Live", "service": "voice_live", "model": "gpt-realtime"}
    config = {
        "agents": [desk],
        "models": [{"id": "gpt-realtime", "title": "Realtime"}, live],
        "voices": [{"id": "marin", "title": "Marin"}],
        "tools": {"modules": ["tools.py"]},
    }
    file = folder / "session_config.json"
    file.write_text(json.dumps(config))
    return file


@dataclass
class Product:
    """The product as its users run it."""

    port: int
    http: httpx.AsyncClient
    process: subprocess.Popen[bytes]
    log: Path
    report: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def talking(self, **wish: str) -> AsyncGenerator[tuple[Page, dict[str, Any]]]:
        """A page on a fresh call, and what it was given for it."""
        answer = await self.http.post("/api/calls", json={"agent": "desk", **wish})
        assert answer.status_code == 201, answer.text
        placed = answer.json()
        house = House(self.port, exchange=None, tickets=None)  # pyright: ignore[reportArgumentType]  (only its address is used)
        async with house.dial(placed, max_queue=4096) as opened:
            page = Page(opened)
            page.ready = await page.next("ready")
            yield page, placed

    @property
    def asked(self) -> set[str]:
        """The names that its environment was asked for."""
        return set(self.report.read_text(encoding="utf-8").splitlines())

    async def stop(self) -> str:
        """Tell it to stop; everything it wrote."""
        self.process.send_signal(signal.SIGTERM)
        await to_thread.run_sync(lambda: self.process.wait(timeout=30))
        return self.log.read_text(encoding="utf-8")


@asynccontextmanager
async def product(folder: Path, there: Upstream, **settings: str) -> AsyncGenerator[Product]:
    """The product against `there`, both services and the proxy, once it can take calls."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = {
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "SESSION_CONFIG": str(agents(folder)),
        "AZURE_OPENAI_ENDPOINT": there.endpoint,
        "AZURE_VOICELIVE_ENDPOINT": there.endpoint,
        "VOICE_LIVE_PROXY": "true",
        "IDENTITY_ENDPOINT": f"{there.endpoint}/msi/token",
        "IDENTITY_HEADER": HEADER,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }
    log, report = folder / "log", folder / "asked"
    watched = Path(__file__).with_name("watched.py")
    origin = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220  (it starts once, and nothing else runs)
            [sys.executable, str(watched), str(report), "serve"],
            cwd=ROOT,
            env={**kept, **told, **settings},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        async with httpx.AsyncClient(
            base_url=origin, headers={"Origin": origin}, trust_env=False
        ) as http:
            await until_ready(http)
            yield Product(port, http, process, log, report)
    finally:
        process.kill()
        process.wait()


async def until_ready(http: httpx.AsyncClient) -> None:
    """Wait until every part is ok."""
    with anyio.fail_after(80):
        while True:
            try:
                if (await http.get("/readyz")).json()["status"] == "ready":
                    return
            except httpx.TransportError:
                pass
            await anyio.sleep(0.05)


def with_key(there: Upstream) -> dict[str, str]:
    return {"VOICELIVE_KEY_SECRET_URI": f"{there.endpoint}/secrets/{KEY_SECRET}"}
