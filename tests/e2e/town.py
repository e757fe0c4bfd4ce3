"""The whole town on this machine: the local cloud, a tap on the line, the product, a browser."""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

ROOT = Path(__file__).parents[2]
START_S = 120.0
WAIT_S = 20.0
ABNORMAL = 1006


@contextmanager
def running(module: str, log: Path, environment: Mapping[str, str]) -> Generator[None]:
    """A server as its users start it, stopped as they stop it."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def answering(url: str, log: Path, within_s: float = START_S) -> None:
    """Wait until `url` answers 200."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} never answered:\n{log.read_text()[-4000:]}")


@dataclass
class Town:
    """Where things are."""

    cloud_port: int
    header: str
    logs: Path

    @property
    def cloud(self) -> str:
        return f"http://127.0.0.1:{self.cloud_port}"


@dataclass
class Heard:
    """One frame on the line between the product and the model, and when it passed (epoch s)."""

    at: float
    event: dict[str, Any]
    from_model: bool


@dataclass
class Tap:
    """A relay between the product and the realtime service that remembers every frame."""

    cloud_port: int
    frames: list[Heard] = field(default_factory=list[Heard])
    lines: int = 0
    paths: list[str] = field(default_factory=list[str])
    """Where the product's sockets led, without their queries."""
    _model: Connection | None = None

    def events(self, kind: str, *, from_model: bool = True) -> list[Heard]:
        return [f for f in self.frames if f.event["type"] == kind and f.from_model is from_model]

    async def ask_model(self, event: dict[str, Any]) -> None:
        """Say something to the service behind the product's back."""
        assert self._model
        await self._model.send(json.dumps(event))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Server]:
        async with serve(self._relay, "127.0.0.1", 0, max_size=None, compression=None) as server:
            yield server

    async def _relay(self, product: ServerConnection) -> None:
        assert product.request is not None
        url = f"ws://127.0.0.1:{self.cloud_port}{product.request.path}"
        headers = {"Authorization": product.request.headers["Authorization"]}
        self.paths.append(urlsplit(product.request.path).path)
        self.lines += 1
        try:
            async with connect(
                url, additional_headers=headers, max_size=None, compression=None
            ) as model:
                self._model = model
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._pump, product, model, False)
                    await self._pump(model, product, True)
                    tasks.cancel_scope.cancel()
        finally:
            self.lines -= 1

    async def _pump(self, source: Connection, sink: Connection, from_model: bool) -> None:
        try:
            async for frame in source:
                self.frames.append(Heard(time.time(), json.loads(frame), from_model))
                await sink.send(frame)
        except ConnectionClosed:
            pass
        if source.close_code == ABNORMAL:
            sink.transport.abort()  # cut on one side, cut on the other
        await sink.close()


async def until[T](found: Callable[[], T], timeout_s: float = WAIT_S) -> T:
    """What `found` finds, once it finds something."""
    with anyio.fail_after(timeout_s):
        while not (thing := found()):  # noqa: ASYNC110 - what it waits for has no event
            await anyio.sleep(0.02)
    return thing
