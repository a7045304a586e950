"""Requests as spans: one of a server, and below it one of a client for each time it is sent on.

Follows OpenTelemetry's semantic conventions for HTTP. Paths are told, queries, headers, bodies and
credentials never.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from proxy.plane.prepare import Prepared
from proxy.plane.settings import Route, Upstream
from proxy.plane.totals import AccessRecord
from proxy.plane.trace_context import Parent, parent_in, with_parent

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
Attributes = dict[str, str | int]


class RequestSpans:
    """The plane's port to the tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, prepared: Prepared, route: Route, *, secure: bool) -> RequestSpan:
        """A request has come."""
        parent = parent_in(prepared.before + prepared.after)
        method, told = named(prepared.method.decode("ascii"))
        sent_to = prepared.target.partition(b"?")[0].decode("latin-1")
        span = self._tracer.start_span(
            f"{method} {route.path}",
            asked_by(parent),
            SpanKind.SERVER,
            attributes={
                **told,
                "url.scheme": "https" if secure else "http",
                "url.path": route.path + sent_to[len(route.upstream_path) :],
                "http.route": route.path,
                "network.protocol.version": f"1.{prepared.minor}",
            },
        )
        below = {**told, **destination(route.upstream, sent_to)}
        return RequestSpan(self._tracer, span, method, below, joined=parent is not None)


class RequestSpan:
    """One request's spans."""

    __slots__ = (
        "_answered",
        "_below",
        "_client",
        "_joined",
        "_method",
        "_server",
        "_times",
        "_tracer",
    )

    def __init__(
        self, tracer: Tracer, server: Span, method: str, below: Attributes, *, joined: bool
    ) -> None:
        self._tracer = tracer
        self._server = server
        self._method = method
        self._below = below
        self._joined = joined
        self._client: Span | None = None
        self._answered = False
        self._times = 0

    def sent(self, message: bytes) -> bytes:
        """The message with our span as its parent."""
        self._end_client(None if self._answered else "connection_terminated")
        again: Attributes = {"http.request.resend_count": self._times} if self._times else {}
        client = self._client = self._tracer.start_span(
            self._method,
            set_span_in_context(self._server, Context()),
            SpanKind.CLIENT,
            attributes=self._below | again,
        )
        self._answered = False
        self._times += 1
        return with_parent(message, traceparent(client), joined=self._joined)

    def answered(self, status: int) -> None:
        """The upstream's answer begins."""
        if self._client is not None:
            self._answered = True
            _status(self._client, status, failed=status >= 400)

    def finished(self, record: AccessRecord) -> None:
        """The exchange is over."""
        self._end_client(record.error)
        server = self._server
        if server.is_recording():
            server.set_attributes(_of(record))
            if record.error is not None:
                server.set_attribute("error.type", record.error)
            if record.status:
                server.set_attribute("http.response.status_code", record.status)
            if record.status >= 500 or not record.status:
                server.set_status(Status(StatusCode.ERROR))
                if record.error is None:
                    server.set_attribute("error.type", str(record.status))
        server.end()

    def _end_client(self, error: str | None) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if error is not None or not self._answered:
            client.set_status(Status(StatusCode.ERROR))
            client.set_attribute("error.type", error or "_OTHER")
        client.end()


def named(method: str) -> tuple[str, Attributes]:
    """What a span is called by its method, and what it tells of it."""
    if method in METHODS:
        return method, {"http.request.method": method}
    return "HTTP", {"http.request.method": "_OTHER", "http.request.method_original": method}


def asked_by(parent: Parent | None) -> Context:
    """Where a span stands that this parent asked for; None: at the beginning of a trace."""
    if parent is None:
        return Context()
    trace, span = int(parent.trace, 16), int(parent.span, 16)
    known = SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(parent.flags))
    return set_span_in_context(NonRecordingSpan(known), Context())


def traceparent(span: Span) -> bytes:
    """The span's name in a request that it sends."""
    known = span.get_span_context()
    return b"00-%032x-%016x-%02x" % (known.trace_id, known.span_id, known.trace_flags)


def destination(upstream: Upstream, path: str) -> Attributes:
    """Where a request goes, without its query."""
    scheme = "http" if upstream.tls is None else "https"
    return {
        "server.address": upstream.host,
        "server.port": upstream.port,
        "url.full": f"{scheme}://{upstream.authority}{path}",
        "network.protocol.version": "1.1",
    }


def _of(record: AccessRecord) -> Attributes:
    told: Attributes = {
        "http.request.body.size": record.bytes_in,
        "http.response.body.size": record.bytes_out,
    }
    if record.credential is not None:
        told["token_sidecar.credential"] = record.credential
    if record.generation is not None:
        told["token_sidecar.token.generation"] = record.generation
    if record.client is not None:
        told["token_sidecar.client"] = record.client
    return told


def _status(span: Span, status: int, *, failed: bool) -> None:
    span.set_attribute("http.response.status_code", status)
    if failed:
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", str(status))
