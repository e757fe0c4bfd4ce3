"""What several parts come to: whether calls can be taken here."""

from collections.abc import Iterable
from enum import StrEnum

from switchboard.doctor.watch import State


class Verdict(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"
    """Calls are taken, but not for every service."""
    UNREADY = "unready"

    @property
    def status(self) -> int:
        """HTTP's."""
        return 503 if self is Verdict.UNREADY else 200


def judge(exchange: State, stores: Iterable[State], services: Iterable[State]) -> Verdict:
    """Every call needs the exchange and the stores, and one of the services."""
    each = list(services)
    if any(part is not State.OK for part in (exchange, *stores)):
        return Verdict.UNREADY
    if all(service is State.OK for service in each):
        return Verdict.READY
    return Verdict.DEGRADED if State.OK in each else Verdict.UNREADY
