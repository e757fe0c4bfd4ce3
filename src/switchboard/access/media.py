"""Tickets of the telephone's media: bound to one call, and to the first connection that shows one.

ACS opens the media socket at an address that we give it, and opens it again when it was lost: so
the ticket in the address is good more than once, but only for the connection id that came first.
It is no proof by itself: ACS's own token must be there as well. Only its SHA-256 is kept, and with
it, until the call is over, the facts of the call: they stand in no address, which others may log.
"""

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

import anyio

from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import TICKET_BYTES, looks_like_ticket

logger = logging.getLogger(__name__)

LIFE_S: Final = 24 * 3_600.0
"""As long as ACS's own token of a socket is good."""
SWEEP_S: Final = 600.0
_CONNECTION: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")


class MediaTicketRows(Protocol):
    """Where they are kept; each method commits before it returns."""

    async def put(self, digest: str, call_id: str, facts: str, expires_at: float) -> None: ...
    async def bind(
        self, digest: str, call_id: str, connection_id: str, now: float
    ) -> str | None: ...
    async def revoke(self, call_id: str) -> None: ...
    async def sweep(self, now: float) -> None: ...


class MediaTickets:
    """Issues them and checks them."""

    def __init__(
        self,
        rows: MediaTicketRows,
        *,
        sweep_s: float = SWEEP_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._sweep_s = sweep_s
        self._clock = clock

    async def issue(self, call_id: str, facts: str = "") -> str:
        """A new ticket for a call's media. `facts` are for whoever is shown it."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        await self._rows.put(_digest(ticket), call_id, facts, self._clock() + LIFE_S)
        return ticket

    async def check(self, ticket: str, call_id: str, connection_id: str) -> str:
        """The call's facts. Raises `NotIdentified` unless the ticket is this call's, and no other
        connection's."""
        facts = None
        if looks_like_ticket(ticket) and _CONNECTION.fullmatch(connection_id):
            facts = await self._rows.bind(_digest(ticket), call_id, connection_id, self._clock())
        if facts is None:
            raise NotIdentified("This media socket belongs to no call.")
        return facts

    async def revoke(self, call_id: str) -> None:
        """The call is over: its media come in no more."""
        await self._rows.revoke(call_id)

    async def run(self) -> None:
        """Forget what expired, until cancelled: of calls that ended with the server, say."""
        while True:
            try:
                await self._rows.sweep(self._clock())
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("media not swept", extra={"error": type(reason).__name__})
            await anyio.sleep(self._sweep_s)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
