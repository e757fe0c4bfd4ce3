"""Whether somebody still stands behind a socket or stream that outlives its first request.

asked for a token ──(shown, the same person, a role)──▶ until its own end
        └──(nothing good by `GRACE_S` after the end)──▶ over
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from switchboard.access.principal import Principal, Role
from switchboard.access.refusals import NotIdentified
from switchboard.errors import NotAllowed

ASK_S: Final = 240.0
"""How long before the end a fresh token is asked for: sooner, and a page that keeps its tokens
until five minutes before their end would show the same one again."""
AGAIN_S: Final = 30.0
"""Between two requests: a page may sleep, or be offline."""
GRACE_S: Final = 60.0
"""How long after its end a token still holds a socket."""

type Verify = Callable[[str], Awaitable[Principal]]
"""Whom a token speaks of. Raises `NotIdentified`, `CannotTell`, and `NotAllowed` for no role."""

RAN_OUT: Final = "Your sign-in has run out. Sign in again."


async def nobody_verifies(_: str) -> Principal:
    """Where people show no tokens."""
    raise NotIdentified("Nobody shows tokens here.")


class SomebodyElse(NotAllowed):
    """The token is good, but not this person's, or they may not do this any more."""


class Standing:
    """Of one person on one socket. `until` and what `clock` tells are epoch seconds."""

    def __init__(
        self,
        principal_id: str,
        until: float | None,
        *,
        role: Role = Role.CALLER,
        verify: Verify = nobody_verifies,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.until = until
        self._principal_id = principal_id
        self._role = role
        self._verify = verify
        self._clock = clock
        self._ask_at = self._first(until)
        self._ended = False

    @property
    def runs_out(self) -> bool:
        return self.until is not None

    @property
    def is_over(self) -> bool:
        """Nobody stands behind it any more."""
        ran_out = self.until is not None and self._clock() >= self.until + GRACE_S
        return self._ended or ran_out

    def end(self) -> None:
        """Whatever time is left."""
        self._ended = True

    def asks(self) -> bool:
        """Whether a fresh token is to be asked for now; once in a while until there is one."""
        if self._ask_at is None or (now := self._clock()) < self._ask_at:
            return False
        self._ask_at = now + AGAIN_S
        return True

    async def renew(self, token: str) -> float:
        """Take a fresh token; until when it holds, epoch seconds.

        Raises `NotIdentified` and `CannotTell` for one that does not count, and `SomebodyElse`
        for one that ends this.
        """
        try:
            who = await self._verify(token)
        except NotIdentified:
            raise
        except NotAllowed as refusal:
            if type(refusal) is not NotAllowed:
                raise  # nobody can tell just now
            raise SomebodyElse(str(refusal)) from None
        if who.id != self._principal_id:
            raise SomebodyElse("This is somebody else's token.")
        if self._role not in who.roles:
            raise SomebodyElse("You may not do this any more.")
        if who.until is not None and (self.until is None or who.until > self.until):
            self.until = who.until
            self._ask_at = self._first(who.until)
        return self.until or 0.0

    def _first(self, until: float | None) -> float | None:
        """Of a token that does not last, half its time is waited."""
        if until is None:
            return None
        now = self._clock()
        return until - min(ASK_S, max(0.0, until - now) / 2)


def stream_end(until: float | None, now: float) -> float | None:
    """When an event stream that begins at `now` ends, so that its page comes back with a fresh
    token: at the end of the one it has, or after the grace where that is past."""
    if until is None:
        return None
    return until if now < until else until + GRACE_S
