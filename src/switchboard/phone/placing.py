"""Calls that we place: a telephone rings until it is answered, or let alone."""

import anyio

from switchboard.errors import CarrierUnavailable
from switchboard.phone.around import Doors, PhoneConfig, route_of
from switchboard.phone.callers import known_caller
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Carrier
from switchboard.phone.handover import Handover
from switchboard.phone.permits import Permit


class Placing:
    def __init__(
        self, carrier: Carrier, doors: Doors, config: PhoneConfig, calls: PhoneCalls
    ) -> None:
        self._carrier = carrier
        self._doors = doors
        self._config = config
        self._calls = calls

    async def ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        """Have a telephone ring, for a call that the exchange has placed.

        Raises `CarrierUnavailable`.
        """
        calls = self._calls
        route = await route_of(call_id, handover, self._config, self._doors)
        calls.ringing[call_id] = None
        calls.lines.began(call_id, known_caller(handover.caller_id), handover.raw_id)
        with anyio.CancelScope(shield=True):  # or it might ring, and nobody know of it
            try:
                connection = await self._carrier.place(permit, route)
            except CarrierUnavailable:
                del calls.ringing[call_id]
                calls.lines.over(call_id)
                await self._doors.media.revoke(call_id)
                raise
            if call_id in calls.ringing:
                calls.ringing[call_id] = calls.connections[call_id] = connection.id
            elif call_id not in calls.connections:  # over before we were told that it rings
                await calls.hang_up(call_id, connection.id)
            if calls.stopped:
                await calls.hang_up(call_id, connection.id, "server_stopping")

    async def abandon(self, call_id: str, reason: str) -> None:
        """Hang up on a telephone that rings. One that does not is let alone."""
        if (connection_id := self._calls.ringing.get(call_id)) is not None:
            await self._calls.hang_up(call_id, connection_id, reason)
