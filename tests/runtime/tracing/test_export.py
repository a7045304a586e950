"""A collector that is away, slow or refuses: what is lost is counted, and nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from proxy.config.model import Tracing
from proxy.runtime.tracing.export import Exporting
from proxy.runtime.tracing.opening import followed
from tests.support.collector import collecting
from tests.support.process import free_port

DEADLINE = 20.0


class Gate(SpanExporter):
    """Takes a batch when it is let; says what it was told to say."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.taken = 0
        self.say: SpanExportResult | Exception = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        assert self.let.wait(DEADLINE)
        self.taken += len(spans)
        if isinstance(self.say, Exception):
            raise self.say
        return self.say

    def shutdown(self) -> None:
        self.let.set()


def spans(exporting: Exporting, count: int) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(exporting)
    tracer = provider.get_tracer("test")
    for number in range(count):
        tracer.start_span(str(number)).end()


def until(condition: object) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_finds_no_room_is_lost_at_once_and_counted() -> None:
    gate = Gate()
    exporting = Exporting(gate, lambda _: None, most=10, at_once=5, every=60)
    spans(exporting, 5)
    until(lambda: not exporting._waiting)
    begun = time.monotonic()
    spans(exporting, 30)
    assert time.monotonic() - begun < 1
    assert exporting.lost == 20
    gate.let.set()
    until(lambda: exporting.exported == 15)
    exporting.shutdown()
    assert (exporting.exported, exporting.lost) == (15, 20)


def test_what_is_refused_is_lost_and_told_once_and_that_it_is_over_once() -> None:
    gate, told = Gate(), []
    gate.let.set()
    exporting = Exporting(gate, told.append, at_once=1, every=0.01)
    gate.say = SpanExportResult.FAILURE
    spans(exporting, 3)
    until(lambda: exporting.lost == 3)
    gate.say = OSError("no")
    spans(exporting, 2)
    until(lambda: exporting.lost == 5)
    assert told == [False]
    gate.say = SpanExportResult.SUCCESS
    spans(exporting, 4)
    until(lambda: exporting.exported == 4)
    assert told == [False, True]
    exporting.shutdown()


def test_the_last_spans_are_exported_when_everything_ends() -> None:
    gate = Gate()
    gate.let.set()
    exporting = Exporting(gate, lambda _: None, every=60)
    spans(exporting, 3)
    exporting.shutdown()
    assert gate.taken == exporting.exported == 3


def test_an_exporter_that_hangs_does_not_hold_up_the_end() -> None:
    exporting = Exporting(Gate(), lambda _: None, at_once=1, every=60)
    spans(exporting, 2)
    begun = time.monotonic()
    exporting.shutdown()
    assert time.monotonic() - begun < 5


def test_a_collector_that_is_not_there_is_named_and_its_spans_are_lost() -> None:
    told: list[str] = []
    url = f"http://user:s3cret@127.0.0.1:{free_port()}/v1/traces"
    environ = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}
    following = followed(Tracing(url), environ, told.append)
    assert following is not None
    following.tokens._tracer.start_span("x").end()
    begun = time.monotonic()
    following.close()
    assert time.monotonic() - begun < 5
    until(lambda: following.spans().lost == 1)
    assert [line.partition(" does not")[0] for line in told] == [url[:7] + url[19:-10]]
    assert "s3cret" not in told[0]


def test_the_environments_word_counts_where_the_file_says_nothing(monkeypatch: object) -> None:
    with collecting() as collector:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1/traces"),
            "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "theirs",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)  # type: ignore[attr-defined]
        following = followed(Tracing(), environ, lambda _: None)
        assert following is not None
        following.tokens._tracer.start_span("x").end()
        following.close()
    (span,) = collector.spans
    assert span.resource["service.name"] == "theirs"
    assert span.resource["deployment.environment"] == "test"
    assert collector.headers[0]["x-tenant"] == "blue"
    assert collector.headers[0]["Content-Encoding"] == "gzip"


def test_the_environment_can_forbid_it() -> None:
    assert followed(Tracing(), {"OTEL_SDK_DISABLED": "true"}, lambda _: None) is None


def test_without_an_exporter_traces_are_passed_on_and_nothing_is_kept() -> None:
    following = followed(Tracing(), {"OTEL_TRACES_EXPORTER": "none"}, lambda _: None)
    assert following is not None
    following.tokens._tracer.start_span("x").end()
    assert (following.spans().exported, following.spans().lost) == (0, 0)
    following.close()
