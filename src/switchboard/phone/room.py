"""The telephone's room: answers calls, joins their media to them, and hears what became of them.

arriving   calls that come            placing   calls that we place
media      their media sockets        callbacks what the carrier tells of them
calls      where each stands, and how each ends
recovery   those of a server that died
"""

import logging
import time
from collections.abc import Callable
from typing import Final

import anyio
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from switchboard.phone.around import Doors, Exchange, Follower, PhoneConfig
from switchboard.phone.arriving import Arrivals
from switchboard.phone.callbacks import Callbacks
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Carrier
from switchboard.phone.handover import Handover
from switchboard.phone.lines import PhoneLines
from switchboard.phone.media import Media
from switchboard.phone.occasion import Fitting, as_it_is
from switchboard.phone.permits import Permit, Permits
from switchboard.phone.placing import Placing
from switchboard.phone.recovery import PastOf, Recovery
from switchboard.records.claims import Claims
from switchboard.records.replicas import LOST

logger = logging.getLogger(__name__)

MEDIA_S: Final = 20.0
"""An answered call whose media have not come by then never gets them."""
SWEEP_S: Final = 2.0
CLOSE_S: Final = 5.0
"""For hanging up on everybody, when the server stops."""


async def nothing_known(call_id: str) -> None:
    """Of no call's past."""
    del call_id


class PhoneRoom:
    """Serves the carrier. `run` must run beside it."""

    def __init__(
        self,
        exchange: Exchange,
        carrier: Carrier,
        doors: Doors,
        config: PhoneConfig,
        *,
        permits: Permits | None = None,
        fitting: Fitting = as_it_is,
        clock: Callable[[], float] = time.time,
        claims: Claims | None = None,
        past_of: PastOf = nothing_known,
    ) -> None:
        """Without `permits` nobody is rung. `claims` and `past_of` are there where calls of other
        servers can be taken over."""
        self._doors = doors
        self._exchange = exchange
        self._clock = clock
        self._calls = calls = PhoneCalls(exchange, carrier, doors, config, permits, clock, claims)
        self._arrivals = Arrivals(exchange, carrier, doors, config, calls, fitting, clock)
        self._placing = Placing(carrier, doors, config, calls)
        self._recovery = recovery = Recovery(
            exchange, carrier, doors, config, calls, fitting, claims, past_of, clock
        )
        self._callbacks = Callbacks(carrier, doors, calls, recovery, clock)
        self._media = Media(exchange, doors, config, calls, fitting, recovery)

    @property
    def lines(self) -> PhoneLines:
        return self._calls.lines

    def followed_by(self, follower: Follower) -> None:
        """Whoever places calls: set once, before anything runs."""
        self._calls.follower = follower

    async def run(self) -> None:
        """Pace what is played, and give up calls whose media never come. In the end, hang up."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._media.metronome.run)
                tasks.start_soon(self._doors.media.run)
                tasks.start_soon(self._calls.recordings.run)
                tasks.start_soon(self._recovery.run)
                while True:
                    await anyio.sleep(SWEEP_S)
                    await self.sweep()
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._calls.hang_up_all()

    def live(self) -> int:
        """Telephone calls that nobody has hung up yet."""
        return len(self._calls.connections)

    # -- the carrier's doors ----------------------------------------------------------------

    async def check_delivery(self, connection: HTTPConnection) -> None:
        """Before a body is read. Raises `NotIdentified`."""
        await self._doors.grid.check(connection)

    def handshake(self, connection: HTTPConnection) -> str:
        """The origin that may deliver. Raises `NotIdentified`."""
        return self._doors.grid.check_handshake(connection)

    async def delivered(self, body: bytes) -> str | None:
        """Answer the calls in a delivery. The code to give back where it asks for one.

        Raises `Misposted`, or `CarrierUnavailable` where it is to be delivered again.
        """
        return await self._arrivals.delivered(body)

    async def check_carrier(self, connection: HTTPConnection) -> None:
        """Raises `NotIdentified` unless ACS makes this request."""
        await self._doors.acs.check(connection)

    async def told(self, call_id: str, body: bytes) -> None:
        """Act upon callbacks: each once, in whatever order they come. None touches a call that is
        not the telephone's, or is no more. Raises `Misposted`."""
        await self._callbacks.told(call_id, body)

    async def obey(self, call_id: str, body: str) -> str:
        """What another replica was told of a call that is here, by the bus."""
        return await self._callbacks.obey(call_id, body)

    async def open(self, socket: WebSocket, call_id: str) -> None:
        """Join a media socket to its call, until one of them leaves.

        Raises `NotIdentified` or `LinesBusy` before it is accepted.
        """
        await self._media.open(socket, call_id)

    # -- calls that we place ----------------------------------------------------------------

    async def ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        """Have a telephone ring, for a call that the exchange has placed.

        Raises `CarrierUnavailable`.
        """
        await self._placing.ring(call_id, permit, handover)

    def answered(self, call_id: str) -> bool:
        """Another replica was told that somebody has taken a telephone that rang here. Whether we
        know by now which call it is."""
        return self._placing.answered(call_id, self._clock())

    async def abandon(self, call_id: str, reason: str) -> None:
        """Hang up on a telephone that rings. One that does not is let alone."""
        await self._placing.abandon(call_id, reason)

    # -- calls whose media do not come ------------------------------------------------------

    async def sweep(self) -> None:
        """Clear away the calls whose media never came here. A fault with one stops nothing."""
        for call_id in list(self._calls.answered):
            try:
                await self._look_for_media(call_id)
            except Exception:
                # The next sweep tries again; the other calls do not wait for it.
                logger.exception("call not cleared away", extra={"call": call_id})
        if self._calls.follower is not None:
            try:
                await self._calls.follower.sweep()
            except Exception:
                # Likewise.
                logger.exception("placed calls not swept")

    async def _look_for_media(self, call_id: str) -> None:
        calls = self._calls
        if call_id in calls.claimed:  # its media have come before, to the server that is dead
            elsewhere = bool(await calls.others([call_id]))
        else:
            elsewhere = await self._doors.bindings.connection_of(call_id) is not None
        if call_id not in calls.answered or calls.here[call_id]:
            return  # they came while we looked
        connection_id, since = calls.answered[call_id]
        if elsewhere:
            logger.info("media came to another replica", extra={"call": call_id})
            await calls.let_go(call_id, "elsewhere")
        elif since <= self._clock() - MEDIA_S:
            logger.warning("media never came", extra={"call": call_id})
            if call_id in calls.claimed:
                await self._exchange.end(call_id, LOST)
            await calls.hang_up(call_id, connection_id)
