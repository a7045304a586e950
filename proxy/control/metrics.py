"""The snapshot in Prometheus' words: base units, ``_total`` for counters, few labels.

Nothing is counted here, and no registry outlives an answer: totals live where they arise and
are read when somebody asks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from proxy.control.snapshot import Snapshot
from proxy.plane.totals import BOUNDS, RouteTotals
from proxy.tokens.status import CredentialStatus

PREFIX = "token_sidecar_"
Sample = tuple[Sequence[str], float]


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
        yield from _routes(self._snapshot.routes)
        yield from _credentials(self._snapshot.credentials)


def _process(snapshot: Snapshot) -> Iterator[Metric]:
    build = [((snapshot.version,), 1.0)]
    yield _gauge("build_info", "The version that runs, as a label.", ("version",), build)
    for name, meaning, value in (
        ("ready", "1 if traffic should be sent here.", snapshot.ready),
        ("store_up", "1 if tokens can be shared and kept.", snapshot.store_fault is None),
        ("draining", "1 while the process is on its way out.", snapshot.draining),
        ("requests_in_flight", "Requests being forwarded.", snapshot.in_flight),
        ("connections", "Open client connections of the data plane.", snapshot.connections),
    ):
        yield _gauge(name, meaning, (), [((), float(value))])
    if snapshot.workers or snapshot.deaths:
        workers = float(len(snapshot.workers))
        yield _gauge("workers", "Processes that forward requests.", (), [((), workers)])
        died = float(snapshot.deaths)
        yield _counter("worker_deaths", "Workers that ended unasked.", (), [((), died)])


def _routes(routes: Mapping[str, RouteTotals]) -> Iterator[Metric]:
    yield _counter(
        "requests",
        "Requests answered, by route and status.",
        ("route", "code"),
        [
            ((label, str(status)), float(count))
            for label, totals in routes.items()
            for status, count in sorted(totals.requests.items())
        ],
    )
    yield _durations(routes)
    for name, meaning, read in _ROUTE_COUNTERS:
        samples = [((label,), float(read(totals))) for label, totals in routes.items()]
        yield _counter(name, meaning, ("route",), samples)
    yield _counter(
        "proxy_errors",
        "Answers given by the sidecar itself or cut off, by RFC 9209 error type.",
        ("route", "error"),
        [
            ((label, error), float(count))
            for label, totals in routes.items()
            for error, count in sorted(totals.errors.items())
        ],
    )


_ROUTE_COUNTERS: tuple[tuple[str, str, Callable[[RouteTotals], int]], ...] = (
    ("request_bytes", "Bytes of request bodies.", lambda totals: totals.bytes_in),
    ("response_bytes", "Bytes of response bodies.", lambda totals: totals.bytes_out),
    ("replays", "Requests sent again after a 401.", lambda totals: totals.replays),
)


def _durations(routes: Mapping[str, RouteTotals]) -> Metric:
    family = HistogramMetricFamily(
        f"{PREFIX}request_duration_seconds",
        "From a request's head to the end of its answer.",
        labels=("route",),
    )
    bounds = [*(str(float(bound)) for bound in BOUNDS), "+Inf"]
    for label, totals in routes.items():
        cumulative = itertools.accumulate(totals.buckets)
        family.add_metric((label,), list(zip(bounds, cumulative, strict=True)), totals.seconds)
    return family


def _credentials(credentials: Sequence[CredentialStatus]) -> Iterator[Metric]:
    for name, meaning, count in _CREDENTIAL_COUNTERS:
        samples = [((one.name,), float(count(one))) for one in credentials]
        yield _counter(name, meaning, ("credential",), samples)
    yield _counter(
        "token_failures",
        "Token requests that brought no usable token, by reason.",
        ("credential", "reason"),
        [
            ((one.name, reason), float(count))
            for one in credentials
            for reason, count in sorted(one.failures.items())
        ],
    )
    for name, meaning, read in _CREDENTIAL_GAUGES:
        values = ((one.name, read(one)) for one in credentials)
        known = [((label,), float(value)) for label, value in values if value is not None]
        yield _gauge(name, meaning, ("credential",), known)
    states = [((one.name, one.state), 1.0) for one in credentials]
    yield _gauge("credential_state", "1 for its state.", ("credential", "state"), states)


_CREDENTIAL_COUNTERS: tuple[tuple[str, str, Callable[[CredentialStatus], int]], ...] = (
    ("token_requests", "Token requests sent to the provider.", lambda one: one.token_requests),
    ("token_renewals", "Token requests that brought a token.", lambda one: one.renewals),
    ("token_rejections", "Tokens that an upstream's 401 rejected.", lambda one: one.rejections),
)

_CREDENTIAL_GAUGES: tuple[tuple[str, str, Callable[[CredentialStatus], float | None]], ...] = (
    ("credential_ready", "1 once there has been a token.", lambda one: one.ready),
    ("token_expiry_seconds", "Seconds until it expires.", lambda one: one.expires_in_seconds),
    ("credential_callers", "Callers with a token of their own.", lambda one: one.callers),
    (
        "token_next_renewal_seconds",
        "Seconds until it is renewed.",
        lambda one: one.next_renewal_in_seconds,
    ),
)


def _gauge(name: str, meaning: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, meaning: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
