"""Tickets of the telephone's media: bound to one call, and to the first connection that shows one.

ACS opens the media socket at an address that we give it, and opens it again when it was lost: so
the ticket in the address is good more than once, but only for the connection id that came first.
It is no proof by itself: ACS's own token must be there as well. Only its SHA-256 is kept.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import TICKET_BYTES, looks_like_ticket

LIFE_S: Final = 24 * 3_600.0
"""As long as ACS's own token of a socket is good."""
_CONNECTION: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")


class MediaTicketRows(Protocol):
    """Where they are kept; each method commits before it returns."""

    async def put(self, digest: str, call_id: str, expires_at: float) -> None: ...
    async def bind(self, digest: str, call_id: str, connection_id: str, now: float) -> bool: ...
    async def revoke(self, call_id: str) -> None: ...


class MediaTickets:
    """Issues them and checks them."""

    def __init__(self, rows: MediaTicketRows, *, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock

    async def issue(self, call_id: str) -> str:
        """A new ticket for a call's media."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        await self._rows.put(_digest(ticket), call_id, self._clock() + LIFE_S)
        return ticket

    async def check(self, ticket: str, call_id: str, connection_id: str) -> None:
        """Raises `NotIdentified` unless it is this call's, and no other connection's."""
        good = (
            looks_like_ticket(ticket)
            and _CONNECTION.fullmatch(connection_id) is not None
            and await self._rows.bind(_digest(ticket), call_id, connection_id, self._clock())
        )
        if not good:
            raise NotIdentified("This media socket belongs to no call.")

    async def revoke(self, call_id: str) -> None:
        """The call is over: its media come in no more."""
        await self._rows.revoke(call_id)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
