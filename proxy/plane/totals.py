"""What the data plane counts, and what it tells about each exchange.

Plain numbers, cheap to add to and read when somebody asks; how they are shown is the
control plane's. Nothing here holds a path, a query string or a header.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Protocol

BOUNDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""Upper bounds of the duration buckets in seconds; a last bucket takes the rest."""

WAIT_BOUNDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The same of the waits for a token, which ``hold`` bounds."""


@dataclass(slots=True)  # not frozen: one is made for every request, and that costs 2 µs more
class AccessRecord:
    """One finished exchange.

    Attributes:
        route: the route's label, None where no route served it.
        status: what the client got; 0 where it left before an answer.
        bytes_in, bytes_out: of the request's and the response's body.
        seconds: from the complete request head to the end.
        error: RFC 9209 error type where the sidecar had to say no or cut off.
        instance: names the problem document that the client got, if it got one.
        request_id: what the client calls it, if it does.
    """

    method: str
    route: str | None
    status: int
    bytes_in: int
    bytes_out: int
    seconds: float
    client: str | None = None
    credential: str | None = None
    generation: int | None = None
    error: str | None = None
    instance: str | None = None
    replayed: bool = False
    request_id: str | None = None


class Observer(Protocol):
    """Is told of every finished exchange, in the event loop: it must be quick."""

    def finished(self, record: AccessRecord) -> None:
        """One exchange is over."""


class RouteTotals:
    """Sums over one route since the process started.

    Attributes:
        refusals: requests that broke a rule or a limit here, by reason.
        waiting: requests that wait for a token now.
        wait_buckets, wait_seconds: of those that have waited.
    """

    __slots__ = (
        "buckets",
        "bytes_in",
        "bytes_out",
        "errors",
        "in_flight",
        "refusals",
        "replays",
        "requests",
        "seconds",
        "wait_buckets",
        "wait_seconds",
        "waiting",
    )

    def __init__(self) -> None:
        self.requests: dict[int, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.bytes_in = 0
        self.bytes_out = 0
        self.in_flight = 0
        self.replays = 0
        self.errors: dict[str, int] = {}
        self.refusals: dict[str, int] = {}
        self.waiting = 0
        self.wait_buckets = [0] * (len(WAIT_BOUNDS) + 1)
        self.wait_seconds = 0.0

    def add(self, record: AccessRecord) -> None:
        """Count one finished exchange."""
        status, seconds = record.status, record.seconds
        self.requests[status] = self.requests.get(status, 0) + 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
        self.bytes_in += record.bytes_in
        self.bytes_out += record.bytes_out
        self.replays += record.replayed
        if record.error:
            self.errors[record.error] = self.errors.get(record.error, 0) + 1

    def refuse(self, reason: str) -> None:
        """Count one request that broke a rule or a limit here; an empty reason is none."""
        if reason:
            self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def waited(self, seconds: float) -> None:
        """Count one wait for a token that is over, whatever came of it."""
        self.wait_buckets[bisect_left(WAIT_BOUNDS, seconds)] += 1
        self.wait_seconds += seconds
