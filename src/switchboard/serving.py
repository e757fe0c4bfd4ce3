"""One process that serves: the application under uvicorn, from its socket to its exit status."""

import logging
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import FrameType

import anyio
import uvicorn
from fastapi import FastAPI

from switchboard.app import create_app
from switchboard.browser.protocol import MAX_FRAME_BYTES
from switchboard.browser.requests import BoundedRequests
from switchboard.browser.sockets import BoundedSockets
from switchboard.collecting import Collecting
from switchboard.descriptors import make_room
from switchboard.house import House
from switchboard.records.claim import sole_user
from switchboard.records.spool import gather
from switchboard.settings import Settings
from switchboard.telemetry import configure_logging
from switchboard.workers.share import ALONE, Worker, listening

SWITCH_S = 0.0002
"""A thread that has Python while the loop wants it gives it back by then, not after 5 ms."""

type Beside = Callable[["DrainingServer"], AbstractContextManager[None]]

logger = logging.getLogger("switchboard")


def serve_alone(settings: Settings) -> int:
    """The one process of this machine. Raises `ConfigurationError` before anything is answered."""
    configure_logging(settings.log_level, settings.log_format)
    app = made(settings)
    door = main_door(settings)
    logger.info("listening", extra={"host": settings.host, "port": settings.port})
    with door, sole_user(settings.data_dir):
        gather(settings.data_dir, 1)
        return run(app, [door])


def made(settings: Settings, worker: Worker = ALONE) -> FastAPI:
    """The application, and room for its sockets. Raises `ConfigurationError`."""
    make_room(settings.sockets)
    return create_app(settings, worker=worker)


def run(
    app: FastAPI,
    doors: list[socket.socket],
    *,
    http: type[BoundedRequests] = BoundedRequests,
    beside: "Beside | None" = None,
) -> int:
    """Serve at these sockets until told to stop; returns the exit status. Raises
    `ConfigurationError` where the house cannot be opened."""
    house: House = app.state.house
    # What could not be opened is said once, in words, at the end; not as a traceback as well.
    logging.getLogger("uvicorn.error").addFilter(lambda _: house.refusal is None)
    config = uvicorn.Config(
        app,
        log_config=None,
        http=http,
        ws=BoundedSockets,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    server = DrainingServer(config, house, beside or nothing_beside, http)
    # SystemExit is uvicorn's, where the house could not be opened.
    with suppress(KeyboardInterrupt, SystemExit):
        server.run(sockets=doors)
    if house.refusal is not None:
        raise house.refusal
    return 0 if server.started else 1


def main_door(settings: Settings) -> socket.socket:
    """The listening socket. Raises `ConfigurationError` when the address is not to be had."""
    return listening(settings.host, settings.port, f"HOST={settings.host} PORT={settings.port}")


@contextmanager
def nothing_beside(_: "DrainingServer") -> Generator[None]:
    """For a server that is the only one."""
    yield


class DrainingServer(uvicorn.Server):
    """Lets calls finish before it closes their sockets. Told to stop a second time, it ends them
    in good order; the third time, it just goes."""

    def __init__(
        self,
        config: uvicorn.Config,
        house: House,
        beside: Beside,
        requests: type[BoundedRequests],
    ) -> None:
        """`beside` is entered once it serves, and left as it stops to take connections."""
        super().__init__(config)
        self._drain = house.drain
        self._speaking = house.speaking
        self._collecting = Collecting()
        self._beside = beside
        self._requests = requests
        self._leaving = ExitStack()
        self._hurried = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop, whichever."""
        if not self.should_exit:
            super().handle_exit(sig, frame)
        elif not self._hurried:
            self._hurried = True
        else:
            self.force_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._leaving.enter_context(self._collecting.ruling())
        sys.setswitchinterval(SWITCH_S)
        self._leaving.enter_context(self._beside(self))

    async def main_loop(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collecting.keep, self._speaking)
            await super().main_loop()
            tasks.cancel_scope.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.started:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_hurried, tasks.cancel_scope)
                tasks.start_soon(self._collecting.keep, self._speaking)
                await self._drain()
                tasks.cancel_scope.cancel()
        self._leaving.close()
        await super().shutdown(sockets)

    def protocol(self) -> BoundedRequests:
        """What serves a connection that was accepted elsewhere, as uvicorn makes it for its own."""
        return self._requests(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def _until_hurried(self, scope: anyio.CancelScope) -> None:
        while not self._hurried:  # noqa: ASYNC110  (a signal handler can only set a flag)
            await anyio.sleep(0.1)
        logger.warning("told to stop twice: calls end now")
        scope.cancel()
