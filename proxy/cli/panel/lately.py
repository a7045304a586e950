"""How busy each route was lately, from totals that only grow: differences between two looks.

Times are estimated by straight lines inside the buckets, as Prometheus makes them.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

WINDOW: Final = 10.0
"""Seconds over which rates and times are judged."""
MINUTE: Final = 60.0
"""Seconds after which a failed request is no trouble any more."""
BOUNDS: Final = (0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

Status = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What one look brought for one route, ``took`` seconds after the one before."""

    at: float
    took: float
    requests: int
    failed: int
    buckets: Mapping[float, int]


@dataclass(slots=True)
class Lately:
    """The last minute of every route; ``at`` is when the last look was, in monotonic seconds."""

    at: float | None = None
    _before: Mapping[str, Status] = field(default_factory=dict)
    _steps: dict[str, deque[Step]] = field(default_factory=dict)

    def learn(self, status: Status, at: float) -> None:
        """Take another look in."""
        routes: Mapping[str, Status] = status["routes"]
        meanings = status.get("error_meanings", {})
        if self.at is not None:
            took = max(0.05, at - self.at)
            for label, said in routes.items():
                before = self._before.get(label, {})
                step = _step(said, before, at, took, meanings)
                self._steps.setdefault(label, deque()).append(step)
        self._steps = {label: steps for label, steps in self._steps.items() if label in routes}
        for steps in self._steps.values():
            while steps and at - steps[0].at > MINUTE:
                steps.popleft()
        self._before, self.at = routes, at

    def rate(self, label: str) -> float:
        """Requests a second."""
        steps = self._window(label)
        return sum(one.requests for one in steps) / max(sum(one.took for one in steps), 0.05)

    def rates(self, label: str) -> list[float]:
        """The same at each look, the oldest first."""
        return [one.requests / one.took for one in self._steps.get(label, ())]

    def failed(self, label: str) -> int:
        """Requests that failed here within a minute."""
        return sum(one.failed for one in self._steps.get(label, ()))

    def quantile(self, wanted: float, *labels: str) -> float | None:
        """Seconds that this share of the answers took at most; None where there was none."""
        counts: Counter[float] = Counter()
        for label in labels:
            for one in self._window(label):
                counts.update(one.buckets)
        return quantile(wanted, counts)

    def labels(self) -> Iterable[str]:
        """Every route."""
        return self._before

    def _window(self, label: str) -> list[Step]:
        at = self.at or 0.0
        return [one for one in self._steps.get(label, ()) if at - one.at < WINDOW]


def _step(
    said: Status, before: Status, at: float, took: float, meanings: Mapping[str, Status]
) -> Step:
    requests = _total(said) - _total(before)
    if requests < 0:  # the process began anew
        return Step(at, took, 0, 0, {})
    failed = max(0, _failures(said, meanings) - _failures(before, meanings))
    earlier = before.get("latency", {})
    more = {
        math.inf if key == "+Inf" else float(key): count - earlier.get(key, 0)
        for key, count in said["latency"].items()
    }
    return Step(
        at, took, requests, failed, {bound: count for bound, count in more.items() if count > 0}
    )


def _total(said: Status) -> int:
    return sum(said.get("requests", {}).values())


def _failures(said: Status, meanings: Mapping[str, Status]) -> int:
    """Those that are not the client's own doing."""
    errors: Mapping[str, int] = said.get("errors", {})
    return sum(count for kind, count in errors.items() if not meanings.get(kind, {}).get("client"))


def quantile(wanted: float, counts: Mapping[float, int]) -> float | None:
    """Where this share of what the buckets hold ends."""
    total, before = sum(counts.values()), 0
    for bound, count in sorted(counts.items()):
        if before + count >= wanted * total:
            if math.isinf(bound):
                return bound
            start = max((one for one in BOUNDS if one < bound), default=0)
            return start + (bound - start) * (wanted * total - before) / count
        before += count
    return None
