"""The values that a secret had lately: rotations are not atomic, either may be the right one."""

from __future__ import annotations

from typing import Final

from proxy.clock import Clock, Moment
from proxy.secret import Secret

WINDOW: Final = 60.0
"""Seconds after a change during which the value before may still be the one that is known."""
MOST: Final = 8
"""Values that are remembered besides the newest, however often it changes."""


class History:
    """The newest value and those before it.

    Args:
        clock: tells how long ago one was replaced.
        window: seconds for which it is remembered then.
    """

    def __init__(self, clock: Clock, window: float = WINDOW) -> None:
        self._clock = clock
        self._window = window
        self._newest: Secret | None = None
        self._before: list[tuple[Secret, Moment]] = []

    def saw(self, value: Secret) -> None:
        """This is the value now."""
        if self._newest is not None and value != self._newest:
            until = self._clock.now().later(self._window)
            kept = [one for one in self._before if one[0] not in {value, self._newest}]
            self._before = [(self._newest, until), *kept][:MOST]
        self._newest = value

    def before(self) -> tuple[Secret, ...]:
        """Those that were replaced within the window, the latest first."""
        now = self._clock.now()
        self._before = [one for one in self._before if now.until(one[1]) > 0]
        return tuple(value for value, _ in self._before)
