"""What each route's totals are called in Prometheus; the empty route is what no route served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client.metrics_core import Metric

from proxy.control.families import counter, gauge, histogram
from proxy.plane.totals import BOUNDS, WAIT_BOUNDS, RouteTotals

Routes = Mapping[str, RouteTotals]
NONE: Final = ""
"""The label of requests that no route served."""
AT_THE_DOOR: Final = ("client_key", "connections", "host", "origin", "peer")
INSIDE: Final = ("in_flight",)
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})
BUGS: Final = ("proxy_internal_error",)
"""What an alert looks for is told as 0 before it happens: who begins at 1 has not risen."""


def of_routes(served: Routes) -> Iterator[Metric]:
    """Every family of the data plane."""
    routes = {NONE: RouteTotals(), **served}
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
        lambda totals: dict.fromkeys(BUGS, 0) | totals.errors,
    )
    yield _by(
        routes,
        "refusals",
        "Requests that broke a rule or a limit of the sidecar, by reason.",
        "reason",
        lambda totals: dict.fromkeys(INSIDE, 0) | totals.refusals,
        at_the_door=dict.fromkeys(AT_THE_DOOR, 0),
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
    at_the_door: Mapping[str, int] = NOTHING,
) -> Metric:
    """A counter with a second label, whose values ``read`` gives with their counts."""
    samples = [
        ((route, key), count)
        for route, totals in routes.items()
        for key, count in sorted(_with(at_the_door, route, read(totals)).items())
    ]
    return counter(name, meaning, ("route", label), samples)


def _with(
    at_the_door: Mapping[str, int], route: str, found: Mapping[str, int]
) -> Mapping[str, int]:
    return found if route else {**at_the_door, **found}
