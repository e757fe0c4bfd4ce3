"""A town with a telephone: the product, a local ACS over TLS, a local cloud, a tap between."""

import socket
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from switchboard.agents.profile import END_CALL
from switchboard.records.history import CallHistory, history
from switchboard_local.acs.acs import Acs
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.grid import Subscription
from switchboard_local.acs.live import LiveCall
from switchboard_local.acs.media import MediaStream
from switchboard_local.acs.people import Phone, PhoneCall
from switchboard_local.acs.serving import ServedAcs, serving_acs
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.browser.webrtc.peers import Product, clerk, product
from tests.e2e.town import Tap
from tests.local.realtime.doubles import (
    Cloud,
    Doubles,
    last_words,
    local_cloud,
    silence,
    tone,
)
from tests.model.identity import SECRET_HEADER

AGENT = "+15550100"
CALLER = "+15550111"
SECRET = "correct-horse-battery-staple-and-more"
SPEECH = tone(700) + silence(900)
AS_IN_LIFE = AcsConfig(
    issuer=None, retries_s=(0.05, 0.1), grid_retries_s=(0.1,), media_retries_s=(0.05, 0.1, 0.2)
)
"""In real time: what was heard is measured. Signs in its own name, as the product must know it."""


def teller(request: Request) -> Sequence[Thought]:
    """A bank's clerk who also hangs up, having said goodbye."""
    said = last_words(request)
    if said.endswith("bye") and not request.response_instructions:
        return [Say("Goodbye then, and thank you for calling."), Call(END_CALL.name, "{}")]
    return clerk(request)


@dataclass(repr=False)
class Town:
    """Everything between the caller's ear and the model."""

    home: Product
    served: ServedAcs
    tap: Tap
    cloud: Cloud

    @property
    def acs(self) -> Acs:
        return self.served.acs

    @property
    def phone(self) -> Phone:
        return self.acs.phone(CALLER)

    async def ring(self) -> PhoneCall:
        """Ring the agent; the call, once it has been answered and the greeting heard."""
        with anyio.fail_after(20):
            call = await self.acs.dial(self.phone, AGENT)
            await call.hear_ms(300)
        await self.quiet()
        return call

    @property
    def call_id(self) -> str:
        """The one call there is, as the product knows it."""
        return self.line.about.callback_uri.rpartition("/")[2]

    @property
    def line(self) -> LiveCall:
        """The one call there is, as the carrier knows it."""
        [line] = self.acs.calls.values()
        return line

    @property
    def media(self) -> MediaStream:
        assert self.line.media is not None
        return self.line.media

    async def told(self, kind: str, count: int = 1) -> dict[str, Any]:
        """What the model was told, once it was told it `count` times."""
        return await self._event(kind, count, from_model=False)

    async def said(self, kind: str, count: int = 1) -> dict[str, Any]:
        """What the model said, likewise."""
        return await self._event(kind, count, from_model=True)

    async def quiet(self) -> None:
        """Until nobody speaks: the carrier has played all it was sent, and no reply is made."""
        replies, playout = self.tap.events, self.media.playout

        def speaks() -> bool:
            under_way = len(replies("response.created")) > len(replies("response.done"))
            sounds = bool(playout.stretches) and playout.stretches[-1].ending is None
            return under_way or sounds or playout.waiting_bytes > 0

        # On a busy machine the carrier may run dry for a moment, with more still to come.
        calm = 0
        with anyio.fail_after(30):
            while calm < 15:
                calm = 0 if speaks() else calm + 1
                await anyio.sleep(0.02)

    async def empty(self) -> None:
        """Until no call is left anywhere, nor anything that belonged to one."""
        house = self.home.house
        assert house.telephone is not None
        with anyio.fail_after(20):
            while house.switchboard.live() or self.acs.calls or self.tap.lines:  # noqa: ASYNC110 - facts without events
                await anyio.sleep(0.01)
            while house.telephone.room.live():  # noqa: ASYNC110
                await anyio.sleep(0.01)

    async def account(self, call_id: str) -> CallHistory:
        """Of a call that has ended, once that is written."""
        with anyio.fail_after(20):
            while True:
                account = await history(self.home.house.store, call_id)
                if account is not None and account.call.ended_at is not None:
                    return account
                await anyio.sleep(0.05)

    async def _event(self, kind: str, count: int, *, from_model: bool) -> dict[str, Any]:
        with anyio.fail_after(20):
            while len(found := self.tap.events(kind, from_model=from_model)) < count:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        return found[count - 1].event


@contextmanager
def clouded(environment: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud where the teller thinks, and the identity of this machine in it."""
    doubles = Doubles()
    doubles.mind.script = teller
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        environment.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        environment.setenv("IDENTITY_HEADER", SECRET_HEADER)
        environment.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield cloud


async def until_open(home: Product) -> None:
    """Until the house can answer a telephone: its carrier opens beside what it waits for."""
    telephone = home.house.telephone
    assert telephone is not None
    with anyio.fail_after(60):
        while not telephone.carrier.is_open:  # noqa: ASYNC110 - a fact without an event
            await anyio.sleep(0.02)


@asynccontextmanager
async def town(
    cloud: Cloud,
    data_dir: Path,
    config: AcsConfig = AS_IN_LIFE,
    **settings: Any,  # noqa: ANN401  (any setting)
) -> AsyncGenerator[Town]:
    """It, with Event Grid subscribed. The cloud must have lent this machine its identity."""
    assert cloud.issuer is not None
    tap = Tap(cloud.port)
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with serving_acs(cloud.issuer, config) as served, tap.open() as line:
        carrier = {
            "acs_endpoint": served.endpoint,
            "acs_resource_id": config.resource_id,
            "acs_issuer": served.acs.signer.issuer,
            "acs_ca_file": str(served.ca_file),
            "event_grid_secret": SECRET,
            "public_url": address,
            "phone_agent": "banking",
        }
        tapped = f"http://127.0.0.1:{next(iter(line.sockets)).getsockname()[1]}"
        async with product(data_dir, tapped, door=door, **carrier, **settings) as home:
            where = f"{address}/api/phone/incoming?secret={SECRET}"
            await served.acs.grid.subscribe(Subscription(where))
            await until_open(home)
            yield Town(home, served, tap, cloud)
