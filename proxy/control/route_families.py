"""What each route's totals are called in Prometheus; the empty route is what no route served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client.metrics_core import Metric

from proxy.control.families import counter, gauge, histogram
from proxy.plane.totals import BOUNDS, WAIT_BOUNDS, RouteTotals

Routes = Mapping[str, RouteTotals]


def of_routes(routes: Routes) -> Iterator[Metric]:
    """Every family of the data plane."""
    yield _by(routes, "requests", "Requests answered, by route and status.", "code", _answered)
    yield histogram(
        "request_duration_seconds",
        "From a request's head to the end of its answer.",
        "route",
        BOUNDS,
        ((label, one.buckets, one.seconds) for label, one in routes.items()),
    )
    for name, meaning, read in COUNTERS:
        samples = [((label,), read(totals)) for label, totals in routes.items()]
        yield counter(name, meaning, ("route",), samples)
    yield _by(
        routes,
        "proxy_errors",
        "Answers given by the sidecar itself or cut off, by RFC 9209 error type.",
        "error",
        lambda totals: totals.errors,
    )
    yield _by(
        routes,
        "refusals",
        "Requests that broke a rule or a limit of the sidecar, by reason.",
        "reason",
        lambda totals: totals.refusals,
    )
    yield from _waits(routes)


COUNTERS: Final[tuple[tuple[str, str, Callable[[RouteTotals], int]], ...]] = (
    ("request_bytes", "Bytes of request bodies.", lambda totals: totals.bytes_in),
    ("response_bytes", "Bytes of response bodies.", lambda totals: totals.bytes_out),
    ("replays", "Requests sent again after a 401.", lambda totals: totals.replays),
)


def _answered(totals: RouteTotals) -> Mapping[str, int]:
    return {str(status): count for status, count in totals.requests.items()}


def _waits(routes: Routes) -> Iterator[Metric]:
    waiting = [((label,), totals.waiting) for label, totals in routes.items()]
    yield gauge("requests_waiting", "Requests that wait for a token.", ("route",), waiting)
    yield histogram(
        "token_wait_seconds",
        "How long requests waited for a token, in vain or not; who waits not at all is not in it.",
        "route",
        WAIT_BOUNDS,
        ((label, one.wait_buckets, one.wait_seconds) for label, one in routes.items()),
    )


def _by(
    routes: Routes,
    name: str,
    meaning: str,
    label: str,
    read: Callable[[RouteTotals], Mapping[str, int]],
) -> Metric:
    """A counter with a second label, whose values ``read`` gives with their counts."""
    samples = [
        ((route, key), count)
        for route, totals in routes.items()
        for key, count in sorted(read(totals).items())
    ]
    return counter(name, meaning, ("route", label), samples)
