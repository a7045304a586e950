"""What the soak's clients saw: outcomes by case, bytes, and what should not have been."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from bench.soak.plan import NAMED, Plan

MOST_TOLD = 50


@dataclass(slots=True)
class Tally:
    """Grows with every request.

    Attributes:
        outcomes: case → outcome → how often.
        ended: request → its outcome.
        wrong: what was not allowed, in words.
        up, down: bytes of bodies that were compared.
        longest: case → seconds of its slowest good answer.
        troubles: path → spans in which its trouble was provoked or may linger.
    """

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    ended: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    up: int = 0
    down: int = 0
    longest: dict[str, float] = field(default_factory=dict)
    troubles: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def provoke(self, path: str, seconds: float, linger: float) -> None:
        """From now on, so long, requests to ``path`` may come to grief."""
        now = time.monotonic()
        self.troubles.setdefault(path, []).append((now, now + seconds + linger))

    def enter(self, plan: Plan, outcome: str, begun: float) -> None:
        """A request has ended so."""
        took = time.monotonic() - begun
        self.outcomes.setdefault(plan.case, Counter())[outcome.partition(":")[0]] += 1
        self.ended[plan.number] = outcome
        if outcome == "ok":
            self.up, self.down = self.up + plan.up[1], self.down + plan.down[1]
            self.longest[plan.case] = max(self.longest.get(plan.case, 0.0), took)
        if not self._allowed(plan, outcome, begun) and len(self.wrong) < MOST_TOLD:
            self.wrong.append(f"{outcome} after {took:.2f} s ({plan})")

    def _allowed(self, plan: Plan, outcome: str, begun: float) -> bool:
        case = NAMED[plan.case]
        if outcome in case.outcomes:
            return True
        now, spans = time.monotonic(), self.troubles.get(plan.path, [])
        return outcome in case.trouble and any(a <= now and begun <= b for a, b in spans)
