"""The telephone calls of this process: where each stands, and how each ends."""

import logging
from collections import Counter
from collections.abc import Callable

import anyio

from switchboard.conversation.events import RecordingState
from switchboard.errors import CarrierUnavailable
from switchboard.phone.admission import Admission
from switchboard.phone.around import Doors, Exchange, Follower, PhoneConfig
from switchboard.phone.carrier import Carrier
from switchboard.phone.leg import PhoneLeg
from switchboard.phone.lines import PhoneLines
from switchboard.phone.permits import Permits
from switchboard.phone.recording import Recordings

logger = logging.getLogger(__name__)


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
    ) -> None:
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
        self.stopped = False
        """The server stops: whoever still comes is hung up."""
        self._exchange = exchange
        self._carrier = carrier
        self._doors = doors

    async def give_up(self, call_id: str, reason: str) -> None:
        """The telephone call is over: so is ours, and what is kept of it."""
        self._forget(call_id)
        await self.recordings.over(call_id)
        await self.let_go(call_id, reason)
        await self._doors.media.revoke(call_id)
        if self.follower is not None:
            await self.follower.over(call_id, reason)

    async def let_go(self, call_id: str, reason: str) -> None:
        """Nothing of the call stays in this process. What is kept of it is let alone: it may be
        another replica's, or the store the very thing that fails."""
        self._forget(call_id)
        await self._exchange.end(call_id, reason)
        self.lines.over(call_id)

    def _forget(self, call_id: str) -> None:
        self.connections.pop(call_id, None)
        self.answered.pop(call_id, None)
        self.ringing.pop(call_id, None)
        self.admission.leave(call_id)
        self.wait_no_more(call_id)

    async def hang_up(self, call_id: str, connection_id: str, reason: str = "hung_up") -> None:
        """Our call is over, or never was: so is the telephone's, unless it is with a human."""
        await self.recordings.over(call_id)
        left = self.lines.left(call_id)
        if self.follower is not None:  # before the carrier tells of it, which knows no reason
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
            for call_id, connection_id in list(self.connections.items()):
                tasks.start_soon(self.hang_up, call_id, connection_id, "server_stopping")

    def wait_no_more(self, call_id: str) -> None:
        """Its media are back, or nobody needs them any longer."""
        if settled := self.lost.pop(call_id, None):
            settled.set()

    def _recording_changed(self, call_id: str, state: RecordingState) -> None:
        if leg := self.legs.get(call_id):
            leg.recording_changed(state)
