"""Passes: a short-lived, single-use right to listen to one call. Only their SHA-256 is kept, and
in this process only, for the voices are here, too."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LIFE_S: Final = 30.0
MOST: Final = 256
BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class _Pass:
    call_id: str
    principal_id: str
    until: float


class Passes:
    """Beyond `MOST`, the oldest is forgotten."""

    def __init__(
        self, *, life_s: float = LIFE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._life_s = life_s
        self._clock = clock
        self._passes: OrderedDict[bytes, _Pass] = OrderedDict()

    def issue(self, call_id: str, principal_id: str) -> str:
        """43 URL-safe characters that are written down nowhere else."""
        ticket = secrets.token_urlsafe(BYTES)
        self._passes[_digest(ticket)] = _Pass(call_id, principal_id, self._clock() + self._life_s)
        if len(self._passes) > MOST:
            self._passes.popitem(last=False)
        return ticket

    def redeem(self, ticket: str, call_id: str, principal_id: str) -> bool:
        """Use it up. Whether it was good for this call and this person."""
        found = self._passes.pop(_digest(ticket), None)
        if found is None or found.until < self._clock():
            return False
        return (found.call_id, found.principal_id) == (call_id, principal_id)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
