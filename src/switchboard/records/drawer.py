"""Tickets of a server that shares its records with nobody: in memory, as its calls are.

Nobody else could take them, and on disk they would outlive the calls that they open. Two
transactions for each call were half of what it cost to begin one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from switchboard.errors import RecordsUnavailable
from switchboard.records.store import AWAY, Store
from switchboard.records.tickets import TRADED, Issued, StoredTicket, TicketTable

MOST_TICKETS: Final = 20_000
"""Beyond it the oldest opens nothing any more. Of lost pages that never came back, tickets stay."""


class _Kept(NamedTuple):
    ticket: StoredTicket
    expires_at: float


class TicketDrawer:
    """What `TicketTable` does, without a wait: so each step is whole by itself."""

    def __init__(
        self, limit: int = MOST_TICKETS, *, is_away: Callable[[], bool] = lambda: False
    ) -> None:
        """`is_away`: what a new call's ticket is for could not be recorded now."""
        self._limit = limit
        self._is_away = is_away
        self._kept: dict[str, _Kept] = {}
        """By digest, the oldest first."""
        self._of_call: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def put(
        self,
        digest: str,
        call_id: str,
        principal_id: str,
        kind: str,
        expires_at: float,
        facts: str = "",
        *,
        token_until: float | None = None,
    ) -> None:
        """Raises `RecordsUnavailable`, as a table does then."""
        if self._is_away():
            raise RecordsUnavailable(AWAY)
        self._put(digest, StoredTicket(call_id, principal_id, kind, token_until, facts), expires_at)

    async def consume(self, digest: str, kind: str, now: float) -> StoredTicket | None:
        """Use a ticket of this kind up, whoever comes first; `None` to all others."""
        return self._take(digest, (kind,), now)

    async def trade(
        self, digest: str, call_id: str, principal_id: str | None, now: float, *, new: Issued
    ) -> StoredTicket | None:
        """Consume the ticket, whoever comes first, and put `new` in its place, for the same holder.

        `None` when it is unknown, used, expired, or not `principal_id`'s, where somebody says who
        they are: then there is no new one.
        """
        taken = self._take(digest, TRADED, now)
        if taken is None or taken.call_id != call_id:
            return None
        if principal_id not in (None, taken.principal_id):
            return None
        self._put(new.digest, replace(taken, kind=new.kind, facts=""), new.expires_at)
        return taken

    async def extend(self, call_id: str, token_until: float) -> None:
        """The holder of a call's tickets has shown a token that holds until then."""
        for digest in self._of_call.get(call_id, ()):
            kept = self._kept[digest]
            ticket = replace(kept.ticket, token_until=token_until)
            self._kept[digest] = kept._replace(ticket=ticket)

    async def sweep(self, now: float) -> Sequence[StoredTicket]:
        """Forget what expired unused, and say what it was for."""
        over = [digest for digest, kept in self._kept.items() if kept.expires_at <= now]
        return [self._out(digest).ticket for digest in over]

    async def revoke(self, call_id: str) -> None:
        """Forget every ticket of a call."""
        for digest in self._of_call.pop(call_id, ()):
            del self._kept[digest]

    def _put(self, digest: str, ticket: StoredTicket, expires_at: float) -> None:
        while len(self._kept) >= self._limit:
            self._out(next(iter(self._kept)))
        self._kept[digest] = _Kept(ticket, expires_at)
        self._of_call.setdefault(ticket.call_id, set()).add(digest)

    def _take(self, digest: str, kinds: Sequence[str], now: float) -> StoredTicket | None:
        kept = self._kept.get(digest)
        if kept is None or kept.expires_at <= now or kept.ticket.kind not in kinds:
            return None
        return self._out(digest).ticket

    def _out(self, digest: str) -> _Kept:
        kept = self._kept.pop(digest)
        of_call = self._of_call[kept.ticket.call_id]
        of_call.discard(digest)
        if not of_call:
            del self._of_call[kept.ticket.call_id]
        return kept


def tickets_of(store: Store) -> TicketTable | TicketDrawer:
    """Where the tickets of a server with this store are kept."""
    if store.is_shared:
        return TicketTable(store)
    return TicketDrawer(is_away=lambda: store.away)


async def clear_table(store: Store) -> None:
    """Of a server that kept them there, tickets lie in the table that nothing takes or sweeps any
    more."""
    if not store.is_shared:
        await TicketTable(store).sweep(math.inf)
