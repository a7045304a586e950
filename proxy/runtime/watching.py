"""Tells that a file is another than it was: written in place, renamed over, or behind a new link.

Looks at what ``stat`` says of the file in the end, so that Kubernetes' swap of ``..data`` is seen
like an editor's rename; knows paths and callbacks, not what is in the files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from proxy.clock import Clock, Timer

INTERVAL: Final = 0.5
"""Seconds between two looks: a change is told within two of them and in effect within 2 s."""

Stamp = tuple[int, ...]
"""What tells one state of a file from another; a file that is missing is a state as well."""


def stamp(path: Path) -> Stamp:
    """The state of the file that ``path`` leads to.

    The time of the last change of its inode counts: a mode that was mended makes a file readable.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - half the price of Path's, and this is done for ever
    except OSError as error:
        return (error.errno or 0,)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


class FileWatch:
    """Watches any number of files with one timer.

    Args:
        clock: where time comes from.
        interval: seconds between two looks.
    """

    def __init__(self, clock: Clock, interval: float = INTERVAL) -> None:
        self._clock = clock
        self._interval = interval
        self._watched: list[_Watched] = []
        self._timer: Timer | None = None

    def watch(
        self, path: Path, changed: Callable[[], None], since: Stamp | None = None
    ) -> Callable[[], None]:
        """Have ``changed`` called once per change, when the file has come to rest.

        At rest is a file that two looks in a row find in the same state, so that one which is
        half written is left alone. What comes back ends the watch. ``since`` is the state that is
        known, where the file was read earlier; else the present one is.
        """
        one = _Watched(path, changed, since)
        self._watched.append(one)

        def end() -> None:
            if one in self._watched:
                self._watched.remove(one)

        return end

    def start(self) -> None:
        """Look from now on; in a running event loop."""
        if self._timer is None:
            self._timer = self._clock.call_later(self._interval, self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        # Before anything else, so that a callback which raises stops nobody else's watch for good.
        self._timer = self._clock.call_later(self._interval, self._look)
        stamps = {path: stamp(path) for path in {one.path for one in self._watched}}
        for one in tuple(self._watched):
            if one in self._watched and one.path in stamps:
                one.look(stamps[one.path])


class _Watched:
    def __init__(self, path: Path, changed: Callable[[], None], since: Stamp | None) -> None:
        self.path = path
        self._changed = changed
        self._seen = stamp(path)
        self._told = self._seen if since is None else since

    def look(self, now: Stamp) -> None:
        rests, self._seen = now == self._seen, now
        if rests and now != self._told:
            self._told = now
            self._changed()
