"""Every call of this process, for whoever collects: the exchange's `Observer`."""

import logging
import time
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, Tracer

from switchboard.exchange.observer import UNWATCHED, Particulars, Watch
from switchboard.telemetry.call import WatchedCall
from switchboard.telemetry.instruments import Instruments

logger = logging.getLogger(__name__)


class WatchedCalls:
    """Each is a trace of its own, linked to the request that opened it."""

    def __init__(
        self, tracer: Tracer, instruments: Instruments, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._now = now
        self._contexts: dict[str, Context] = {}

    def origin(self) -> object:
        """The request that is being answered."""
        return trace.get_current_span().get_span_context()

    def began(self, call: Particulars, origin: object) -> Watch:
        came_from = origin if isinstance(origin, SpanContext) and origin.is_valid else None
        try:
            watched = WatchedCall(call, came_from, self._tracer, self._instruments, self._now)
        except Exception as fault:  # noqa: BLE001  (whatever it is, calls go on)
            logger.warning("not measured", extra={"error": type(fault).__name__})
            return UNWATCHED
        self._contexts[call.call_id] = watched.context
        watched.when_over = lambda: self._contexts.pop(call.call_id, None)
        return watched

    def context_of(self, call_id: str) -> Context | None:
        """The trace of a live call, so that its log lines can be found there."""
        return self._contexts.get(call_id)
