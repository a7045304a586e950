"""Tells that a file of a directory was replaced: by inotify, else by looking at its times.

Knows names and callbacks; not what is in the files. inotify(7).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from proxy.clock import Clock, Timer

Changed = Callable[[], None]
POLL: Final = 0.08
"""Seconds between two looks where the system tells nothing."""
_IN_MOVED_TO, _IN_DELETE_SELF, _IN_MOVE_SELF, _IN_IGNORED = 0x80, 0x400, 0x800, 0x8000
_EVENT: Final = struct.Struct("iIII")
_READ: Final = 1 << 16


class Notices(Protocol):
    """Where changes are heard of."""

    def close(self) -> None:
        """Hear no more."""


class Watchers:
    """Callbacks by file name, all in one directory.

    Args:
        directory: it must be there.
        clock: for looking again where the system does not tell.
        inotify: whether to ask the system.
    """

    def __init__(self, directory: Path, clock: Clock, *, inotify: bool | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._inotify = sys.platform == "linux" if inotify is None else inotify
        self._callbacks: defaultdict[str, list[Changed]] = defaultdict(list)
        self._notices: Notices | None = None

    def add(self, name: str, changed: Changed) -> Callable[[], None]:
        """Call ``changed`` in the running loop whenever the file was replaced, until stopped."""
        self._callbacks[name].append(changed)
        if self._notices is None:
            self._notices = self._listen()

        def stop() -> None:
            if changed in self._callbacks.get(name, ()):
                self._callbacks[name].remove(changed)
                self._tidy(name)

        return stop

    def tell(self, name: str) -> None:
        """The file was replaced."""
        for changed in tuple(self._callbacks.get(name, ())):
            changed()

    def _tidy(self, name: str) -> None:
        if not self._callbacks[name]:
            del self._callbacks[name]
        if not self._callbacks and self._notices is not None:
            self._notices.close()
            self._notices = None

    def _listen(self) -> Notices:
        if self._inotify:
            try:
                return Inotify(self._directory, self.tell, self._look_instead)
            except (OSError, AttributeError):
                pass  # no watches left, or no such call: there is another way
        return Polling(self._directory, self._names, self.tell, self._clock)

    def _names(self) -> Iterator[str]:
        return iter(tuple(self._callbacks))

    def _look_instead(self) -> None:
        """The directory that was watched is gone; there may be another of its name soon."""
        self._inotify = False
        if self._notices is not None:
            self._notices.close()
            self._notices = self._listen()


class Inotify:
    """The kernel's word, one descriptor for the directory."""

    def __init__(
        self, directory: Path, tell: Callable[[str], None], lost: Callable[[], None]
    ) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            mask = _IN_MOVED_TO | _IN_DELETE_SELF | _IN_MOVE_SELF
            _checked(libc.inotify_add_watch(self._descriptor, os.fsencode(directory), mask))
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._descriptor, self._heard)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._tell = tell
        self._lost = lost

    def close(self) -> None:
        """See ``Notices``."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _heard(self) -> None:
        try:
            events = os.read(self._descriptor, _READ)
        except BlockingIOError:
            return
        position = 0
        while position < len(events):
            _, mask, _, length = _EVENT.unpack_from(events, position)
            position += _EVENT.size
            if mask & (_IN_DELETE_SELF | _IN_MOVE_SELF | _IN_IGNORED):
                self._lost()
                return
            self._tell(os.fsdecode(events[position : position + length].rstrip(b"\0")))
            position += length


class Polling:
    """Our own looking, ``POLL`` seconds apart."""

    def __init__(
        self,
        directory: Path,
        names: Callable[[], Iterator[str]],
        tell: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._names = names
        self._tell = tell
        self._clock = clock
        self._seen: dict[str, tuple[int, int] | None] = {}
        self._timer: Timer = clock.call_later(0, self._look)

    def close(self) -> None:
        """See ``Notices``."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._clock.call_later(POLL, self._look)
        for name in self._names():
            now = self._stamp(name)
            # The first look comes after its owner's own reading: it may have missed a change.
            if name not in self._seen or self._seen[name] != now:
                self._seen[name] = now
                self._tell(name)

    def _stamp(self, name: str) -> tuple[int, int] | None:
        try:
            found = (self._directory / name).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
