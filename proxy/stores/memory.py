"""Entries in this process's memory, gone with it; a lock per identity orders the renewals."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager

from proxy.tokens.ports import Entry


class MemoryStore:
    """A ``TokenStore`` for one process and one event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, identity: str) -> Entry:
        """The entry, or an empty one."""
        return self._entries.get(identity, Entry())

    async def save(self, identity: str, entry: Entry) -> None:
        """Replace the entry; call it only while holding its lock."""
        self._entries[identity] = entry

    def lock(self, identity: str) -> AbstractAsyncContextManager[None]:
        """Exclusive right to renew and to change this entry."""
        return self._locks[identity]
