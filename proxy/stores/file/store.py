"""The ``TokenStore`` in encrypted files: one per entry, named by a hash of the identity.

Decides what happens when a file can't be read or written: a damaged one is set aside, and what
can't be written is kept here, with its lock, until it can be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from proxy.clock import Clock, Timer
from proxy.errors import StoreError
from proxy.stores.file import guarded, locking
from proxy.stores.file.reading import entry_file, entry_in
from proxy.stores.file.record import Boot, encode
from proxy.stores.file.watching import Watchers
from proxy.stores.file.writing import complete, replace, unfinished
from proxy.stores.sealing import Damaged, Seal
from proxy.tokens.ports import Entry

AGAIN: Final = 5.0
"""Seconds until what could not be written is tried again."""


class FileStore:
    """Entries of all processes of this user that name the same directory and key.

    Args:
        directory: made if it is not there, with mode 0700.
        seal: with the key.
        clock: for moments, pauses and tries.
        boot: names this start of the machine; see ``Boot``.
        tell: is told, in words for a log, what a person should see to.
        watchers: who is told of changes; None: our own.

    Raises:
        StoreError: the directory can't be made, or is not ours alone.
    """

    def __init__(
        self,
        directory: Path,
        seal: Seal,
        clock: Clock,
        *,
        boot: str,
        tell: Callable[[str], None],
        watchers: Watchers | None = None,
    ) -> None:
        guarded.directory(directory)
        self._directory = directory
        self._seal = seal
        self._clock = clock
        self._boot = boot
        self._tell = tell
        self._watchers = watchers or Watchers(directory, clock)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._locked: dict[str, int | None] = {}
        self._unwritten: dict[str, Entry] = {}
        self._timer: Timer | None = None
        self._faults: dict[tuple[str, str], str] = {}

    @property
    def fault(self) -> str | None:
        """What is wrong with it now; see ``TokenStore``."""
        if self._unwritten:
            return f"the newest token can't be written to {self._directory}"
        return next(iter(self._faults.values()), None)

    async def load(self, identity: str) -> Entry:
        """The entry, or an empty one.

        Raises:
            StoreError: it can't be read, is not ours alone, or was written with another key.
        """
        if identity in self._unwritten:
            return self._unwritten[identity]
        path = self._path(identity)
        try:
            with self._noting("load", identity):
                return entry_in(path, identity, self._seal, self._now())
        except Damaged:
            self._set_aside(identity, path)
            return Entry()

    async def save(self, identity: str, entry: Entry) -> None:
        """Replace the entry; call it only while holding its lock.

        What can't be written now is kept in memory, and this process goes on holding the lock
        until it could be: nobody else may use the refresh token that it replaces.
        """
        known = identity in self._unwritten
        self._unwritten[identity] = entry
        if not self._write(identity, quiet=known):
            self._watchers.tell(self._path(identity).name)

    @asynccontextmanager
    async def lock(self, identity: str) -> AsyncIterator[None]:
        """Exclusive right to renew and to change this entry, over processes.

        Raises:
            StoreError: it is not to be had.
        """
        async with self._turns[identity]:
            if identity in self._locked:
                self._write(identity, quiet=True)
            else:
                with self._noting("lock", identity):
                    guarded.directory(self._directory)
                    self._locked[identity] = await locking.take(self._lock(identity), self._clock)
                self._complete(identity)
            try:
                yield
            finally:
                self._let_go(identity)

    def watch(self, identity: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each replacement of the entry, by whomever."""
        return self._watchers.add(self._path(identity).name, changed)

    async def close(self) -> None:
        """Write what could not be written, for the last time, and let all locks go."""
        if self._timer is not None:
            self._timer.cancel()
        for identity in tuple(self._unwritten):
            self._write(identity, quiet=True)
        self._unwritten.clear()
        for identity in tuple(self._locked):
            self._let_go(identity)

    def _write(self, identity: str, *, quiet: bool) -> bool:
        """Write what is kept for the identity; whether nothing is left to write."""
        entry, path = self._unwritten.get(identity), self._path(identity)
        if entry is None:
            return True
        sealed = self._seal.seal(encode(entry, self._now()), identity)
        try:
            if self._locked.get(identity) is None:
                self._locked[identity] = locking.take_at_once(self._lock(identity))
            replace(path, sealed)
        except OSError as error:
            if not quiet:
                self._tell(
                    f"can't write {path}: {error.strerror}; the newest token is kept in memory"
                    " and would be lost with this process: make room, or the directory writable"
                )
            return False
        del self._unwritten[identity]
        if quiet:
            self._tell(f"{path} could be written again: the newest token is in it")
        return True

    @contextlib.contextmanager
    def _noting(self, what: str, identity: str) -> Iterator[None]:
        """Remember what goes wrong inside until the same goes well."""
        try:
            yield
        except StoreError as error:
            self._faults[what, identity] = str(error)
            raise
        self._faults.pop((what, identity), None)

    def _complete(self, identity: str) -> None:
        """Who held the lock before us may have died with a whole entry that had no name yet."""
        path = self._path(identity)
        left = unfinished(path)
        with contextlib.suppress(OSError, StoreError, Damaged):
            if left.exists():
                entry_in(left, identity, self._seal, self._now())
                complete(path)

    def _let_go(self, identity: str) -> None:
        if identity not in self._unwritten:
            descriptor = self._locked.pop(identity, None)
            if descriptor is not None:
                locking.release(descriptor)
        elif self._timer is None:
            self._timer = self._clock.call_later(AGAIN, self._again)

    def _again(self) -> None:
        self._timer = None
        for identity in tuple(self._unwritten):
            # Who is inside the lock writes by himself.
            if not self._turns[identity].locked():
                self._write(identity, quiet=True)
                self._let_go(identity)

    def _set_aside(self, identity: str, path: Path) -> None:
        if identity not in self._locked:
            return  # a whole one may be coming into its place; whoever holds the lock decides
        aside = path.with_suffix(f".damaged-{self._clock.wall():.0f}")
        try:
            path.rename(aside)
        except OSError as error:
            self._tell(f"{path} is damaged and can't be set aside: {error.strerror}; remove it")
        else:
            self._tell(f"{path} was damaged: it is set aside as {aside.name}; begun anew")

    def _path(self, identity: str) -> Path:
        return entry_file(self._directory, identity)

    def _lock(self, identity: str) -> Path:
        return self._path(identity).with_suffix(".lock")

    def _now(self) -> Boot:
        return Boot(self._boot, self._clock.now())
