"""What all ways into a realtime session share: how many there may be, and how one is opened."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from switchboard_local.engine.parts import Detectors
from switchboard_local.faults.kinds import Service
from switchboard_local.realtime.doorway import TurnedAway
from switchboard_local.realtime.keeper import Keeper
from switchboard_local.realtime.live import Company, expiry, fresh_id
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.session_object import Session


@dataclass(slots=True)
class Lines:
    """How many sessions are open, and how many may be."""

    limit: int
    open: int = 0
    opening: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))

    @property
    def full(self) -> bool:
        return self.open >= self.limit

    @contextmanager
    def one(self) -> Generator[None]:
        """Hold one line."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


@dataclass(frozen=True, slots=True)
class Host:
    """What the sessions of one local cloud share."""

    detectors: Detectors
    company: Company
    lines: Lines
    keeper: Keeper
    session_s: float
    """A session's longest life."""

    async def session(self, settings: Session, *, played_here: bool = False) -> RealtimeSession:
        """A fresh session. `played_here` is as for `RealtimeSession`."""
        # In a thread, as it may load a model; one at a time, as each thread keeps its own memory.
        detector = await anyio.to_thread.run_sync(self.detectors.open, limiter=self.lines.opening)
        return RealtimeSession(
            settings,
            detector,
            new_id=fresh_id,
            expires_at=expiry(self.session_s),
            played_here=played_here,
        )


async def forced(host: Host, service: Service) -> TurnedAway | None:
    """What a fault makes of a request, before it is judged; it may be long in coming."""
    faults = host.company.faults
    await anyio.sleep(faults.hang_ms(service) / 1000)
    refusal = faults.refusal(service)
    if refusal is None:
        return None
    status = refusal.status
    return TurnedAway(status, str(status), "Refused on purpose.", refusal.retry_after)
