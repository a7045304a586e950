"""What forwards the requests, as the composition root sees it: one plane here, or workers.

A change comes in two steps, so that a configuration that can't be served changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from proxy.control.snapshot import Spans, WorkerStatus
from proxy.plane.totals import RouteTotals
from proxy.runtime.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Counts:
    """What was forwarded so far, and what is under way.

    Attributes:
        routes: route label → totals since the start.
        serving: whether requests can be taken now.
        workers: the processes that forward, where they are not this one.
        deaths: how often one of those ended unasked.
        spans: what became of those that were made elsewhere; None where nobody follows there.
    """

    routes: Mapping[str, RouteTotals]
    in_flight: int
    connections: int
    serving: bool = True
    workers: tuple[WorkerStatus, ...] = ()
    deaths: int = 0
    spans: Spans | None = None


class Forwarding(Protocol):
    """The data plane, wherever it runs."""

    async def propose(self, prepared: Prepared) -> None:
        """Bind what is new and make sure that it can be served; nothing changes yet.

        Raises:
            StartError: it can't be listened on, or a worker can't serve it.
        """

    async def change(self) -> None:
        """Serve what was proposed, from the next request on."""

    def withdraw(self) -> None:
        """Forget what was proposed."""

    def drain(self) -> None:
        """From now on every answer closes its connection."""

    async def stop_accepting(self) -> None:
        """Close the listening sockets; open connections go on."""

    async def finished(self, grace: float) -> bool:
        """Wait until nothing is under way, at most ``grace`` seconds; whether that was so."""

    async def close(self) -> None:
        """End everything."""

    async def count(self) -> None:
        """Bring ``counts`` up to the moment."""

    def counts(self) -> Counts:
        """What is known without waiting."""
