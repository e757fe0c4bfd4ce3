"""What of a span may leave: named attributes, and no others.

Libraries put into spans whatever may help, queries and texts of faults too. Here a list says what
goes; whatever they add one day stays.
"""

from collections.abc import Collection, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from switchboard.telemetry import names

PERMITTED: Collection[str] = names.OF_CALLS | names.OF_REQUESTS


class PermittedOnly(SpanExporter):
    """Hands on copies of spans with permitted attributes, and without events or texts of faults."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([permitted(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def permitted(span: ReadableSpan) -> ReadableSpan:
    """A copy of `span` without whatever nobody has permitted."""
    attributes = span.attributes or {}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in attributes.items() if name in PERMITTED},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
