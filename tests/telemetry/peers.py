"""Whoever collects telemetry: an OTLP receiver, and Application Insights. Both read it all."""

import gzip
import json
import ssl
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

type Mood = Literal["well", "hangs", "garbage", "busy"]
WAIT_S: Final = 30.0
LONGEST_BODY: Final = 16_777_216


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is none of ours."""


@contextmanager
def _served(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], tls: ssl.SSLContext | None = None
) -> Generator[int]:
    """`answer` to every POST, at a port of loopback."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers["content-length"]), LONGEST_BODY))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            elif self.headers.get("content-encoding") == "deflate":
                body = zlib.decompress(body)
            answer(self, body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Door)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(door: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
    door.send_response(status)
    door.send_header("content-type", kind)
    door.send_header("content-length", str(len(body)))
    door.end_headers()
    door.wfile.write(body)


@dataclass
class Collector:
    """What an OTLP receiver has understood."""

    port: int = 0
    mood: Mood = "well"
    spans: list[Span] = field(default_factory=list[Span])
    metrics: list[Metric] = field(default_factory=list[Metric])
    logs: list[LogRecord] = field(default_factory=list[LogRecord])
    resources: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    bodies: list[bytes] = field(default_factory=list[bytes])
    changed: threading.Condition = field(default_factory=threading.Condition)
    released: threading.Event = field(default_factory=threading.Event)
    """Ends the waiting of one that hangs."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, door: BaseHTTPRequestHandler, body: bytes) -> None:
        with self.changed:
            self.bodies.append(body)
            self.changed.notify_all()
        match self.mood:
            case "hangs":
                self.released.wait(WAIT_S)
                return
            case "garbage":
                reply(door, 200, "text/html", b"<h1>It works!</h1>" * 100)
                return
            case "busy":
                reply(door, 503, "text/plain", b"later")
                return
            case "well":
                pass
        with self.changed:
            answer = self._read(door.path, body)
            self.changed.notify_all()
        reply(door, 200, "application/x-protobuf", answer)

    def _read(self, path: str, body: bytes) -> bytes:
        match path:
            case "/v1/traces":
                traces = ExportTraceServiceRequest.FromString(body)
                for each in traces.resource_spans:
                    self.resources.append(plain(each.resource.attributes))
                    self.spans += [s for scope in each.scope_spans for s in scope.spans]
                return ExportTraceServiceResponse().SerializeToString()
            case "/v1/metrics":
                measured = ExportMetricsServiceRequest.FromString(body)
                for each in measured.resource_metrics:
                    self.metrics += [m for scope in each.scope_metrics for m in scope.metrics]
                return ExportMetricsServiceResponse().SerializeToString()
            case "/v1/logs":
                lines = ExportLogsServiceRequest.FromString(body)
                for each in lines.resource_logs:
                    self.logs += [r for scope in each.scope_logs for r in scope.log_records]
                return ExportLogsServiceResponse().SerializeToString()
            case _:
                raise AssertionError(f"nobody asks for {path}")

    def until(self, happened: Callable[[], object]) -> None:
        """Blocks: for a thread."""
        with self.changed:
            assert self.changed.wait_for(lambda: bool(happened()), WAIT_S), "it never came"

    def named(self, start: str) -> list[Span]:
        return [span for span in self.spans if span.name.startswith(start)]

    def points(self, metric: str) -> Iterator[tuple[dict[str, Any], float]]:
        """Attributes and newest value of each series: a sum, a gauge, a histogram's count."""
        newest: dict[str, tuple[dict[str, Any], float]] = {}
        for found in self.metrics:
            if found.name != metric:
                continue
            for point in (*found.sum.data_points, *found.gauge.data_points):
                about = plain(point.attributes)
                newest[repr(about)] = (about, point.as_int or point.as_double)
            for spread in found.histogram.data_points:
                about = plain(spread.attributes)
                newest[repr(about)] = (about, spread.count)
        yield from newest.values()

    def total(self, metric: str, **wanted: object) -> float:
        """Of the series with these attributes; dots are written `__`."""
        about = {name.replace("__", "."): value for name, value in wanted.items()}
        return sum(value for found, value in self.points(metric) if about.items() <= found.items())


@contextmanager
def collecting(mood: Mood = "well") -> Generator[Collector]:
    collector = Collector(mood=mood)
    with _served(collector.take) as port:
        collector.port = port
        try:
            yield collector
        finally:
            collector.released.set()


def plain(attributes: Any) -> dict[str, Any]:  # noqa: ANN401  (a repeated field of protobuf)
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:  # noqa: ANN401
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


@dataclass
class Insights:
    """What Application Insights has taken: from whoever showed a token for it, and nobody else."""

    accepts: Callable[[str], bool]
    """Whether a bearer token is one."""
    port: int = 0
    envelopes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refused: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    KEY: Final = "7d9f3c1a-0b52-4f0e-9a6d-1c2b3a4d5e6f"

    @property
    def connection_string(self) -> str:
        return (
            f"InstrumentationKey={self.KEY};IngestionEndpoint=https://127.0.0.1:{self.port}/;"
            f"LiveEndpoint=https://127.0.0.1:9/;ApplicationId={self.KEY}"
        )

    def take(self, door: BaseHTTPRequestHandler, body: bytes) -> None:
        scheme, _, token = door.headers.get("authorization", "").partition(" ")
        if door.path != "/v2.1/track":
            reply(door, 404, "text/plain", b"")
        elif scheme != "Bearer" or not self.accepts(token):
            with self.changed:
                self.refused += 1
                self.changed.notify_all()
            reply(door, 401, "application/json", b'{"itemsReceived":0,"itemsAccepted":0}')
        else:
            # As Breeze takes it: one envelope a line, or a list.
            text = body.decode().strip()
            came = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
            with self.changed:
                self.envelopes += [*came]
                count = len(self.envelopes)
                self.changed.notify_all()
            answer = f'{{"itemsReceived": {count}, "itemsAccepted": {count}, "errors": []}}'
            reply(door, 200, "application/json", answer.encode())

    def until(self, happened: Callable[[], object]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(happened()), WAIT_S), "it never came"

    def data(self, kind: str) -> list[dict[str, Any]]:
        """`RequestData`, `RemoteDependencyData`, `MetricData`, `MessageData`."""
        found = [each["data"] for each in self.envelopes]
        return [each["baseData"] for each in found if each["baseType"] == kind]


@contextmanager
def insights(tls: ssl.SSLContext, accepts: Callable[[str], bool]) -> Generator[Insights]:
    there = Insights(accepts)
    with _served(there.take, tls) as port:
        there.port = port
        yield there
