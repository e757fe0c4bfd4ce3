"""Passes: a short-lived, single-use right to open one socket. Only their SHA-256 is kept, in the
database, for they may be shown to another server than the one that gave them."""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from switchboard.access.principal import Kind, Principal, Role

"""What they are for."""
LIFE_S: Final = 30.0
BYTES: Final = 32


class PassFacts(Protocol):
    """What a pass is good for."""

    @property
    def call_id(self) -> str: ...
    @property
    def principal_id(self) -> str: ...
    @property
    def facts(self) -> str: ...


class PassRows(Protocol):
    """Where passes are kept; each method commits before it returns."""

    async def put(
        self,
        digest: str,
        call_id: str,
        principal_id: str,
        kind: str,
        expires_at: float,
        facts: str = "",
    ) -> None: ...
    async def consume(self, digest: str, kind: str, now: float) -> PassFacts | None: ...


class Passes:
    """Of one kind: `listen` for who listens to a call, `link` for one server to another."""

    def __init__(
        self,
        rows: PassRows,
        kind: str,
        *,
        life_s: float = LIFE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._kind = kind
        self._life_s = life_s
        self._clock = clock

    async def issue(self, about: str, holder: str, facts: str = "") -> str:
        """43 URL-safe characters that are written down nowhere else. `about` is a call, or whom it
        may be shown to; `holder` who may show it; `facts` are for whoever takes it."""
        ticket = secrets.token_urlsafe(BYTES)
        until = self._clock() + self._life_s
        await self._rows.put(_digest(ticket), about, holder, self._kind, until, facts)
        return ticket

    async def redeem(self, ticket: str, about: str, holder: str | None = None) -> PassFacts | None:
        """Use it up. What it was good for, if it was for this, and for this holder where one is
        named."""
        found = await self._rows.consume(_digest(ticket), self._kind, self._clock())
        if found is None or found.call_id != about:
            return None
        return found if holder is None or found.principal_id == holder else None

    async def issue_to(self, about: str, who: Principal) -> str:
        """One that says whose it is: a browser's socket cannot."""
        held = _Holder(who.id, who.name, who.kind.value, who.until)
        return await self.issue(about, who.id, msgspec.json.encode(held).decode())

    async def redeem_of(self, ticket: str, about: str, shown: Principal | None) -> Principal | None:
        """Whose it is, if it was good for this and, where the socket says who opens it, for this
        person. Only operators are given any."""
        found = await self.redeem(ticket, about, None if shown is None else shown.id)
        if found is None:
            return None
        try:
            held = msgspec.json.decode(found.facts, type=_Holder)
            kind = Kind(held.kind)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return Principal(held.id, held.name, frozenset({Role.OPERATOR}), kind, until=held.until)


class _Holder(msgspec.Struct, frozen=True):
    """Who was given a pass, as it is kept for the half minute that it lives."""

    id: str
    name: str
    kind: str
    until: float | None = None


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
