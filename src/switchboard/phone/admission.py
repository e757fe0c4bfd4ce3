"""How much one telephone may take of us: calls a minute, and calls at once."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from switchboard.access.rates import Rate, Rates
from switchboard.access.refusals import TooOften
from switchboard.errors import LinesBusy
from switchboard.phone.webhooks import number_of

WITHHELD: Final = "withheld"
"""All whose number is not shown share one allowance: nobody can tell them apart."""


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """Of one telephone."""

    rate: Rate = field(default=Rate(20 / 60, 10))
    at_once: int = 5


class Admission:
    """Counts calls by their callers."""

    def __init__(
        self, limits: CallerLimits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._rates = Rates(limits.rate, clock=clock)
        self._callers: dict[str, str] = {}
        self._at_once: Counter[str] = Counter()

    def check(self, raw_id: str) -> None:
        """Count one more call of this telephone. Raises `LinesBusy` when that is too many."""
        key = _key(raw_id)
        if self._at_once[key] >= self._limits.at_once:
            raise LinesBusy("This telephone is on as many calls as it may be.")
        try:
            self._rates.check(key)
        except TooOften as refusal:
            raise LinesBusy("This telephone calls too often.") from refusal

    def enter(self, call_id: str, raw_id: str) -> None:
        """Its call has been taken."""
        self._callers[call_id] = key = _key(raw_id)
        self._at_once[key] += 1

    def leave(self, call_id: str) -> None:
        """The call is over. One that never was counted is as good."""
        if (key := self._callers.pop(call_id, None)) is not None:
            self._at_once[key] -= 1
            if not self._at_once[key]:
                del self._at_once[key]


def _key(raw_id: str) -> str:
    is_user = raw_id.startswith("8:")
    return raw_id if is_user or number_of(raw_id) is not None else WITHHELD
