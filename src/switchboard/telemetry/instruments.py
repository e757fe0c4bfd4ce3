"""What is counted and measured."""

from collections.abc import Callable, Mapping
from typing import Final

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from switchboard.telemetry import names

_SECONDS_OF_TURNS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10)
_SECONDS_OF_CALLS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_SECONDS_OF_DIALS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 20)
# As the conventions say.
_SECONDS_OF_OPERATIONS: Final = tuple(0.01 * 2**n for n in range(14))
_TOKENS: Final = tuple(4**n for n in range(14))

type Gauge = Callable[[], float]


class Instruments:
    """Those of calls. Attributes have few values each: see `names`."""

    def __init__(self, meter: Meter) -> None:
        self.active = meter.create_up_down_counter(
            names.CALLS_ACTIVE, "{call}", "Calls being carried, ringing and parked ones included"
        )
        self.started = meter.create_counter(names.CALLS_STARTED, "{call}", "Calls that began")
        self.ended = meter.create_counter(names.CALLS_ENDED, "{call}", "Calls that ended, and why")
        self.lasted = _seconds(
            meter, names.CALL_DURATION, "From a call's beginning to its end", _SECONDS_OF_CALLS
        )
        self.first_audio = _seconds(
            meter,
            names.FIRST_AUDIO,
            "From the end of the caller's speech to the first audio sent",
            _SECONDS_OF_TURNS,
        )
        self.first_heard = _seconds(
            meter,
            names.FIRST_HEARD,
            "From the end of the caller's speech to the first audio heard, where that is reported",
            _SECONDS_OF_TURNS,
        )
        self.interruptions = meter.create_counter(
            names.INTERRUPTIONS, "{interruption}", "Replies that the caller spoke over"
        )
        self.notices = meter.create_counter(
            names.NOTICES, "{notice}", "What a caller or an operator was told of, by code"
        )
        self.operation = _seconds(
            meter, names.OPERATION_DURATION, "A tool's run", _SECONDS_OF_OPERATIONS
        )
        self.dialled = _seconds(
            meter,
            names.DIAL_DURATION,
            "Until a model's session was open, or refused",
            _SECONDS_OF_DIALS,
        )
        self.sessions = meter.create_counter(
            names.SESSIONS, "{session}", "Model sessions: first ones, renewals, recoveries"
        )
        self.tokens = meter.create_histogram(
            names.TOKEN_USAGE,
            "{token}",
            "Tokens of one reply",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self.cached = meter.create_counter(
            names.TOKENS_CACHED, "{token}", "Input tokens that the service had kept: part of input"
        )
        self.cost = meter.create_counter(
            names.COST, "USD", "What replies cost, where the model's price is known"
        )


def observe(meter: Meter, gauges: Mapping[str, Gauge]) -> None:
    """Measure these whenever a reader asks. They are called from its thread, and only read."""
    for name, gauge in gauges.items():
        create = (
            meter.create_observable_counter
            if name == names.RECORDS_DROPPED
            else meter.create_observable_gauge
        )
        create(name, [_observed(gauge)])


def _observed(gauge: Gauge) -> Callable[[CallbackOptions], list[Observation]]:
    return lambda _: [Observation(gauge())]


def _seconds(meter: Meter, name: str, what: str, buckets: tuple[float, ...]) -> Histogram:
    return meter.create_histogram(name, "s", what, explicit_bucket_boundaries_advisory=buckets)
