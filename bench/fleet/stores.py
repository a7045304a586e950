"""What stores a simulated fleet may have: each its own memory, or all of them one real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Protocol

from bench.fleet.fleet import IDENTITY
from bench.fleet.wire import Wire, wire
from proxy.config.model import RedisPlace, Tls
from proxy.secret import Secret
from proxy.stores.key import Key
from proxy.stores.memory import MemoryStore
from proxy.stores.redis.link import Link
from proxy.stores.redis.store import RedisStore
from proxy.stores.sealing import Seal
from proxy.tokens.ports import Entry, TokenStore
from proxy.tokens.token import RefreshToken
from tests.support.clock import FakeClock
from tests.support.redis_server import RedisServer

SENT = frozenset({"hmget", "eval", "evalsha", "script|load", "subscribe"})
"""What a store asks of Redis: its entry, its scripts, and to be told of changes."""


class Stores(Protocol):
    """Where the sidecars of one fleet keep their tokens."""

    def at(self, clock: FakeClock, *, rotating: bool) -> AbstractAsyncContextManager[None]:
        """Nothing is kept yet, and the clock is this one, until the block ends.

        ``rotating``: somebody has just logged in.
        """

    async def __call__(self, number: int) -> TokenStore:
        """Open the store of one sidecar."""

    def commands(self) -> int:
        """How many commands the store's server was sent."""

    def cut(self) -> None:
        """Nobody reaches the store any more."""

    def mend(self) -> None:
        """Everybody does again."""


class Alone:
    """Each sidecar remembers its own token."""

    @asynccontextmanager
    async def at(self, _clock: FakeClock, *, rotating: bool) -> AsyncIterator[None]:
        """See ``Stores``."""
        if rotating:
            raise ValueError("a login that rotates can't be had by several that know nothing")
        yield

    async def __call__(self, _number: int) -> TokenStore:
        """See ``Stores``."""
        return MemoryStore()

    def commands(self) -> int:
        """None."""
        return 0

    def cut(self) -> None:
        """Nothing changes."""

    def mend(self) -> None:
        """Nothing changes."""


class OneRedis:
    """All of them one Redis.

    Args:
        server: emptied for each fleet.
        delay: simulated seconds that a message takes to it, and as many back.
    """

    def __init__(self, server: RedisServer, delay: float = 0.0005) -> None:
        self._server = server
        self._delay = delay
        self._wire: Wire | None = None

    @asynccontextmanager
    async def at(self, clock: FakeClock, *, rotating: bool) -> AsyncIterator[None]:
        """See ``Stores``."""
        self._server.ask("FLUSHALL")
        self._server.ask("CONFIG", "RESETSTAT")
        async with wire(clock, self._server.port, self._delay) as self._wire:
            clock.settle = self._wire.settle
            if rotating:
                await self._log_in(clock)
            yield

    async def _log_in(self, clock: FakeClock) -> None:
        store = self._opened(clock, 0, self._server.place)
        async with store.lock(IDENTITY):
            await store.save(IDENTITY, Entry(refresh=RefreshToken(Secret("refresh-0"))))
        await store.close()

    async def __call__(self, number: int) -> TokenStore:
        """See ``Stores``."""
        assert self._wire is not None
        place = RedisPlace("tcp", (("127.0.0.1", self._wire.port),))
        return self._opened(self._wire.clock, number, place)

    def _opened(self, clock: FakeClock, number: int, place: RedisPlace) -> TokenStore:
        seal = Seal(Key(bytes(range(32)), "the key of the fleet"))
        return RedisStore(Link(place, Tls()), seal, clock, Random(number), lambda _: None)

    def commands(self) -> int:
        """See ``Stores``; what the wire asks, and what scripts do, is left out."""
        lines = self._server.ask("INFO", "commandstats").splitlines()
        calls = (line.removeprefix("cmdstat_").split(":calls=") for line in lines if "=" in line)
        sent = (int(rest.partition(",")[0]) for name, rest in calls if name in SENT)
        return sum(sent)

    def cut(self) -> None:
        """See ``Stores``."""
        assert self._wire is not None
        self._wire.break_off()

    def mend(self) -> None:
        """See ``Stores``."""
        assert self._wire is not None
        self._wire.mend()
