"""Entries in Redis: sealed, leased one at a time, told of by messages.

Decides what happens when it can't be reached or a lease was lost; knows nothing of tokens beyond
when they end. Moments come from other machines: the wall clock alone is believed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from proxy.clock import Clock, Moment, Timer
from proxy.errors import StoreError
from proxy.secret import Secret
from proxy.stores.file.record import Boot, decode, encode
from proxy.stores.redis.lease import Lease, taken
from proxy.stores.redis.link import Link
from proxy.stores.redis.names import Names, names
from proxy.stores.redis.news import News
from proxy.stores.redis.server import Kept, Server
from proxy.stores.sealing import Damaged, Seal
from proxy.tokens.ports import Entry

AGAIN: Final = 1.0
"""Seconds until what could not be written is tried again."""
BEYOND: Final = 86_400.0
"""Seconds that a key outlives its tokens: the clocks of machines differ, and the count of
generations should go on after an outage."""


class RedisStore:
    """Entries of all processes, on any machine, that name the same Redis and key.

    Args:
        link: how to reach it.
        seal: with the key.
        clock: for moments, pauses and tries.
        random: spreads what many would do at the same time; nothing secret depends on it.
        tell: is told, in words for a log, what a person should see to.
    """

    def __init__(
        self, link: Link, seal: Seal, clock: Clock, random: Random, tell: Callable[[str], None]
    ) -> None:
        self._server = Server(link)
        self._news = News(link, clock, random)
        self._seal = seal
        self._clock = clock
        self._random = random
        self._tell = tell
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._leases: dict[str, Lease] = {}
        self._known: dict[str, Entry] = {}
        self._unwritten: dict[str, Entry] = {}
        self._timer: Timer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def fault(self) -> str | None:
        """What is wrong with it now; see ``TokenStore``."""
        if self._unwritten:
            return f"{self._server.place} does not have the newest token yet"
        return self._server.fault

    async def load(self, identity: str) -> Entry:
        """The entry, or an empty one.

        Raises:
            StoreError: Redis does not answer, or it was written with another key.
        """
        if identity in self._unwritten:
            return self._unwritten[identity]
        key = names(identity)
        kept = await self._server.load(key)
        # A Redis that was started anew with nothing in it takes nobody's login away, nor does it
        # count generations from the start: who was here before knows, and saves with the next.
        known = self._known.get(identity, Entry())
        entry = known if kept is None else self._opened(kept, identity, key)
        self._known[identity] = entry
        return entry

    async def save(self, identity: str, entry: Entry) -> None:
        """Replace the entry; call it only while holding its lock.

        What can't be written now is kept in memory and written as soon as Redis answers, unless
        another process has had the lease meanwhile.

        Raises:
            StoreError: the lease was lost to another process, or Redis does not answer and
                nothing that matters is lost by it.
        """
        try:
            written = await self._write(identity, entry)
        except StoreError as error:
            if _same_tokens(entry, self._known.get(identity)):
                raise
            if identity not in self._unwritten:
                self._tell(f"{error}; the newest token is kept in memory until then")
            self._unwritten[identity] = entry
            self._news.tell(names(identity).digest)
            return
        if written:
            self._known[identity] = entry
        else:
            self._unwritten.pop(identity, None)
            raise StoreError(
                f"{self._server.place}: the lease was lost to another process: what we got is not"
                " kept; the store has the newest"
            )

    @asynccontextmanager
    async def lock(self, identity: str) -> AsyncIterator[None]:
        """Exclusive right to renew and to change this entry, over machines.

        Raises:
            StoreError: it is not to be had.
        """
        async with self._turns[identity]:
            if not await self._settled(identity):
                await self._let_go(identity)
                raise StoreError(f"{self._server.place} still can't take the newest token")
            if identity not in self._leases:
                self._leases[identity] = await taken(
                    self._server, names(identity), self._clock, self._random
                )
            try:
                yield
            finally:
                await self._let_go(identity)

    def watch(self, identity: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each replacement of the entry, by whomever.

        Also when Redis can't be heard any more, and when it can be again.
        """
        return self._news.add(names(identity).digest, changed)

    async def close(self) -> None:
        """Write what could not be written, for the last time, and let all leases go."""
        if self._timer is not None:
            self._timer.cancel()
        await self._news.close()
        await asyncio.gather(*self._tasks)
        for identity in tuple(self._unwritten):
            await self._settled(identity)
        self._unwritten.clear()
        for identity in tuple(self._leases):
            await self._let_go(identity)
        await self._server.close()

    async def _write(self, identity: str, entry: Entry) -> bool:
        """Whether it was taken; not if another had the lease since ours.

        Raises:
            StoreError: Redis does not answer.
        """
        lease, now = self._leases[identity], self._clock.now()
        sealed = self._seal.seal(encode(entry, Boot("", now)), identity)
        lives = lifetime(entry, now)
        return await self._server.save(lease.names, lease.owner, lease.fence, sealed, lives)

    async def _settled(self, identity: str) -> bool:
        """Write what could not be written; whether nothing is left to write."""
        entry = self._unwritten.get(identity)
        if entry is None:
            return True
        try:
            written = await self._write(identity, entry)
        except StoreError:
            return False
        del self._unwritten[identity]
        place = self._server.place
        if written:
            self._tell(f"{place} answers again: the newest token is in it")
        else:
            self._tell(f"{place} answers again, and another process has renewed meanwhile")
            await self._let_go(identity)
        self._news.tell(names(identity).digest)
        return True

    async def _let_go(self, identity: str) -> None:
        if identity in self._unwritten:
            if self._timer is None:
                self._timer = self._clock.call_later(AGAIN, self._again)
            return
        lease = self._leases.pop(identity, None)
        if lease is not None:
            await self._after(lease.release())

    def _again(self) -> None:
        self._timer = None
        for identity in tuple(self._unwritten):
            # Who is inside the lock writes by himself.
            if not self._turns[identity].locked():
                self._begin(self._late(identity))

    async def _late(self, identity: str) -> None:
        async with self._turns[identity]:
            await self._settled(identity)
            await self._let_go(identity)

    async def _after(self, work: Coroutine[None, None, None]) -> None:
        """Wait for ``work``, which goes on if who waits is cancelled."""
        await asyncio.shield(self._begin(work))

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="store")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _opened(self, kept: Kept, identity: str, key: Names) -> Entry:
        where = f"{self._server.place}: {key.entry}"
        try:
            content = self._seal.open(kept.sealed, identity, where)
            return decode(content, Boot("", self._clock.now()))
        except (Damaged, ValueError):
            self._tell(f"{where} was damaged: it is begun anew")
            return Entry()


def lifetime(entry: Entry, now: Moment) -> float | None:
    """Seconds that the entry's key lives: never less than what is in it; None: without end."""
    if entry.refresh is not None and entry.refresh.expires is None:
        return None
    if entry.token is not None and entry.token.expires is None:
        return None
    ends = [one.expires for one in (entry.token, entry.refresh) if one is not None]
    return BEYOND + max((end.wall - now.wall for end in ends if end is not None), default=0.0)


def _same_tokens(entry: Entry, loaded: Entry | None) -> bool:
    """Whether both have the same tokens: then a renewal that did not reach Redis loses none."""
    return _values(entry) == _values(loaded or Entry())


def _values(entry: Entry) -> tuple[Secret | None, Secret | None]:
    token, refresh = entry.token, entry.refresh
    return token.value if token else None, refresh.value if refresh else None
