"""Callbacks of calls that another replica carries go there, by the bus."""

from typing import Final

import msgspec

from switchboard.errors import CarrierUnavailable, ReplicaSilent
from switchboard.phone.callbacks import DONE
from switchboard.phone.webhooks import Told
from switchboard.records.bus import Bus
from switchboard.records.whereabouts import Whereabouts

CALLBACK: Final = "callback"
"""What it is called on the bus."""


class OverTheBus:
    """`around.Elsewhere`, where there is a bus."""

    def __init__(self, bus: Bus, where: Whereabouts) -> None:
        self._bus = bus
        self._where = where

    async def told(self, call_id: str, event: Told) -> bool:
        holder = await self._where.holder(call_id)
        if holder is None:
            return False
        body = msgspec.json.encode(event).decode()
        try:
            return await self._bus.ask(call_id, holder.id, CALLBACK, body) == DONE
        except ReplicaSilent as silent:
            raise CarrierUnavailable(str(silent), retryable=True) from silent
