"""The snapshot in Prometheus' words: base units, ``_total`` for counters, few labels.

Nothing is counted here, and no registry outlives an answer: totals live where they arise and
are read when somebody asks. Neither exemplars nor ``_created`` series are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from proxy.control.credential_families import of_credentials
from proxy.control.families import counter, gauge, value
from proxy.control.route_families import of_routes
from proxy.control.snapshot import Reloads, SecretStatus, Snapshot, Spans


def exposition(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The whole page and its content type, in the format that ``accept`` asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Reading(snapshot))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class Reading:
    """A collector that hands over one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        """Every family, the process's own first."""
        yield from _process(self._snapshot)
        yield from of_routes(self._snapshot.routes)
        yield from of_credentials(self._snapshot.credentials)
        if self._snapshot.reloads is not None:
            yield from _reloads(self._snapshot.reloads)
        yield from _secrets(self._snapshot.secrets)
        if self._snapshot.spans is not None:
            yield _spans(self._snapshot.spans)


def _process(snapshot: Snapshot) -> Iterator[Metric]:
    build = [((snapshot.version,), 1.0)]
    yield gauge("build_info", "The version that runs, as a label.", ("version",), build)
    for name, meaning, now in (
        ("ready", "1 if traffic should be sent here.", snapshot.ready),
        ("store_up", "1 if tokens can be shared and kept.", snapshot.store_fault is None),
        ("draining", "1 while the process is on its way out.", snapshot.draining),
        ("requests_in_flight", "Requests being forwarded.", snapshot.in_flight),
        ("connections", "Open client connections of the data plane.", snapshot.connections),
        (
            "config_warnings",
            "Settings that work but should not stay, such as verify: false.",
            len(snapshot.warnings),
        ),
    ):
        yield value(name, meaning, now)
    for name, meaning, most in (
        ("requests_in_flight_limit", "limits.in_flight of the file.", snapshot.most_in_flight),
        ("connections_limit", "limits.connections of the file.", snapshot.most_connections),
    ):
        if most is not None:
            yield value(name, meaning, most)
    if snapshot.workers or snapshot.deaths:
        yield value("workers", "Processes that forward requests.", len(snapshot.workers))
        died = [((), snapshot.deaths)]
        yield counter("worker_deaths", "Workers that ended unasked.", (), died)


def _reloads(reloads: Reloads) -> Iterator[Metric]:
    yield counter(
        "config_reloads",
        "Configurations that were read again, by what became of them.",
        ("result",),
        [(("applied",), reloads.applied), (("refused",), reloads.refused)],
    )
    yield value(
        "config_last_reload_successful",
        "1 unless the file as it is now was refused.",
        reloads.last_ok,
    )
    if reloads.last_success is not None:
        yield value(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration was put to work last, since the epoch.",
            reloads.last_success,
        )


def _secrets(secrets: Iterable[SecretStatus]) -> Iterator[Metric]:
    labels = ("secret", "kind")
    known = [((one.place, one.kind), one) for one in secrets]
    if not known:
        return
    yield gauge(
        "secret_up",
        "1 if the secret could be read when it was last looked for.",
        labels,
        [(named, one.fault is None) for named, one in known],
    )
    yield counter(
        "secret_changes",
        "Values that took the place of another.",
        labels,
        [(named, one.changes) for named, one in known],
    )
    yield counter(
        "secret_read_failures",
        "Looks for the secret that found nothing to use.",
        labels,
        [(named, one.failures) for named, one in known],
    )


def _spans(spans: Spans) -> Metric:
    return counter(
        "trace_spans",
        "Spans for the collector, by what became of them.",
        ("result",),
        [(("exported",), spans.exported), (("lost",), spans.lost)],
    )
