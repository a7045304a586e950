"""A collector that takes OTLP over HTTP and decodes it by OpenTelemetry's own protocol files."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SERVER, CLIENT, INTERNAL = (
    Span.SpanKind.SPAN_KIND_SERVER,
    Span.SpanKind.SPAN_KIND_CLIENT,
    Span.SpanKind.SPAN_KIND_INTERNAL,
)
ERROR = Status.StatusCode.STATUS_CODE_ERROR


@dataclass(frozen=True, slots=True)
class Told:
    """A span as it arrived, its values plain."""

    name: str
    kind: int
    trace: str
    span: str
    parent: str
    failed: bool
    seconds: float
    attributes: dict[str, object]
    resource: dict[str, object]
    flags: int


class Collector:
    """What arrived."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.url = ""

    def of_kind(self, kind: int) -> list[Told]:
        """The spans of one kind, in the order in which they began to arrive."""
        return [span for span in self.spans if span.kind == kind]

    def take(self, body: bytes) -> None:
        """Decode one request's body."""
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for part in request.resource_spans:
            resource = _plain(part.resource.attributes)
            for scope in part.scope_spans:
                self.spans += [_told(span, resource) for span in scope.spans]


def _told(span: Span, resource: dict[str, object]) -> Told:
    return Told(
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.status.code == ERROR,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        _plain(span.attributes),
        resource,
        span.flags,
    )


def _plain(attributes: object) -> dict[str, object]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value"))
        for one in attributes  # type: ignore[attr-defined]
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, as long as the block runs."""
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.headers.append(dict(self.headers))
            if collector.status == 200:
                collector.take(body)
            self.send_response(collector.status)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
