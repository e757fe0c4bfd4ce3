"""The faults that are armed in one local cloud, and all that they may strike."""

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from switchboard_local.faults.kinds import (
    STRIKES,
    Close,
    Drop,
    Expire,
    Fault,
    Hang,
    LateAudio,
    Moment,
    Refuse,
    Service,
    Stall,
    Strike,
)

MAX_ARMED: Final = 100


class TooMany(Exception):
    """As many faults are armed as there may be."""


@dataclass(slots=True, eq=False)
class Armed:
    """A fault, and how often it has struck."""

    id: int
    fault: Fault
    fired: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.on == "now" or self.fired == self.fault.times


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A connection or session that faults may strike, and the loop it lives in."""

    service: Service
    strike: Callable[[Strike], None]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


class Faults:
    """Armed from any thread: a test arms them from its own, beside the served local cloud."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = count(1)
        self._armed: list[Armed] = []
        self._open: list[_Open] = []

    def arm(self, fault: Fault) -> Armed:
        """Have it strike from now on; at once, if it says so. Raises `TooMany`."""
        with self._lock:
            if len(self._armed) >= MAX_ARMED:
                self._armed = [each for each in self._armed if not each.spent]
            if len(self._armed) >= MAX_ARMED:
                raise TooMany(f"At most {MAX_ARMED} faults at once; disarm some.")
            armed = Armed(next(self._ids), fault)
            self._armed.append(armed)
            if isinstance(fault, STRIKES) and fault.on == "now":
                self._strike_all(armed, fault)
            return armed

    def disarm(self) -> None:
        """All of them. What has been struck stays so."""
        with self._lock:
            self._armed.clear()

    def armed(self) -> Sequence[Armed]:
        """Those armed since they were last disarmed, the spent ones too, oldest first."""
        with self._lock:
            return list(self._armed)

    def refusal(self, service: Service) -> Refuse | None:
        """What this request is refused with."""
        fired = self._fire(service, "dial", (Refuse,))
        return fired if isinstance(fired, Refuse) else None

    def hang_ms(self, service: Service) -> int:
        """How long this request is left without an answer."""
        fired = self._fire(service, "dial", (Hang,))
        return fired.for_ms if isinstance(fired, Hang) else 0

    def strike_of(self, service: Service, on: Moment, audio_ms: float = 0) -> Strike | None:
        """What befalls a session as it opens, or a reply that has sounded for `audio_ms`."""
        fired = self._fire(service, on, STRIKES, audio_ms)
        return fired if isinstance(fired, STRIKES) else None

    def late_deltas(self, service: Service) -> int:
        """How many audio deltas a reply sends that was cancelled, and is done."""
        fired = self._fire(service, "reply", (LateAudio,))
        return fired.deltas if isinstance(fired, LateAudio) else 0

    @contextmanager
    def exposed(self, service: Service, strike: Callable[[Strike], None]) -> Generator[None]:
        """`strike` is called back by this loop with what befalls it while the block lasts."""
        mine = _Open(service, strike)
        with self._lock:
            self._open.append(mine)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(mine)

    def _fire(
        self,
        service: Service,
        on: Moment,
        kinds: tuple[type[Fault], ...],
        audio_ms: float = 0,
    ) -> Fault | None:
        """The oldest that fits and is not spent: it has struck once more."""
        if not self._armed:
            return None
        with self._lock:
            for each in self._armed:
                if not each.spent and _fits(each.fault, service, on, kinds, audio_ms):
                    each.fired += 1
                    return each.fault
        return None

    def _strike_all(self, armed: Armed, fault: Strike) -> None:
        for each in self._open:
            if fault.service in (None, each.service):
                armed.fired += 1
                with suppress(RuntimeError):  # its loop ended in this very moment
                    each.loop.call_soon_threadsafe(self._strike_one, each, fault)

    def _strike_one(self, struck: _Open, fault: Strike) -> None:
        with self._lock:
            there = struck in self._open
        if there:
            struck.strike(fault)


def _fits(
    fault: Fault, service: Service, on: Moment, kinds: tuple[type[Fault], ...], audio_ms: float
) -> bool:
    if fault.on != on or fault.service not in (None, service):
        return False
    match fault:
        case Stall() | Drop() | Close() | Expire():
            return type(fault) in kinds and (on != "reply" or audio_ms >= fault.after_ms)
        case Refuse() | Hang() | LateAudio():
            return type(fault) in kinds
