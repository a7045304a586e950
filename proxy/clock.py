"""Time as the rest of the program sees it: two clocks and a timer, injectable.

The monotonic clock measures, the wall clock notices sleep and corrections; whoever
judges an expiry asks both and believes the earlier.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks, in seconds."""

    monotonic: float
    wall: float

    def later(self, seconds: float) -> Moment:
        """This instant moved by ``seconds`` on both clocks."""
        return Moment(self.monotonic + seconds, self.wall + seconds)

    def until(self, other: Moment) -> float:
        """Seconds from here to ``other`` by whichever clock says fewer."""
        return min(other.monotonic - self.monotonic, other.wall - self.wall)


class Timer(Protocol):
    """A callback that is due later and can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has run."""


class Clock(Protocol):
    """Where time comes from."""

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start; for measuring."""

    def wall(self) -> float:
        """Seconds since the epoch, as the machine believes."""

    def now(self) -> Moment:
        """Both clocks read together."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Have ``callback`` called in the running loop after ``delay`` seconds."""


class SystemClock:
    """The machine's own clocks, timers by the running event loop."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def now(self) -> Moment:
        """Both clocks read together."""
        return Moment(time.monotonic(), time.time())

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Have ``callback`` called in the running loop after ``delay`` seconds."""
        import asyncio  # noqa: PLC0415 - 60 ms that commands which only read the time never pay

        return asyncio.get_running_loop().call_later(delay, callback)
