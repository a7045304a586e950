"""Spans for an OpenTelemetry collector: the extra ``otel``, imported only with ``tracing`` on."""
