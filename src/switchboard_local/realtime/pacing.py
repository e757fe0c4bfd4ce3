"""How many events, audio apart, a client may send."""

from dataclasses import dataclass
from typing import Final

BURST_EVENTS: Final = 1000
REFILL_PER_S: Final = 100.0


@dataclass(slots=True)
class Allowance:
    """A bucket of events that refills steadily."""

    left: float = BURST_EVENTS
    counted_s: float | None = None

    def spend(self, now_s: float) -> bool:
        """Take one; false when there is none left."""
        if self.counted_s is not None:
            self.left = min(BURST_EVENTS, self.left + (now_s - self.counted_s) * REFILL_PER_S)
        self.counted_s = now_s
        self.left -= 1
        return self.left >= 0
