"""What became of calls: the carrier's callbacks, each acted upon once, in whatever order."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from switchboard.errors import CarrierUnavailable, RecordsUnavailable
from switchboard.phone.around import Doors
from switchboard.phone.arriving import SEEN_S
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Carrier
from switchboard.phone.recovery import Recovery
from switchboard.phone.webhooks import Told, What, callbacks

logger = logging.getLogger(__name__)

_OVER: Final = frozenset({What.DISCONNECTED, What.CREATE_FAILED, What.ANSWER_FAILED})
DONE: Final = "true"
GONE: Final = "false"
_told: Final = msgspec.json.Decoder(Told)


class Callbacks:
    def __init__(
        self,
        carrier: Carrier,
        doors: Doors,
        calls: PhoneCalls,
        recovery: Recovery,
        clock: Callable[[], float],
    ) -> None:
        self._recovery = recovery
        self._carrier = carrier
        self._doors = doors
        self._calls = calls
        self._clock = clock

    async def told(self, call_id: str, body: bytes) -> None:
        """None touches a call that is not the telephone's, or is no more. Raises `Misposted`."""
        events = callbacks(body)
        try:
            await self._told(call_id, events)
        except RecordsUnavailable:
            await self._let_go_of_who_has_gone(call_id, events)
            raise  # the carrier posts it again, and then it is marked

    async def _let_go_of_who_has_gone(self, call_id: str, events: Sequence[Told]) -> None:
        """While the database is away: a call that is here, by this process's own memory, ends with
        its telephone, and not only when it is missed."""
        for event in events:
            here = self._calls.connections.get(call_id) == event.connection_id
            if here and event.what is What.DISCONNECTED:
                await self._calls.let_go(call_id, "hung_up")

    async def _told(self, call_id: str, events: Sequence[Told]) -> None:
        here = self._connection_here(call_id) is not None
        if not here and not await self._doors.bindings.knows(call_id):
            logger.info("callback of no call", extra={"call": call_id})
            for event in events:
                if event.what is What.CONNECTED:
                    await self._turn_away(call_id, event)
            return
        for event in events:
            if await self._is_ours(call_id, event) and not await self._was_seen(call_id, event):
                # First the act, then the mark: the carrier posts again what we did not take, and
                # what was marked before would be lost with a store that fails or a process that
                # dies. Two at once do no harm: to hear twice that somebody came, is there, or has
                # gone changes nothing, nor does it to end what is over.
                if not await self._passed_on(call_id, event):
                    await self._act_on(call_id, event)
                await self._mark(call_id, event)

    async def obey(self, call_id: str, body: str) -> str:
        """What another replica was told of a call that is here. Whether it is, as JSON."""
        event = _told.decode(body)
        if not self._calls.lines.has(call_id):
            return GONE
        if not await self._was_seen(call_id, event):
            await self._act_on(call_id, event)
            await self._mark(call_id, event)
        return DONE

    async def _passed_on(self, call_id: str, event: Told) -> bool:
        """Whether it was another replica's to act upon, and it did."""
        elsewhere, calls = self._doors.elsewhere, self._calls
        if elsewhere is None or call_id in calls.legs:
            return False
        if not await elsewhere.told(call_id, event):
            return False
        if event.what in _OVER and (call_id in calls.answered or call_id in calls.ringing):
            await calls.let_go(call_id, "elsewhere")
        return True

    def _connection_here(self, call_id: str) -> str | None:
        """The connection of a call that is not over, as far as this process knows by itself. One
        that is only awaited here may have been carried by another replica, and be over."""
        if self._doors.elsewhere is not None and call_id not in self._calls.legs:
            return None
        return self._calls.connections.get(call_id)

    async def _is_ours(self, call_id: str, event: Told) -> bool:
        waiting = self._calls.answered.get(call_id)
        known = waiting[0] if waiting else self._calls.ringing.get(call_id)
        known = known or self._connection_here(call_id)
        known = known or await self._doors.bindings.connection_of(call_id)
        if known is not None and known != event.connection_id:
            logger.warning("callback of another call", extra={"call": call_id})
            return False
        return True

    async def _was_seen(self, call_id: str, event: Told) -> bool:
        return await self._doors.seen.has(_digest(call_id, event), self._clock())

    async def _mark(self, call_id: str, event: Told) -> None:
        await self._doors.seen.first(_digest(call_id, event), self._clock(), for_s=SEEN_S)

    async def _turn_away(self, call_id: str, event: Told) -> None:
        """The carrier has connected what we had given up, as when its answer was lost. Nobody is
        there, and nobody but us would end it."""
        connection_id = event.connection_id
        ours = connection_id in self._calls.connections.values()
        if ours or await self._doors.bindings.carries(connection_id):
            return  # another call's
        if await self._was_seen(call_id, event):
            return
        logger.warning("nobody's call is hung up", extra={"call": call_id})
        try:
            await self._carrier.hang_up(connection_id)
        except CarrierUnavailable:
            logger.warning("telephone not hung up", extra={"call": call_id})
        await self._mark(call_id, event)

    async def _act_on(self, call_id: str, event: Told) -> None:
        logger.info(
            "carrier told",
            extra={"call": call_id, "what": event.what.value, "code": event.code},
        )
        calls = self._calls
        if calls.follower is not None:
            await calls.follower.told(call_id, event)
        if await calls.lines.told(call_id, event):
            await calls.hang_up(call_id, event.connection_id)
        elif event.what in _OVER:
            if left := calls.lines.left(call_id):
                await calls.lines.settled(call_id)
            await calls.give_up(call_id, left or "hung_up")
        elif event.what in (What.RECORDING, What.NOT_RECORDED):
            await calls.recordings.told(call_id, event)
        elif event.what is What.CONNECTED and call_id in calls.ringing:
            del calls.ringing[call_id]
            calls.connections[call_id] = event.connection_id
            calls.answered[call_id] = (event.connection_id, self._clock())
        elif event.what is What.MEDIA_FAILED and call_id not in calls.legs:
            await self._media_failed(call_id, event)

    async def _media_failed(self, call_id: str, event: Told) -> None:
        if not await self._recovery.media_failed(call_id):
            await self._calls.hang_up(call_id, event.connection_id)


def _digest(call_id: str, event: Told) -> str:
    return hashlib.sha256(f"callback {call_id} {event.event_id}".encode()).hexdigest()
