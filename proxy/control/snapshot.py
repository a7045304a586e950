"""One reading of the running sidecar: all that the control plane knows of it.

Frozen and free of secrets, so that whatever is made of it (JSON, metrics, an answer to a
probe) can't give one away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from proxy.plane.totals import RouteTotals
from proxy.tokens.status import CredentialStatus


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One of several processes that forward requests.

    Attributes:
        requests: how many it has answered since it started.
    """

    pid: int
    requests: int
    in_flight: int
    connections: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the process at one moment.

    Attributes:
        config: path of the configuration file.
        started: seconds since the epoch.
        draining: whether the process is on its way out.
        warnings: what works but should not stay, each with its place in the file.
        routes: route label → totals since the start; ``""`` for requests without a route.
        serving: whether anything is there to forward requests.
        workers: the processes that forward, where they are not this one.
        deaths: how many of those ended unasked.
    """

    version: str
    config: str
    started: float
    draining: bool
    warnings: tuple[str, ...]
    credentials: tuple[CredentialStatus, ...]
    routes: Mapping[str, RouteTotals]
    in_flight: int
    connections: int
    serving: bool = True
    workers: tuple[WorkerStatus, ...] = ()
    deaths: int = 0

    @property
    def waiting(self) -> tuple[str, ...]:
        """Required credentials that have had no token yet."""
        return tuple(one.name for one in self.credentials if one.required and not one.ready)

    @property
    def store_fault(self) -> str | None:
        """What is wrong with where tokens are kept; None where nothing is."""
        faults = (one.store_fault for one in self.credentials)
        return next((fault for fault in faults if fault is not None), None)

    @property
    def ready(self) -> bool:
        """Whether traffic should be sent here."""
        return self.serving and not self.draining and not self.waiting


Read = Callable[[], Snapshot]
"""The port to the running sidecar."""

Count = Callable[[], Awaitable[None]]
"""Has the totals in the next reading brought up to the moment."""
