"""Posts one call's events to the application: in order, signed, again where that failed."""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import anyio
import httpx
import msgspec

from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.events import Told, cloud_event
from switchboard_local.acs.flow import Flow
from switchboard_local.acs.signing import CALLBACK_LIFE_S, Signer
from switchboard_local.acs.troubles import Troubles

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 1000
MAX_NOTED: Final = 1000
DRAIN_S: Final = 20.0
"""How long after a call's end its last events are still tried."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One attempt. `status` is 0 where there was no answer."""

    event: str
    id: str
    status: int


@dataclass(frozen=True, slots=True)
class _Letter:
    """One event, addressed."""

    url: str
    body: bytes
    event: str
    id: str


@dataclass(frozen=True, slots=True)
class Post:
    """What all postmen of one local ACS share."""

    client: httpx.AsyncClient
    signer: Signer
    config: AcsConfig
    troubles: Troubles
    flow: Flow


@dataclass(slots=True)
class Postman:
    """One call's. `url` is its callback URI."""

    post: Post
    url: str
    noted: deque[Posted] = field(default_factory=lambda: deque(maxlen=MAX_NOTED))
    _waiting: deque[Told] = field(default_factory=deque[Told])
    _held: list[_Letter] = field(default_factory=list[_Letter])
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _closed: bool = False

    def put(self, told: Sequence[Told]) -> None:
        """To be posted after what waits. Beyond a thousand they are dropped, and that is logged."""
        room = MAX_WAITING - len(self._waiting)
        if len(told) > room:
            logger.warning("callbacks dropped", extra={"count": len(told) - room})
        self._waiting.extend(told[:room])
        self._wake()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._wake()

    async def run(self) -> None:
        """Until closed and empty, or too late."""
        while not (self._closed and not self._waiting):
            if self._waiting:
                await self._carry(self._waiting.popleft())
            else:
                await self._changed.wait()
        await self._bring_late()

    async def _carry(self, told: Told) -> None:
        event = cloud_event(told, datetime.now(UTC))
        body = msgspec.json.encode([event])
        letter = _Letter(told.to or self.url, body, told.type, str(event["id"]))
        match self.post.troubles.befalls(told.type):
            case "drop":
                return
            case "late":
                self._held.append(letter)
                return
            case "duplicate":
                await self._deliver(letter)
                await self._deliver(letter)
            case "unsigned":
                await self._deliver(letter, signed=False)
            case None:
                await self._deliver(letter)
        await self._bring_late()

    async def _bring_late(self) -> None:
        held, self._held = self._held, []
        for letter in held:
            await self._deliver(letter)

    async def _deliver(self, letter: _Letter, *, signed: bool = True) -> None:
        """One event, until it is taken, refused for good, or tried often enough."""
        status = 0
        for wait_s in (0.0, *self.post.config.retries_s):
            await anyio.sleep(wait_s)
            began = time.monotonic()
            status = await self._try(letter.url, letter.body, signed=signed)
            took_ms = (time.monotonic() - began) * 1000
            self.post.flow.note(
                "callback",
                "to_agent",
                letter.event,
                status=status,
                took_ms=took_ms,
                body=letter.body,
            )
            self.noted.append(Posted(letter.event, letter.id, status))
            if 200 <= status < 300 or (400 <= status < 500 and status not in (408, 429)):
                return
        logger.warning("callback given up", extra={"event": letter.event, "status": status})

    async def _try(self, url: str, body: bytes, *, signed: bool) -> int:
        headers = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
        if signed:
            headers["authorization"] = self.post.signer.bearer(CALLBACK_LIFE_S)
        try:
            answer = await self.post.client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return answer.status_code

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
