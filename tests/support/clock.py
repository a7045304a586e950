"""A clock that a test moves: both times, timers in order, and nothing ever sleeps for real."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable

from proxy.clock import Moment


class FakeTimer:
    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """A ``proxy.clock.Clock``; timers obey the monotonic time alone, as the event loop's do.

    Attributes:
        settle: what is awaited between two moments, so that whatever needs no time has happened.
    """

    def __init__(self, monotonic: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self.settle: Callable[[], Awaitable[None]] = settle
        self._monotonic = monotonic
        self._ahead = wall - monotonic
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._monotonic + self._ahead

    def now(self) -> Moment:
        return Moment(self.monotonic(), self.wall())

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self._monotonic + max(delay, 0.0), callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def jump_wall(self, seconds: float) -> None:
        """Only the wall clock moves: a correction, or a sleep that the other clock did not see."""
        self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait for the clock to be moved by so much."""
        future = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: future.done() or future.set_result(None))
        try:
            await future
        finally:
            timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Move both times, running what falls due on the way, each at its own moment."""
        end = self._monotonic + seconds
        await self.settle()
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            if timer.callback is None:
                continue
            self._monotonic = max(self._monotonic, due)
            timer.callback()
            await self.settle()
        self._monotonic = max(self._monotonic, end)

    @property
    def timers(self) -> int:
        """How many callbacks are still to come."""
        return sum(timer.callback is not None for _, _, timer in self._timers)


async def settle(turns: int = 1) -> None:
    """Let the loop run until nothing is left to do without time or input.

    Args:
        turns: in a row that found nothing to do. Sockets are asked between two: where some are
            in use, what one turn has sent shows in the next.
    """
    # Only asyncio's private queue of callbacks says so; a fixed number of turns would be a guess.
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    quiet = 0
    while quiet < turns:
        await asyncio.sleep(0)
        quiet = 0 if ready else quiet + 1
