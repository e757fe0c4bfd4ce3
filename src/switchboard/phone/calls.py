"""The telephone calls of this process: where each stands, and how each ends."""

import logging
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

import anyio

from switchboard.conversation.events import RecordingState
from switchboard.errors import CarrierUnavailable, RecordsUnavailable
from switchboard.phone.admission import Admission
from switchboard.phone.around import Doors, Exchange, Follower, PhoneConfig
from switchboard.phone.carrier import Carrier
from switchboard.phone.leg import ELSEWHERE, PhoneLeg
from switchboard.phone.lines import PhoneLines
from switchboard.phone.permits import Permits
from switchboard.phone.recording import STOP_S, Recordings

logger = logging.getLogger(__name__)

KNOW_S: Final = 60.0
"""How long a database may be away before a call that it alone could tell whose it is is let go."""
KEEP_S: Final = 1.0
"""How long a caller whose call is over waits on the line for what is kept of it."""


class Owners(Protocol):
    """Where servers share the records: whose calls are whose."""

    async def others(self, call_ids: Collection[str]) -> frozenset[str]: ...


@asynccontextmanager
async def _as_kept(call_id: str, within_s: float = math.inf) -> AsyncGenerator[None]:
    """What is kept of a call is put right, if the records can be had: else its expiry does, and
    whoever holds a telephone is hung up all the same."""
    try:
        with anyio.fail_after(within_s):
            yield
    except (RecordsUnavailable, TimeoutError):
        logger.warning("end of a call not kept", extra={"call": call_id})


class PhoneCalls:
    """Calls are named by our own id throughout."""

    def __init__(
        self,
        exchange: Exchange,
        carrier: Carrier,
        doors: Doors,
        config: PhoneConfig,
        permits: Permits | None,
        clock: Callable[[], float],
        owners: Owners | None = None,
    ) -> None:
        """`owners` says whose calls are whose, where servers share the records."""
        self._owners = owners
        self.follower: Follower | None = None
        self.lines = PhoneLines(carrier, permits)
        self.admission = Admission(config.callers, clock=clock)
        self.recordings = Recordings(
            carrier, doors.recordings, self._recording_changed, clock=clock
        )
        self.legs: dict[str, PhoneLeg] = {}
        self.connections: dict[str, str] = {}
        """Telephone calls that nobody has hung up yet."""
        self.answered: dict[str, tuple[str, float]] = {}
        """Connections whose media have not come yet, and when they were answered."""
        self.here = Counter[str]()
        """Media sockets of this replica, those that are only being looked at included."""
        self.ringing: dict[str, str | None] = {}
        """Calls that we place and nobody has answered; their connections, once they are known."""
        self.lost: dict[str, anyio.Event] = {}
        """Calls whose media broke: set when they are back, or the call is over."""
        self.claimed: set[str] = set()
        """Calls that another server carried before."""
        self.stopped = False
        """The server stops: whoever still comes is hung up."""
        self._exchange = exchange
        self._carrier = carrier
        self._doors = doors

    async def give_up(self, call_id: str, reason: str) -> None:
        """The telephone call is over: so is ours, and what is kept of it."""
        self._forget(call_id)
        async with _as_kept(call_id):
            await self.recordings.over(call_id)
        await self.let_go(call_id, reason)
        async with _as_kept(call_id):
            await self._doors.media.revoke(call_id)
        if self.follower is not None:
            async with _as_kept(call_id):
                await self.follower.over(call_id, reason)

    async def let_go(self, call_id: str, reason: str) -> None:
        """Nothing of the call stays in this process. What is kept of it is let alone: it may be
        another replica's, or the store the very thing that fails."""
        self._forget(call_id)
        if reason == ELSEWHERE:
            self._exchange.let_go(call_id)
        await self._exchange.end(call_id, reason)
        self.lines.over(call_id)
        self.recordings.let_go(call_id)

    async def others(self, call_ids: Collection[str]) -> frozenset[str]:
        """Those of these calls that another server carries. Raises what the database raises."""
        return await self._owners.others(call_ids) if self._owners else frozenset()

    async def not_ours(self, call_id: str) -> bool:
        """Whether another server has, or may have, a call whose media we have lost: then it is not
        for us to hang up. A database that is away is waited for: it knows."""
        with anyio.move_on_after(KNOW_S):
            while True:
                try:
                    return bool(await self.others([call_id]))
                except Exception as reason:  # noqa: BLE001  (drivers raise what they like)
                    extra = {"call": call_id, "error": type(reason).__name__}
                    logger.warning("nobody knows whose call it is", extra=extra)
                await anyio.sleep(1.0)
        return True

    def _forget(self, call_id: str) -> None:
        self.connections.pop(call_id, None)
        self.answered.pop(call_id, None)
        self.ringing.pop(call_id, None)
        self.claimed.discard(call_id)
        self.admission.leave(call_id)
        self.wait_no_more(call_id)

    async def hang_up(self, call_id: str, connection_id: str, reason: str = "hung_up") -> None:
        """Our call is over, or never was: so is the telephone's, unless it is with a human."""
        async with _as_kept(call_id, STOP_S + KEEP_S):
            await self.recordings.over(call_id)
        left = self.lines.left(call_id)
        if self.follower is not None:  # before the carrier tells of it, which knows no reason
            async with _as_kept(call_id, KEEP_S):
                await self.follower.over(call_id, left or reason)
        if left is None:
            try:
                await self._carrier.hang_up(connection_id)
            except CarrierUnavailable:
                logger.warning("telephone not hung up", extra={"call": call_id})
        await self.give_up(call_id, left or "hung_up")

    async def hang_up_all(self) -> None:
        """Whoever still holds a telephone must not be left listening to nothing."""
        self.stopped = True
        async with anyio.create_task_group() as tasks:
            theirs: frozenset[str] = frozenset()
            with suppress(Exception):  # a database that is away has let nobody claim anything
                theirs = await self.others(list(self.connections))
            for call_id, connection_id in list(self.connections.items()):
                if call_id in theirs:
                    continue
                tasks.start_soon(self.hang_up, call_id, connection_id, "server_stopping")

    def wait_no_more(self, call_id: str) -> None:
        """Its media are back, or nobody needs them any longer."""
        if settled := self.lost.pop(call_id, None):
            settled.set()

    def _recording_changed(self, call_id: str, state: RecordingState) -> None:
        if leg := self.legs.get(call_id):
            leg.recording_changed(state)
