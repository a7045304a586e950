"""Where the store can't be used: live tokens are served, and who needs no other helps himself."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.errors import CredentialUnavailable, StoreError
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Entry
from proxy.tokens.token import RefreshToken
from tests.support.world import World


class Gone:
    """A store that is not there for a while; it can lose a lease as well."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.lost = False
        self._store = MemoryStore()
        self.load = self._store.load
        self.watch = self._store.watch
        self.close = self._store.close

    async def save(self, identity: str, entry: Entry) -> None:
        if self.lost:
            raise StoreError("the lease was lost")
        await self._store.save(identity, entry)

    @asynccontextmanager
    async def lock(self, identity: str) -> AsyncIterator[None]:
        if self.fault is not None:
            raise StoreError(self.fault)
        async with self._store.lock(identity):
            yield


def started(world: World, *, alone: bool = True, seed: int = 1) -> Credential:
    credential = Credential(
        "api",
        source=world.source,
        store=world.store,
        identity="api",
        renewal=RenewalPolicy(),
        clock=world.clock,
        random=random.Random(seed),
        alone=alone,
        log=world.events.append,
    )
    world._made.append(credential)
    credential.start()
    return credential


@pytest.fixture
def store() -> Gone:
    return Gone()


async def test_a_credential_that_can_goes_on_alone_when_its_token_ends(store: Gone) -> None:
    async with World() as world:
        world.store = store
        credential = started(world)
        await world.clock.advance(1.0)
        store.fault = "no answer"
        await world.clock.advance(195.0)
        assert len(world.provider.held) == 1, "the old token is fresh: nobody asks"
        await world.clock.advance(95.0)
        assert credential.status().store_fault == "no answer"
        assert len(world.provider.held) == 2
        assert (await world.now(credential.acquire(0.0))).value == b"token-2"


async def test_many_that_go_on_alone_do_not_ask_together(store: Gone) -> None:
    async with World() as world:
        world.store = store
        for seed in range(90):
            started(world, seed=seed)
        await world.clock.advance(100.0)
        store.fault = "no answer"
        await world.clock.advance(190.0)
        asked = world.provider.asked[1:]
        assert len(asked) == 90
        assert max(sum(begin <= one < begin + 1 for one in asked) for begin in asked) <= 8


async def test_the_stores_refresh_token_is_never_used_without_the_lock(store: Gone) -> None:
    async with World() as world:
        world.store = store
        world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
        credential = started(world)
        await world.clock.advance(1.0)
        store.fault = "no answer"
        await world.clock.advance(700.0)
        assert set(world.provider.held) == {None}
        assert credential.current() is not None
        kept = (await store.load("api")).refresh
        store.fault = None
        await world.clock.advance(300.0)
        assert kept is not None
        assert kept.value == Secret("refresh-1")
        assert world.provider.held.count("refresh-1") == 1


async def test_one_that_needs_its_refresh_token_serves_to_the_end_and_no_longer(
    store: Gone,
) -> None:
    async with World() as world:
        world.store = store
        world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
        credential = started(world, alone=False)
        await world.clock.advance(1.0)
        store.fault = "no answer"
        await world.clock.advance(290.0)
        assert (await world.now(credential.acquire(0.0))).value == b"token-1"
        await world.clock.advance(20.0)
        with pytest.raises(CredentialUnavailable, match="no answer"):
            await world.now(credential.acquire(0.0))
        assert len(world.provider.held) == 1
        store.fault = None
        assert (await world.within(3.0, credential.acquire(3.0))).value == b"token-2"


async def test_who_has_no_token_yet_gets_one_alone_at_once(store: Gone) -> None:
    async with World() as world:
        world.store, store.fault = store, "no answer"
        credential = started(world)
        assert (await world.within(0.1, credential.acquire(1.0))).value == b"token-1"


async def test_a_rejected_token_is_replaced_alone(store: Gone) -> None:
    async with World() as world:
        world.store = store
        credential = started(world)
        await world.clock.advance(30.0)
        store.fault = "no answer"
        lease = await world.within(1.0, credential.reject(1, 10.0))
        assert lease is not None
        assert (lease.generation, lease.value) == (2, b"token-2")


async def test_after_it_all_agree_again(store: Gone) -> None:
    async with World() as world:
        world.store = store
        one, other = started(world), started(world, seed=2)
        await world.clock.advance(1.0)
        store.fault = "no answer"
        await world.clock.advance(650.0)
        store.fault = None
        await world.clock.advance(300.0)
        asked = len(world.provider.held)
        leases = [credential.current() for credential in (one, other)]
        assert leases[0] == leases[1]
        assert leases[0] is not None
        await world.clock.advance(600.0)
        assert len(world.provider.held) - asked <= 4
        assert leases[0].generation < (await store.load("api")).generation


async def test_an_answer_that_a_lost_lease_refuses_is_not_used(store: Gone) -> None:
    async with World() as world:
        world.store, store.lost = store, True
        credential = started(world)
        await world.clock.advance(0.1)
        assert credential.current() is None
        assert set(credential.status().failures) == {"store"}
        store.lost = False
        assert await world.within(3.0, credential.acquire(3.0))
