"""Notices that a secret changed, and for a while offers the values before as well.

Rotations are not atomic: for a minute either value may be the one that the provider knows.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.secret import Secret
from proxy.secrets.history import WINDOW, History
from proxy.secrets.kept import Kept, doubt
from proxy.secrets.source import SecretSource


class Rotating:
    """A secret that may be replaced while we run.

    Args:
        source: where it comes from; one that is kept remembers what it was for all who read it.
        clock: tells how long ago it changed.
        window: seconds after a change during which the old value may still be the right one.
    """

    def __init__(self, source: SecretSource, clock: Clock, window: float = WINDOW) -> None:
        self._source = source
        self._history = source.history if isinstance(source, Kept) else History(clock, window)
        self._newest: Secret | None = None
        self._turn = 0

    def read(self) -> Secret:
        """The value to try now: the newest, or in turn with it one before.

        Raises:
            SecretError: as the source does.
        """
        value = self._source.read()
        if value != self._newest:
            self._turn = 0
        self._newest = value
        self._history.saw(value)
        before = self._history.before()
        if not before or self._turn % 2 == 0:
            return value
        # In a row of rotations the provider may be more than one behind.
        return before[self._turn // 2 % len(before)]

    def is_recent(self) -> bool:
        """Whether it changed so lately that a refusal may mean nothing."""
        return bool(self._history.before())

    def refused(self) -> None:
        """The value that was read last was refused: another one's turn, and time to look again."""
        self._turn = self._turn + 1 if self.is_recent() else 0
        doubt(self._source)
