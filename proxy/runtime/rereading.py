"""When a kept secret is read again: every so often, when its file changed, soon after a refusal.

Knows neither what the secret is for nor how it is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock, Timer
from proxy.secrets.kept import Kept

FIRST: Final = 0.25
"""Seconds from a reading that a refusal caused to the next one; each wait is twice the last."""
LONGEST: Final = 4.0
"""The longest such wait where the file is watched besides."""


class Rereading:
    """Reads one secret again for as long as it is wanted.

    Args:
        kept: what is read.
        every: seconds between two readings; None where something else tells that it changed.
        clock: where time comes from.
        changed: called when another value was found.
    """

    def __init__(
        self, kept: Kept, every: float | None, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._kept = kept
        self._every = every
        self._clock = clock
        self._changed = changed
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._wait: float | None = None
        self._ended = False

    def start(self) -> None:
        """Begin; in a running loop."""
        self._kept.hurry = self.hurry
        self._arm(self._every)

    def close(self) -> None:
        """Read it no more."""
        self._ended = True
        self._disarm()
        if self._task is not None:
            self._task.cancel()

    def every(self, seconds: float | None) -> None:
        """Another interval, from the next reading on."""
        self._every = seconds

    def hurry(self) -> None:
        """Somebody wants another value: look now, and a few times soon."""
        if self._wait is None:
            self._wait = FIRST
            self.look()

    def look(self) -> None:
        """Read it now; one that is under way goes on."""
        self._disarm()
        if self._task is None and not self._ended:
            self._task = asyncio.get_running_loop().create_task(self._look(), name="read a secret")

    async def _look(self) -> None:
        try:
            await self._kept.reread()
        finally:
            self._task = None
        if self._kept.is_news():
            self._wait = None
            self._changed()
        self._arm(self._next())

    def _next(self) -> float | None:
        wait = self._wait
        if wait is None:
            return self._every
        self._wait = 2 * wait if 2 * wait <= min(self._every or LONGEST, 30.0) else None
        return wait

    def _arm(self, seconds: float | None) -> None:
        self._disarm()
        if seconds is not None and not self._ended:
            self._timer = self._clock.call_later(seconds, self.look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
