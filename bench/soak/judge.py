"""Which tokens the soak's upstream believes in: issued, for this request, and not ended.

Strict to the millisecond, but for what this program's own event loop was late by: so long a token
may have waited in its socket.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.soak.plan import Plan
from bench.soak.requests import Head
from bench.soak.tokens import read

LATELY = 3.0
TICK = 0.01


class Lag:
    """How late this program's own event loop was lately."""

    def __init__(self) -> None:
        self._pauses: list[tuple[float, float]] = []

    async def watch(self) -> None:
        """Measure for ever."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            after = time.monotonic()
            self._pauses = [each for each in self._pauses if each[0] > after - LATELY]
            self._pauses.append((after, after - before - TICK))

    def longest(self) -> float:
        """Seconds, of the last three."""
        return max((pause for _, pause in self._pauses), default=0.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request has to be answered with a 401; ``wrong`` is what must never happen."""

    refused: bool
    wrong: str = ""


class Judge:
    """Looks at each request's token.

    Attributes:
        refused: how many requests had a 401.
        excused: how many tokens ended while this program was late.
    """

    def __init__(self) -> None:
        self.lag = Lag()
        self.refused = 0
        self.excused = 0
        self._newest = 0
        self._revoked = 0
        self._nobody_until = 0.0

    def revoke(self) -> None:
        """Believe no more in what ``revoked`` has shown so far."""
        self._revoked = self._newest

    def refuse_everybody(self, seconds: float) -> None:
        """For a while, believe in no token of ``revoked`` at all."""
        self._nobody_until = time.monotonic() + seconds

    def look(self, plan: Plan, head: Head, arrived: float) -> Verdict:
        """Judge a request whose head ``arrived`` at that wall time."""
        claims = read(head.one("Authorization").removeprefix("Bearer "))
        if claims is None or claims.client != plan.credential:
            return Verdict(True, "a token that nobody issued for this")
        late = arrived - claims.until
        if late > self.lag.longest():
            return Verdict(True, f"a token that had ended {late:.3f} s before")
        self.excused += late > 0
        if claims.client != "revoked":
            return Verdict(False)
        self._newest = max(self._newest, claims.number)
        refused = claims.number <= self._revoked or time.monotonic() < self._nobody_until
        self.refused += refused
        return Verdict(refused)
