"""Entries in this process's memory, gone with it; a lock per identity orders the renewals.

An entry that was watched is gone with the last who did: no configuration has its credential any
more, and a token that nobody asks for has no business in memory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from weakref import WeakValueDictionary

from proxy.tokens.ports import Entry


class MemoryStore:
    """A ``TokenStore`` for one process and one event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watching: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)

    @property
    def fault(self) -> None:
        """None: memory is always there."""

    async def load(self, identity: str) -> Entry:
        """The entry, or an empty one."""
        return self._entries.get(identity, Entry())

    async def save(self, identity: str, entry: Entry) -> None:
        """Replace the entry; call it only while holding its lock."""
        self._entries[identity] = entry
        for changed in tuple(self._watching.get(identity, ())):
            changed()

    def lock(self, identity: str) -> AbstractAsyncContextManager[None]:
        """Exclusive right to renew and to change this entry."""
        return self._locks.setdefault(identity, asyncio.Lock())

    def watch(self, identity: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each ``save``, by whomever, until stopped."""
        watching = self._watching[identity]
        watching.append(changed)

        def stop() -> None:
            if changed in watching:
                watching.remove(changed)
            if not watching and self._watching.get(identity) is watching:
                del self._watching[identity]
                self._entries.pop(identity, None)

        return stop

    async def close(self) -> None:
        """Nothing is left to do."""
