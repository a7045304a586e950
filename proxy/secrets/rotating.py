"""Notices that a secret changed, and for a while offers the values before as well.

Rotations are not atomic: for a minute either value may be the one that the provider knows, and
where the provider knew first, the new one is yet to come.
"""

from __future__ import annotations

from typing import Final

from proxy.clock import Clock, Moment
from proxy.secret import Secret
from proxy.secrets.history import WINDOW, History
from proxy.secrets.kept import Kept, doubt
from proxy.secrets.source import SecretSource

COMING: Final = 10.0
"""Seconds for which a secret that worked and is refused may be waiting for its successor."""


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
        self._clock = clock
        self._newest: Secret | None = None
        self._read: Secret | None = None
        self._accepted: Secret | None = None
        self._awaited_until: Moment | None = None
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
        # In a row of rotations the provider may be more than one behind.
        self._read = (
            value if self._turn % 2 == 0 or not before else before[self._turn // 2 % len(before)]
        )
        return self._read

    def has_other(self) -> bool:
        """Whether there was another value lately."""
        return bool(self._history.before())

    def is_recent(self) -> bool:
        """Whether a refusal may mean nothing: it changed lately, or is about to.

        What is read again while we run may be about to where it worked until now.
        """
        return self.has_other() or self._may_be_coming()

    def accepted(self) -> None:
        """The value that was read last is the right one."""
        self._accepted, self._awaited_until = self._read, None

    def refused(self) -> None:
        """The value that was read last was refused: another one's turn, and time to look again."""
        self._turn = self._turn + 1 if self.has_other() else 0
        if self._may_be_coming() and self._awaited_until is None:
            self._awaited_until = self._clock.now().later(COMING)
        doubt(self._source)

    def _may_be_coming(self) -> bool:
        if not isinstance(self._source, Kept) or self._newest is None:
            return False
        if self._accepted != self._newest:
            return False
        until = self._awaited_until
        return until is None or self._clock.now().until(until) > 0
