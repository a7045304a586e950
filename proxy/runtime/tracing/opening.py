"""A tracer as the configuration and the ``OTEL_*`` variables want it, and what follows by it.

What the file says comes first; all that it leaves out is OpenTelemetry's own to read: endpoint,
headers, certificates, time-outs, sampler, resource, batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from proxy.config.model import Tracing
from proxy.control.snapshot import Spans
from proxy.message import origin
from proxy.runtime.tracing.export import Exporting
from proxy.runtime.tracing.requests import RequestSpans
from proxy.runtime.tracing.tokens import TokenSpans
from proxy.version import VERSION

SERVICE: Final = "token-sidecar"
COLLECTOR: Final = "http://localhost:4318"
Tell = Callable[[str], None]


class Following:
    """Everything that follows by one tracer.

    Attributes:
        requests: for the plane.
        tokens: for what asks for tokens.
    """

    def __init__(self, provider: TracerProvider, exporting: Exporting | None) -> None:
        tracer = provider.get_tracer(SERVICE, VERSION)
        self._exporting = exporting
        self.requests = RequestSpans(tracer)
        self.tokens = TokenSpans(tracer)

    def spans(self) -> Spans:
        """What became of the spans so far."""
        if self._exporting is None:
            return Spans()
        return Spans(self._exporting.exported, self._exporting.lost)

    def close(self) -> None:
        """Export the last spans, waiting a moment for it: not in the event loop."""
        if self._exporting is not None:
            self._exporting.shutdown()


def followed(tracing: Tracing, environ: Mapping[str, str], tell: Tell) -> Following | None:
    """What follows; None where ``OTEL_SDK_DISABLED`` forbids it.

    Args:
        tracing: what the file says.
        environ: the environment variables; OpenTelemetry reads them from the process itself.
        tell: is told, in a thread, that spans are lost, and that they are no longer.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we tell it, once
    sample = tracing.sample
    provider = TracerProvider(
        resource=Resource.create(_resource(tracing, environ)),
        sampler=None if sample is None else ParentBasedTraceIdRatio(sample),
        shutdown_on_exit=False,
    )
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return Following(provider, None)
    exporting = Exporting(
        OTLPSpanExporter(endpoint=tracing.endpoint),
        _teller(tell, tracing, environ),
        most=_number(environ, "OTEL_BSP_MAX_QUEUE_SIZE", 2048),
        at_once=_number(environ, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
        every=_number(environ, "OTEL_BSP_SCHEDULE_DELAY", 5000) / 1000,
    )
    provider.add_span_processor(exporting)
    return Following(provider, exporting)


def _resource(tracing: Tracing, environ: Mapping[str, str]) -> dict[str, str]:
    told = {"service.version": VERSION}
    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    if tracing.service is not None or not named:
        told["service.name"] = tracing.service or SERVICE
    return told


def _teller(tell: Tell, tracing: Tracing, environ: Mapping[str, str]) -> Callable[[bool], None]:
    said = (
        tracing.endpoint
        or environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        or COLLECTOR
    )
    place = origin(said)

    def told(arrives: bool) -> None:
        if arrives:
            tell(f"{place} takes spans again")
        else:
            tell(f"{place} does not take spans: they are lost until it does; requests go on")

    return told


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above 0 from the environment; anything else is as if it were not there."""
    said = environ.get(name, "").strip()
    return int(said) if said.isdigit() and int(said) > 0 else default
