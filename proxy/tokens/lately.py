"""A bounded memory of what was used lately; knows nothing of what it holds.

Unlike cachetools' it counts the time from the last use and never takes away what somebody works
with at that moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FullError(Exception):
    """Everything that is held is being worked with."""


class Lately(Generic[T]):
    """Things by key, the longest unused first.

    Args:
        most: how many.
        idle: seconds without use after which one may go.
        now: monotonic seconds.
        busy: whether somebody works with a thing, so that it can't go now.
    """

    __slots__ = ("_busy", "_held", "_idle", "_most", "_now")

    def __init__(
        self, most: int, idle: float, now: Callable[[], float], busy: Callable[[T], bool]
    ) -> None:
        self._most = most
        self._idle = idle
        self._now = now
        self._busy = busy
        self._held: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[T]:
        return (thing for thing, _ in self._held.values())

    def get(self, key: bytes) -> T | None:
        """What is held by this key; to ask for it is to use it."""
        held = self._held.get(key)
        if held is None:
            return None
        self._held[key] = held[0], self._now()
        self._held.move_to_end(key)
        return held[0]

    def put(self, key: bytes, thing: T) -> list[T]:
        """Hold one more, and give back what had to go for it.

        Raises:
            FullError: nothing can go.
        """
        gone = self.unused()
        if len(self._held) >= self._most:
            gone += self._longest_unused()
        self._held[key] = thing, self._now()
        return gone

    def unused(self) -> list[T]:
        """Take away what has not been used for ``idle`` seconds."""
        latest = self._now() - self._idle
        gone = []
        for key, (thing, used) in list(self._held.items()):
            if used > latest:
                break
            if not self._busy(thing):
                gone.append(self._held.pop(key)[0])
        return gone

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take away what nobody wants; what is worked with stays."""
        keys = [
            key
            for key, (thing, _) in self._held.items()
            if unwanted(thing) and not self._busy(thing)
        ]
        return [self._held.pop(key)[0] for key in keys]

    def _longest_unused(self) -> list[T]:
        for key, (thing, _) in self._held.items():
            if not self._busy(thing):
                del self._held[key]
                return [thing]
        raise FullError

    def clear(self) -> list[T]:
        """Take everything away."""
        gone = list(self)
        self._held.clear()
        return gone
