"""Entries in this process's memory, gone with it; a lock per identity orders the renewals."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from proxy.tokens.ports import Entry


class MemoryStore:
    """A ``TokenStore`` for one process and one event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
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
        for changed in tuple(self._watching[identity]):
            changed()

    def lock(self, identity: str) -> AbstractAsyncContextManager[None]:
        """Exclusive right to renew and to change this entry."""
        return self._locks[identity]

    def watch(self, identity: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each ``save``, by whomever, until stopped."""
        watching = self._watching[identity]
        watching.append(changed)
        return lambda: watching.remove(changed) if changed in watching else None

    async def close(self) -> None:
        """Nothing is left to do."""
