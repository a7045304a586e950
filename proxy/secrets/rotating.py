"""Notices that a secret changed, and for a while offers the value before as well.

Rotations are not atomic: for a minute either value may be the one that the provider knows.
"""

from __future__ import annotations

from typing import Final

from proxy.clock import Clock, Moment
from proxy.secret import Secret
from proxy.secrets.source import SecretSource

WINDOW: Final = 60.0


class Rotating:
    """A secret that may be replaced while we run.

    Args:
        source: where it comes from.
        clock: tells how long ago it changed.
        window: seconds after a change during which the old value may still be the right one.
    """

    def __init__(self, source: SecretSource, clock: Clock, window: float = WINDOW) -> None:
        self._source = source
        self._clock = clock
        self._window = window
        self._newest: Secret | None = None
        self._before: Secret | None = None
        self._until: Moment | None = None
        self._turn_of_old = False

    def read(self) -> Secret:
        """The value to try now: the newest, or in turn with it the one before.

        Raises:
            SecretError: as the source does.
        """
        value = self._source.read()
        if self._newest is not None and value != self._newest:
            self._before, self._until = self._newest, self._clock.now().later(self._window)
            self._turn_of_old = False
        self._newest = value
        return self._before if self._before and self._turn_of_old and self.is_recent() else value

    def is_recent(self) -> bool:
        """Whether it changed so lately that a refusal may mean nothing."""
        if self._until is not None and self._clock.now().until(self._until) <= 0:
            self._until = self._before = None
        return self._until is not None

    def refused(self) -> None:
        """The value that was read last was refused: the other one's turn."""
        self._turn_of_old = not self._turn_of_old and self.is_recent()
