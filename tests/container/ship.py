"""A container of the image, run as Azure would run it or more tightly, and a page that calls it."""

import json
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.e2e.town import Town
from tests.ports import free_port

ENGINE = os.environ.get("CONTAINER_ENGINE", "docker")
IMAGE = os.environ.get("CONTAINER_IMAGE", "")
DEMO_IMAGE = os.environ.get("DEMO_IMAGE", "")
START_S = 90.0
ANSWER_S = 40.0
ASK_INSIDE = """
import sys, urllib.request as u
u.build_opener(u.ProxyHandler({})).open(f"http://127.0.0.1:{sys.argv[1]}/livez", timeout=5)
"""
TIGHT = (
    "--read-only",
    "--tmpfs=/tmp:noexec,nosuid,size=16m",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
)
LITTLE = ("--memory=512m", "--pids-limit=100")
SPEECH = ("--memory=2g", "--pids-limit=300")
"""What the engine of the local cloud needs."""


def engine(*words: str, timeout_s: float = 60) -> str:
    """What the container engine prints. Raises `AssertionError` with what it complained of."""
    ran = subprocess.run(
        [ENGINE, *words], capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert ran.returncode == 0, f"{ENGINE} {' '.join(words[:2])}: {ran.stderr[-2000:]}"
    return ran.stdout.strip()


def healthcheck() -> list[str]:
    """The command by which the image says that it is well."""
    image: dict[str, Any] = json.loads(engine("image", "inspect", IMAGE))[0]
    # podman has it outside, docker inside.
    kind, *command = (image.get("Healthcheck") or image["Config"]["Healthcheck"])["Test"]
    assert kind == "CMD"  # no shell
    return command


@dataclass
class Ship:
    """A running container."""

    name: str
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=5, trust_env=False)

    def place(self, agent: str) -> httpx.Response:
        """The answer to a page that asks for a call."""
        return httpx.post(
            f"{self.address}/api/calls",
            json={"agent": agent},
            headers={"Origin": self.address},
            timeout=5,
            trust_env=False,
        )

    def run(self, *command: str) -> str:
        """What a command prints inside."""
        return engine("exec", self.name, *command)

    def signal(self, name: str) -> None:
        engine("kill", f"--signal={name}", self.name)

    def log(self) -> str:
        ran = subprocess.run(
            [ENGINE, "logs", self.name], capture_output=True, text=True, timeout=30, check=False
        )
        return ran.stdout + ran.stderr

    def exit_status(self, within_s: float) -> int:
        """How it ended by itself. Raises `TimeoutExpired` where it does not."""
        return int(engine("wait", self.name, timeout_s=within_s))

    def wait_until_it_answers_inside(self, port: int) -> None:
        """Asked from within, where nobody outside can."""
        until = time.monotonic() + START_S
        while True:
            try:
                self.run("python3", "-c", ASK_INSIDE, str(port))
            except AssertionError:
                assert time.monotonic() < until, self.log()[-4000:]
                time.sleep(0.2)
            else:
                return

    def wait_until_alive(self, within_s: float = START_S) -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            try:
                if self.get("/livez").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"It never answered:\n{self.log()[-4000:]}")

    @asynccontextmanager
    async def calling(self, agent: str) -> AsyncGenerator["Page"]:
        """A page on a fresh call, connected."""
        answer = await anyio.to_thread.run_sync(self.place, agent)
        assert answer.status_code == 201, answer.text
        placed = answer.json()
        async with connect(
            f"ws://127.0.0.1:{self.port}{placed['socket']}",
            origin=Origin(self.address),
            subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{placed['ticket']}")],
            proxy=None,
        ) as socket:
            page = Page(socket)
            await page.until(lambda said: said["type"] == "ready")
            yield page


@dataclass
class Page:
    """A page without ears: it types, and plays nothing."""

    socket: ClientConnection

    async def say(self, type_: str, /, **fields: object) -> None:
        await self.socket.send(msgspec.json.encode({"type": type_, **fields}).decode())

    async def until(self, wanted: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
        """The first message like that. What the server asks of a speaker is done on the way."""
        item = ""
        with anyio.fail_after(ANSWER_S):
            while True:
                said: dict[str, Any] = msgspec.json.decode(await self.socket.recv())
                if wanted(said):
                    return said
                if said["type"] == "audio":
                    item = said["item"]
                elif said["type"] == "flush" and item:
                    await self.say("played", item=item, ms=0)

    async def closed(self) -> tuple[int | None, str | None]:
        """The code and the reason, once the server hangs up."""
        with suppress(ConnectionClosed):
            await self.until(lambda _: False)
        return self.socket.close_code, self.socket.close_reason

    async def answer_to(self, text: str, about: str) -> str:
        """What the agent says of `about` when `text` is typed."""
        await self.say("text", id="turn-1", text=text)
        line = await self.until(
            lambda said: (
                said["type"] == "line" and said["speaker"] == "agent" and about in said["text"]
            )
        )
        return line["text"]


@contextmanager
def sailing(cloud: Town) -> Generator[Ship]:
    """A container that takes `cloud` for Azure, alive; gone with the block."""
    ship = Ship(f"switchboard-{os.getpid()}-{free_port()}", free_port())
    environment = {
        "PORT": str(ship.port),
        "DRAIN_SECONDS": "1",
        "AZURE_OPENAI_ENDPOINT": cloud.cloud,
        "IDENTITY_ENDPOINT": f"{cloud.cloud}/msi/token",
        "IDENTITY_HEADER": cloud.header,
    }
    told = [f"--env={name}={value}" for name, value in environment.items()]
    options = (*TIGHT, *LITTLE, "--network=host")
    engine("run", "--detach", f"--name={ship.name}", *options, *told, IMAGE)
    try:
        ship.wait_until_alive()
        yield ship
    finally:
        engine("rm", "--force", "--volumes", ship.name)


@contextmanager
def anchored(
    *options: str, environment: Mapping[str, str] | None = None, command: Sequence[str] = ()
) -> Generator[Ship]:
    """A container in a network of its own, where every port is free and nobody else is reached."""
    ship = Ship(f"switchboard-{os.getpid()}-{free_port()}", 0)
    values = {"AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9", **(environment or {})}
    told = [f"--env={name}={value}" for name, value in values.items()]
    options = (*TIGHT, *LITTLE, "--network=none", *options)
    engine("run", "--detach", f"--name={ship.name}", *options, *told, IMAGE, *command)
    try:
        yield ship
    finally:
        engine("rm", "--force", "--volumes", ship.name)


@contextmanager
def demonstrating() -> Generator[Ship]:
    """The demonstration: product and local cloud in one container, both answering."""
    ship = Ship(f"switchboard-{os.getpid()}-{free_port()}", free_port())
    told = (f"--env=PORT={ship.port}", f"--env=LOCAL_CLOUD_PORT={free_port()}")
    options = (*TIGHT, *SPEECH, "--network=host")
    engine("run", "--detach", f"--name={ship.name}", *options, *told, DEMO_IMAGE)
    try:
        ship.wait_until_alive(within_s=240)
        yield ship
    finally:
        engine("rm", "--force", "--volumes", ship.name)
