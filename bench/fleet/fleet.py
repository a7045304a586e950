"""Sidecars in simulated time: each the product's own credential with a store of its own opening.

Decides nothing: starts them, lets time pass, and counts who could send a token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import Random

from proxy.errors import CredentialUnavailable
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import TokenSource, TokenStore
from tests.support.clock import FakeClock

IDENTITY = "token-sidecar/1 a credential that all of them have"
CLOSING = 0.1
"""Simulated seconds between two looks whether all have ended."""
LAST = 1.0
"""Seconds of its life in which a token is no longer sent."""
HOLD = 10.0
"""Simulated seconds that a request waits for a token: the product's default."""
Open = Callable[[int], Awaitable[TokenStore]]
"""Opens the store of the sidecar with this number, as its process would."""


class Fleet:
    """So many sidecars with the same configuration.

    Args:
        source: where each asks for tokens.
        alone: that is a full grant, which each may take without the others.
        count: how many there are.
        seed: of all that is drawn.
    """

    def __init__(
        self,
        clock: FakeClock,
        open_store: Open,
        source: TokenSource,
        count: int,
        *,
        alone: bool,
        seed: int,
    ) -> None:
        self._clock = clock
        self._open = open_store
        self._source = source
        self._alone = alone
        self._random = Random(seed)
        self._count = count
        self._stores: list[TokenStore] = []
        self._sidecars: list[Credential] = []

    async def start(self, within: float) -> None:
        """Start all of them at moments drawn from the next ``within`` seconds."""
        for number in range(self._count):
            store = await self._open(number)
            self._stores.append(store)
            sidecar = self._sidecar(store, number)
            self._sidecars.append(sidecar)
            self._clock.call_later(self._random.uniform(0, within), sidecar.start)

    def _sidecar(self, store: TokenStore, number: int) -> Credential:
        return Credential(
            f"sidecar {number}",
            source=self._source,
            store=store,
            identity=IDENTITY,
            renewal=RenewalPolicy(),
            clock=self._clock,
            random=Random(self._random.random()),
            alone=self._alone,
        )

    @property
    def serving(self) -> int:
        """How many have a token that lives; asking changes nothing."""
        left = (one.status().expires_in_seconds for one in self._sidecars)
        return sum(seconds is not None and seconds > LAST for seconds in left)

    async def all_serving(self, most: float, step: float = 0.1) -> float:
        """Let time pass until all have a token; how long it took, at most ``most`` seconds."""
        start = self._clock.monotonic()
        while (passed := self._clock.monotonic() - start) < most:
            if self.serving == self._count:
                return passed
            await self._clock.advance(step)
        return most

    async def unserved(self, seconds: float) -> int:
        """Let time pass; of one request a second to each sidecar, how many got no token."""
        requests = []
        for _ in range(round(seconds)):
            requests += [asyncio.create_task(_request(one)) for one in self._sidecars]
            await self._clock.advance(1.0)
        await self._clock.advance(HOLD)
        return sum(not request.result() for request in requests)

    async def close(self) -> None:
        """End all of them; that takes time as well."""
        ended = asyncio.gather(*(self._end(*each) for each in self._running()))
        while not ended.done():
            await self._clock.advance(CLOSING)
        await ended

    def _running(self) -> Iterator[tuple[Credential, TokenStore]]:
        return zip(self._sidecars, self._stores, strict=True)

    async def _end(self, sidecar: Credential, store: TokenStore) -> None:
        await sidecar.close()
        await store.close()


async def _request(sidecar: Credential) -> bool:
    """Whether there is a token for it."""
    try:
        return bool(sidecar.current() or await sidecar.acquire(HOLD))
    except CredentialUnavailable:
        return False
