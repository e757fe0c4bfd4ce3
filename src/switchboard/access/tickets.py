"""Tickets: a short-lived, single-use right to open one socket of one call.

A browser cannot put a header on a socket, and a URL ends up in logs: so the page asks for a ticket
with its own credentials and shows it as a subprotocol. Only its SHA-256 is kept.
"""

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import anyio

from switchboard.access.principal import Principal
from switchboard.access.refusals import NotIdentified
from switchboard.access.standing import GRACE_S, RAN_OUT

logger = logging.getLogger(__name__)

TICKET_BYTES = 32
RESUME_S = 12 * 3600.0
"""A resume ticket lives as long as a call might: the call itself decides how long it waits."""
SWEEP_S = 5.0
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


class TicketKind(StrEnum):
    OPEN = "open"
    RESUME = "resume"


class TicketFacts(Protocol):
    """What a ticket is good for."""

    @property
    def call_id(self) -> str: ...
    @property
    def principal_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def token_until(self) -> float | None: ...
    @property
    def facts(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to be handed out for another."""

    digest: str
    kind: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A ticket that was good, and the one to come back with."""

    kind: TicketKind
    resume: str
    principal_id: str = ""
    """Whose it is."""
    token_until: float | None = None
    """Until when the token holds that it was bought with, epoch seconds; where nothing runs out,
    `None`."""
    facts: str = ""
    """What was put with it."""


class TicketRows(Protocol):
    """Where tickets are kept; each method commits before it returns."""

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
    ) -> None: ...
    async def trade(
        self, digest: str, call_id: str, principal_id: str | None, now: float, *, new: NewTicket
    ) -> TicketFacts | None: ...
    async def sweep(self, now: float) -> Sequence[TicketFacts]: ...
    async def revoke(self, call_id: str) -> None: ...
    async def extend(self, call_id: str, token_until: float) -> None: ...


class TicketOffice:
    """Issues tickets and takes them back."""

    def __init__(
        self,
        rows: TicketRows,
        *,
        open_s: float,
        resume_s: float = RESUME_S,
        sweep_s: float = SWEEP_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._life_s = {TicketKind.OPEN: open_s, TicketKind.RESUME: resume_s}
        self._sweep_s = sweep_s
        self._clock = clock

    @property
    def open_s(self) -> float:
        """How long a new call's ticket is good for."""
        return self._life_s[TicketKind.OPEN]

    async def issue(
        self, call_id: str, principal: Principal, kind: TicketKind, facts: str = ""
    ) -> str:
        """A new ticket: 43 URL-safe characters that are written down nowhere else. `facts` are for
        whoever takes it, and go with it."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        expires_at = self._clock() + self._life_s[kind]
        row = (_digest(ticket), call_id, principal.id, kind.value, expires_at)
        await self._rows.put(*row, facts, token_until=principal.until)
        return ticket

    async def redeem(self, ticket: str, call_id: str, principal: Principal | None) -> Redeemed:
        """Use a ticket up, in exchange for the one that resumes the call; both or neither.

        Raises `NotIdentified` unless it is good for this call and, where the socket says who opens
        it, this principal, and unless the token that it was bought with still holds, or has just
        run out. A ticket shown at the wrong door is used up as well.
        """
        resume = secrets.token_urlsafe(TICKET_BYTES)
        now = self._clock()
        kind = TicketKind.RESUME
        new = NewTicket(_digest(resume), kind.value, now + self._life_s[kind])
        facts = None
        if looks_like_ticket(ticket):
            who = None if principal is None else principal.id
            facts = await self._rows.trade(_digest(ticket), call_id, who, now, new=new)
        if facts is None:
            raise NotIdentified("This ticket has expired or was already used. Start a new call.")
        if facts.token_until is not None and now >= facts.token_until + GRACE_S:
            await self._rows.revoke(call_id)
            raise NotIdentified(RAN_OUT)
        return Redeemed(
            TicketKind(facts.kind), resume, facts.principal_id, facts.token_until, facts.facts
        )

    async def renewed(self, call_id: str, token_until: float) -> None:
        """The caller has shown a fresh token, which holds until then, epoch seconds."""
        await self._rows.extend(call_id, token_until)

    async def revoke(self, call_id: str) -> None:
        """Nothing opens this call any more."""
        await self._rows.revoke(call_id)

    async def run(self, unclaimed: Callable[[str], None]) -> None:
        """Sweep until cancelled. `unclaimed` hears of each placed call that nobody came to."""
        while True:
            await anyio.sleep(self._sweep_s)
            try:
                await self.sweep(unclaimed)
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("tickets not swept", extra={"error": type(reason).__name__})

    async def sweep(self, unclaimed: Callable[[str], None]) -> None:
        """Forget what expired."""
        for facts in await self._rows.sweep(self._clock()):
            if facts.kind == TicketKind.OPEN:
                logger.info("ticket expired unused", extra={"call_id": facts.call_id})
                unclaimed(facts.call_id)


def looks_like_ticket(text: str) -> bool:
    """Whether it is worth asking the store."""
    return _SHAPE.fullmatch(text) is not None


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
