"""Whoever collects: what sends to them. Imported late and off the event loop: it takes seconds.

Everything here sends from threads of its own, from queues of OpenTelemetry's sizes
(`OTEL_BSP_MAX_QUEUE_SIZE` and its like), and gives an answer ten seconds at most.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.sdk._logs import (  # pyright: ignore[reportPrivateUsage]  (as in shipping.py)
    LoggerProvider,
)
from opentelemetry.sdk._logs.export import (  # pyright: ignore[reportPrivateUsage]
    BatchLogRecordProcessor,
    LogRecordExporter,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from switchboard.importing import ONE_AT_A_TIME
from switchboard.telemetry.config import Insights, TelemetryConfig
from switchboard.telemetry.permitted import PermittedOnly

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

TIMEOUT_S: Final = 10.0
_QUIET: Final = {
    # What the exporter would tell Microsoft of itself, and be told by it.
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
}

type Held = Callable[[], "AccessToken | None"]


class Closing(Protocol):
    def shutdown(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Providers:
    """What is measured comes from here."""

    tracers: TracerProvider
    meters: MeterProvider
    loggers: LoggerProvider


@dataclass(frozen=True, slots=True)
class _Exporters:
    spans: Callable[[], SpanExporter]
    metrics: Callable[[], MetricExporter]
    logs: Callable[[], LogRecordExporter]


def connect(config: TelemetryConfig, held: Held, providers: Providers) -> list[Closing]:
    """Send what `providers` have to whoever collects, from now on. Blocks: for a thread.

    Returns what must be shut down; that sends what still waits. `held` gives the token.
    """
    several: list[_Exporters] = []
    if config.otlp_endpoint is not None:
        several.append(_otlp(config.otlp_endpoint))
    if config.insights is not None:
        several.append(_azure(config.insights, held, providers.tracers))
    closing: list[Closing] = []
    for exporters in several:
        closing += _attach(exporters, providers)
    return closing


def _attach(exporters: _Exporters, providers: Providers) -> list[Closing]:
    closing: list[Closing] = []
    if _wanted("TRACES"):
        spans = BatchSpanProcessor(PermittedOnly(exporters.spans()))
        providers.tracers.add_span_processor(spans)
        closing.append(spans)
    if _wanted("METRICS"):
        reader = PeriodicExportingMetricReader(exporters.metrics())
        providers.meters.add_metric_reader(reader)
        closing.append(reader)
    if _wanted("LOGS"):
        logs = BatchLogRecordProcessor(exporters.logs())
        providers.loggers.add_log_record_processor(logs)
        closing.append(logs)
    return closing


def _wanted(signal: str) -> bool:
    """OpenTelemetry's own variables turn a signal off: `OTEL_LOGS_EXPORTER=none`."""
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() != "none"


def _otlp(endpoint: str) -> _Exporters:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # pyright: ignore[reportPrivateUsage]
        OTLPLogExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def at(signal: str) -> str | None:
        """`None` where the signal has an address of its own, which its exporter then reads."""
        own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
        return None if own else f"{endpoint.rstrip('/')}/v1/{signal}"

    return _Exporters(
        lambda: OTLPSpanExporter(at("traces")),
        lambda: OTLPMetricExporter(at("metrics")),
        lambda: OTLPLogExporter(at("logs")),
    )


def _azure(insights: Insights, held: Held, tracers: TracerProvider) -> _Exporters:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with ONE_AT_A_TIME:
        from azure.monitor.opentelemetry.exporter import (
            AzureMonitorLogExporter,
            AzureMonitorMetricExporter,
            AzureMonitorTraceExporter,
        )

    options: dict[str, Any] = {
        "connection_string": insights.connection_string,
        "credential": HeldToken(held),
        # The disk is read-only, and gone with the replica.
        "disable_offline_storage": True,
        "timeout": TIMEOUT_S,
        "read_timeout": TIMEOUT_S,
        "retry_total": 1,
    }
    return _Exporters(
        lambda: AzureMonitorTraceExporter(tracer_provider=tracers, **options),
        lambda: AzureMonitorMetricExporter(**options),
        lambda: AzureMonitorLogExporter(**options),
    )


class HeldToken:
    """The process's own token, as a credential of Azure's: it is refreshed elsewhere, only read
    here."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def get_token(self, *scopes: str, **options: object) -> "AccessToken":
        """Raises `ClientAuthenticationError` while there is none."""
        del scopes, options
        token = self._held()
        if token is None:
            from azure.core.exceptions import ClientAuthenticationError

            raise ClientAuthenticationError("there is no token for Azure Monitor yet")
        return token
