"""Running the local cloud, and the product as its child."""

import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import httpx
import uvicorn
from anyio.abc import Process
from fastapi import FastAPI

from switchboard_local.engine.failures import PartMissing
from switchboard_local.entra.issuer import TENANT
from switchboard_local.entra.people import APPLICATION
from switchboard_local.wire import Cuttable

LOOPBACK: Final = "127.0.0.1"
SOFTPHONES_ONLY: Final = {
    "DIAL_ALLOWED": "+442079460",
    "DIAL_QUIET_HOURS": "none",
    "DIAL_NUMBER_A_DAY": "1000",
    "DIAL_USER_A_DAY": "1000",
    "DIAL_A_DAY": "1000",
}
"""Whom a product on this machine may ring, and how often: nobody who could wake."""
READY_TIMEOUT_S: Final = 60.0
GRACE_S: Final = 30.0
"""For the product to finish its calls, once told to stop."""
_START_POLL_S: Final = 0.01
_POLL_S: Final = 0.25
_MAX_FRAME_BYTES: Final = 16 * 1024 * 1024


class CannotStart(Exception):
    """Said to the user, in words."""


class PortTaken(CannotStart):
    """Something else listens there."""

    def __init__(self, port: int, variable: str) -> None:
        super().__init__(
            f"Port {port} is taken. Stop what listens there, or set {variable} to another port."
        )


@contextmanager
def reserve(port: int, variable: str) -> Generator[socket.socket]:
    """A socket bound to `port` of loopback (0: any free one). Raises `PortTaken`.

    `variable` is the setting that would change the port.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            raise PortTaken(port, variable) from None
        yield listener


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a certificate, its chain, and its key."""

    chain: Path
    key: Path


def server_config(app: FastAPI, tls: Tls | None = None) -> uvicorn.Config:
    """How the local cloud is served."""
    return uvicorn.Config(
        app,
        ssl_certfile=None if tls is None else tls.chain,
        ssl_keyfile=None if tls is None else tls.key,
        log_level="warning",
        ws=Cuttable,
        ws_max_size=_MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
    )


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serving(
    app: FastAPI, listener: socket.socket, tls: Tls | None = None
) -> AsyncGenerator[None]:
    """`app`, answering on `listener` for as long as the block lasts."""
    server = _Server(server_config(app, tls))

    async def serve() -> None:
        # Shielded: told to stop, it closes its connections rather than dropping them.
        with anyio.CancelScope(shield=True):
            await server.serve([listener])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            with anyio.fail_after(READY_TIMEOUT_S):
                while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                    await anyio.sleep(_START_POLL_S)
            yield
        finally:
            server.should_exit = True


async def until_told(run: Callable[[], Awaitable[int]]) -> int:
    """The status that `run` returns; Ctrl-C or SIGTERM end it in good order, with status 0.

    Raises `CannotStart` where `run` does, or lacks a part of the engine it was told to use.
    """
    status, trouble = 0, None
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                async for _ in signals:
                    tasks.cancel_scope.cancel()

            tasks.start_soon(listen)
            try:
                status = await run()
            except (CannotStart, PartMissing) as reason:
                trouble = str(reason)
            tasks.cancel_scope.cancel()
    if trouble is not None:
        raise CannotStart(trouble)
    return status


@asynccontextmanager
async def product(environment: Mapping[str, str]) -> AsyncGenerator[Process]:
    """The product as a child process, ended with the block."""
    command = [sys.executable, "-m", "switchboard", "serve"]
    child = await anyio.open_process(
        command,
        stdin=None,
        stdout=None,
        stderr=None,
        env={**os.environ, **environment},
        # Out of reach of the terminal's Ctrl-C: we pass it on, once, when all else is done.
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with anyio.CancelScope(shield=True):
            await _end(child)


def product_environment(cloud_port: int, port: int, identity_header: str) -> Mapping[str, str]:
    """What makes the product take the local cloud for Azure."""
    cloud = f"http://{LOOPBACK}:{cloud_port}"
    return {
        "PORT": str(port),
        "AZURE_OPENAI_ENDPOINT": cloud,
        "AZURE_VOICELIVE_ENDPOINT": cloud,
        "IDENTITY_ENDPOINT": f"{cloud}/msi/token",
        "IDENTITY_HEADER": identity_header,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "AFTER_MODEL": "",  # there is no chat model here
    }


def telephone_environment(
    port: int, endpoint: str, ca_file: Path, resource_id: str, secret: str, number: str
) -> Mapping[str, str]:
    """What makes the product take the local ACS at `endpoint` for its carrier.

    It may ring the softphone's numbers, unless the developer has said whom it may ring.
    """
    dialling = {} if os.environ.get("DIAL_ALLOWED") else SOFTPHONES_ONLY
    return {
        **dialling,
        "ACS_NUMBER": number,
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "ACS_ENDPOINT": endpoint,
        "ACS_ISSUER": endpoint,
        "ACS_CA_FILE": str(ca_file),
        "ACS_RESOURCE_ID": resource_id,
        "EVENT_GRID_SECRET": secret,
        # Empty is as good as unset: what a shell may hold for the live service is not for here.
        "EVENT_GRID_TENANT_ID": "",
        "EVENT_GRID_AUDIENCE": "",
    }


def sign_in_environment(cloud_port: int) -> Mapping[str, str]:
    """What makes the product have the local tenant's people sign in."""
    return {
        "SIGN_IN": "tokens",
        "SIGN_IN_CLIENT_ID": APPLICATION,
        "SIGN_IN_TENANT_ID": TENANT,
        "SIGN_IN_AUTHORITY": f"http://{LOOPBACK}:{cloud_port}",
    }


async def answering(url: str) -> bool:
    """Whether `url` answers with success within `READY_TIMEOUT_S`."""
    with anyio.move_on_after(READY_TIMEOUT_S):
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while True:
                try:
                    if (await client.get(url)).is_success:
                        return True
                except httpx.HTTPError:
                    pass
                await anyio.sleep(_POLL_S)
    return False


async def _end(child: Process) -> None:
    if child.returncode is None:
        child.terminate()
    with anyio.move_on_after(GRACE_S):
        await child.wait()
        return
    child.kill()
    await child.wait()
