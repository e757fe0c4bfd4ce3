"""A span and a measurement for each HTTP request, but for health probes.

Sockets have neither: they last as long as their calls, which have their own, and nothing is to be
done for each of their messages.
"""

import os
from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.trace import TracerProvider

from switchboard.telemetry import names

_SOCKETS: Final = "^wss?://"


def watch_requests(
    app: FastAPI, tracers: TracerProvider, meters: MeterProvider, unwatched: Sequence[str]
) -> None:
    """To be called before `app` serves. `unwatched`: paths of probes."""
    # Read when the library is first used: the stable names of attributes, not the older ones.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=tracers,
        meter_provider=meters,
        excluded_urls=",".join([_SOCKETS, *(f"{path}$" for path in unwatched)]),
        exclude_spans=["receive", "send"],
    )


def views() -> Sequence[View]:
    """Of the measurements of requests: those that are of use, by attributes of few values."""
    kept = set(names.OF_REQUESTS)
    return [
        View(instrument_name=names.REQUEST_DURATION, attribute_keys=kept),
        View(instrument_name=names.ACTIVE_REQUESTS, attribute_keys=kept),
        View(instrument_name="http.server.*.body.size", aggregation=DropAggregation()),
    ]


def unwatch_requests(app: FastAPI) -> None:
    """The library changes a class of Starlette's, too: take that back."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.uninstrument_app(app)
