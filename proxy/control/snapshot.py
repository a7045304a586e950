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
class Reloads:
    """What became of the file since the start.

    Attributes:
        last_ok: the file as it was read last is at work.
        last_success: when one was put to work last, in seconds since the epoch.
        problems: why the last one was refused; empty where it was not.
    """

    applied: int = 0
    refused: int = 0
    last_ok: bool = True
    last_success: float | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretStatus:
    """One place where a secret is kept; never what is in it.

    Attributes:
        place: where, in words.
        kind: ``env``, ``file``, ``keyring`` and so on.
        credentials: those that use it, by name.
        changes: how often another value took the place of one.
        failures: how often nothing to use was found there.
        fault: why not, at the last look; None where it was there.
        changed_at: when the value changed last, in seconds since the epoch.
    """

    place: str
    kind: str
    credentials: tuple[str, ...] = ()
    changes: int = 0
    failures: int = 0
    fault: str | None = None
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Spans:
    """What became of the spans that were made for a collector."""

    exported: int = 0
    lost: int = 0


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
        most_in_flight, most_connections: the limits that the file sets.
        reloads: None where nothing can be read again.
        secrets: every place that a secret comes from.
        spans: None where nothing is traced.
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
    most_in_flight: int | None = None
    most_connections: int | None = None
    reloads: Reloads | None = None
    secrets: tuple[SecretStatus, ...] = ()
    spans: Spans | None = None

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
