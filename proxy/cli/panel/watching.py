"""Asks a running sidecar how it is, again and again, and remembers what came of it.

Decides when nobody is there; what is shown of it is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.cli.panel.lately import Lately, Status
from proxy.client.running import NobodyThereError, RunningSidecar
from proxy.clock import Clock, Moment


class Watching:
    """One sidecar, watched.

    Attributes:
        status: what it said last; None: nothing yet.
        told: when that was.
        lost: since when nobody answers; None: somebody does.
        lately: how busy its routes were.
    """

    def __init__(self, sidecar: RunningSidecar, clock: Clock) -> None:
        self._sidecar = sidecar
        self._clock = clock
        self.status: Status | None = None
        self.told: Moment = clock.now()
        self.lost: Moment | None = None
        self.lately = Lately()

    def look(self) -> None:
        """Ask once.

        Raises:
            NobodyThereError: nobody has answered yet, or somebody who is no sidecar.
        """
        try:
            status = self._asked()
        except NobodyThereError:
            if self.status is None:
                raise
            self.lost = self.lost or self._clock.now()
            return
        self.status, self.told, self.lost = status, self._clock.now(), None
        self.lately.learn(status, self.told.monotonic)

    def _asked(self) -> Status:
        status = self._sidecar.status()
        if "verdict" not in status:
            raise NobodyThereError("what answers there is no sidecar of this version")
        return status

    def said(self) -> dict[str, Any]:
        """One look for programs: what the sidecar said, and what that means for each route."""
        if self.status is None or self.lost is not None:
            return {"connected": False}
        return {"connected": True, **self.status, "lately": self._routes()}

    def _routes(self) -> Mapping[str, Any]:
        return {
            label: {
                "rate": round(self.lately.rate(label), 3),
                "p50": _finite(self.lately.quantile(0.5, label)),
                "p99": _finite(self.lately.quantile(0.99, label)),
                "failed": self.lately.failed(label),
            }
            for label in self.lately.labels()
        }


def _finite(seconds: float | None) -> float | None:
    """JSON knows no infinity: beyond the last bucket nothing is known but that."""
    return None if seconds is None or seconds == float("inf") else round(seconds, 6)
