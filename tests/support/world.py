"""A credential's surroundings in one place: clock, provider, store and what was logged."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import TokenSource, TokenStore
from tests.support.clock import FakeClock, settle
from tests.support.provider import ScriptedProvider

T = TypeVar("T")


class World:
    """``async with World() as world`` closes the credentials it made."""

    def __init__(self, lifetime: float | None = 300.0) -> None:
        self.clock = FakeClock()
        self.provider = ScriptedProvider(self.clock, lifetime)
        self.source: TokenSource = self.provider
        self.store: TokenStore = MemoryStore()
        self.events: list[Event] = []
        self._made: list[Credential] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def credential(
        self, policy: RenewalPolicy | None = None, *, seed: int = 1, identity: str = "api"
    ) -> Credential:
        """A credential that nobody has started; several share the store's entry."""
        credential = Credential(
            "api",
            source=self.source,
            store=self.store,
            identity=identity,
            renewal=policy or RenewalPolicy(),
            clock=self.clock,
            random=random.Random(seed),
            log=self.events.append,
        )
        self._made.append(credential)
        return credential

    async def filled(self, policy: RenewalPolicy | None = None) -> Credential:
        """A credential, not started, that has just got its first token."""
        credential = self.credential(policy)
        await self.now(credential.acquire(10.0))
        return credential

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Work that goes on while the test moves the clock."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        return task

    async def now(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that needs no time at all."""
        return await self.within(0.0, work)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that must be done when ``seconds`` have passed."""
        task = self.task(work)
        await settle()
        await self.clock.advance(seconds)
        assert task.done(), f"not done within {seconds} s"
        return task.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for credential in self._made:
            await credential.close()
        await settle()
