"""Several servers on one PostgreSQL, behind one address, with a local cloud and its telephones.

The cloud lives in this process, the servers are processes of their own: they can be killed.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from bench.front import Front
from bench.processes import PYTHON, answering, free_port, running
from bench.tones import tones
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.grid import Subscription
from switchboard_local.acs.serving import ServedAcs, serving_acs
from switchboard_local.app import create_app, own_issuer
from switchboard_local.mind.load import load_mind
from switchboard_local.serving import (
    product_environment,
    reserve,
    serving,
    telephone_environment,
)
from switchboard_local.settings import Settings

NUMBER: Final = "+15550100"
HEADER: Final = "bench"
BELL: Final = "correct-horse-battery-staple-and-more"
REOPENS_S: Final = (0.2, 0.5, 1.0)
"""How long the carrier waits before it opens a media socket that broke again. Unverified."""


@dataclass
class Server:
    """One of several."""

    port: int
    process: asyncio.subprocess.Process
    log: Path

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def gone(self, within_s: float) -> None:
        async with asyncio.timeout(within_s):
            await self.process.wait()

    def said(self, what: str) -> int:
        """How often that stands in its log."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(what)


@dataclass
class Houses:
    """All of it."""

    front: Front
    telephones: ServedAcs
    database_url: str
    place: Path
    stack: AsyncExitStack
    cloud_port: int

    async def start(self, **settings: str) -> Server:
        """One more, the last to be preferred; once it can take calls of either kind."""
        number, port = len(self.front.behind), free_port()
        self.front.behind.append(port)
        log = self.place / f"server-{number}.log"
        environment = {
            **product_environment(self.cloud_port, port, HEADER),
            **telephone_environment(
                self.front.port,
                self.telephones.endpoint,
                self.telephones.ca_file,
                self.telephones.acs.config.resource_id,
                BELL,
                NUMBER,
            ),
            "PHONE_AGENT": "telecom",
            "ALLOW_ANONYMOUS": "true",
            "MAX_CALLS": "100",
            "CALLS_ADDRESS_AT_ONCE": "100",
            "CALLS_USER_AT_ONCE": "100",
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.place / f"data-{number}"),
            **settings,
        }
        command = [PYTHON, "-m", "switchboard", "serve"]
        process = await self.stack.enter_async_context(running(command, environment, log))
        await answering(f"http://127.0.0.1:{port}/health", process, log, 180.0)
        await self.front.until_ready(port, within_s=180.0)
        return Server(port, process, log)

    async def ringable(self) -> None:
        """Until calls are delivered. The carrier is open some seconds after the server is."""
        where = f"{self.front.address}/api/phone/incoming?secret={BELL}"
        async with asyncio.timeout(180.0):
            await self.telephones.acs.grid.subscribe(Subscription(where))


@asynccontextmanager
async def houses(
    database_url: str, place: Path, *, reopens_s: tuple[float, ...] = REOPENS_S
) -> AsyncGenerator[Houses]:
    """None of the servers has been started."""
    told = Settings(
        local_mind="offline",
        local_max_sessions=200,
        identity_header=SecretStr(HEADER),
    )
    front = Front()
    with reserve(0, "LOCAL_CLOUD_PORT") as listener:
        port: int = listener.getsockname()[1]
        here = told.model_copy(update={"local_cloud_port": port})
        issuer = own_issuer(here)
        # A caller whose call was refused is offered again soon: nobody waits ten seconds here.
        carrier = AcsConfig(
            issuer=None, grid_retries_s=(0.3,) * 100, media_retries_s=reopens_s, answer_s=60.0
        )
        async with (
            tones() as engine,
            serving(create_app(engine, await load_mind(), here, issuer=issuer), listener),
            serving_acs(issuer, carrier) as telephones,
            front.open(),
            AsyncExitStack() as stack,
        ):
            yield Houses(front, telephones, database_url, place, stack, port)
