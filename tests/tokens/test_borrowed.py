from __future__ import annotations

import pytest

from proxy.errors import CredentialUnavailable
from proxy.tokens.borrowed import BorrowedCredential
from proxy.tokens.credential import Credential
from proxy.tokens.lease import Lease
from proxy.tokens.policy import RenewalPolicy
from tests.support.clock import settle
from tests.support.world import World


class Owner:
    """The other process, here: passes on what it is asked and counts how often."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self.asked = 0
        self.told = 0

    async def acquire(self, hold: float) -> Lease:
        self.asked += 1
        return await self._credential.acquire(hold)

    async def reject(self, generation: int, hold: float) -> Lease | None:
        self.asked += 1
        return await self._credential.reject(generation, hold)

    def wanted(self) -> None:
        self.told += 1
        self._credential.current()


def lent(world: World, credential: Credential) -> tuple[BorrowedCredential, Owner]:
    """What another process would hold, told of every change at once."""
    owner = Owner(credential)
    borrowed = BorrowedCredential(owner, world.clock)

    def agree() -> None:
        borrowed.agree(credential.terms())

    credential.watch(agree)
    agree()
    return borrowed, owner


async def test_a_fresh_token_is_lent_without_asking_its_owner() -> None:
    async with World() as world:
        credential = await world.filled()
        borrowed, owner = lent(world, credential)
        assert borrowed.current() == credential.current()
        assert await borrowed.acquire(0.0) == credential.current()
        assert (owner.asked, owner.told) == (0, 0)


async def test_it_lends_what_the_owner_itself_would_at_every_moment_of_a_tokens_life() -> None:
    async with World(lifetime=30.0) as world:
        credential = await world.filled()
        borrowed, _ = lent(world, credential)
        world.provider.latency = 1000.0
        for _ in range(70):
            await world.clock.advance(0.5)
            assert borrowed.current() == credential.current()
        assert borrowed.current() is None


async def test_one_new_token_serves_owner_and_borrowers_alike() -> None:
    async with World(lifetime=30.0) as world:
        credential = world.credential()
        borrowed, _ = lent(world, credential)
        credential.start()
        await settle()
        for _ in range(200):
            await world.clock.advance(0.5)
            lease = borrowed.current()
            assert lease is not None
            assert lease == credential.current()
        assert len(world.provider.asked) == credential.status().generation


async def test_an_aged_token_is_told_to_its_owner_once_a_second_at_most() -> None:
    async with World(lifetime=300.0) as world:
        credential = await world.filled()
        borrowed, owner = lent(world, credential)
        world.provider.latency = 1000.0
        await world.clock.advance(295.0)
        for _ in range(100):
            borrowed.current()
        await settle()
        assert owner.told == 1
        assert len(world.provider.asked) == 2
        await world.clock.advance(1.0)
        borrowed.current()
        assert owner.told == 2


async def test_a_rejected_token_is_lent_no_more_and_its_successor_is_asked_for_once() -> None:
    async with World() as world:
        credential = await world.filled()
        one, _ = lent(world, credential)
        other = BorrowedCredential(Owner(credential), world.clock)
        other.agree(credential.terms())
        first = one.current()
        assert first is not None
        newer = await world.now(one.reject(first.generation, 5.0))
        assert newer is not None
        assert newer.generation == first.generation + 1
        # the other one's 401 is for the older token: it gets the newer one
        assert await world.now(other.reject(first.generation, 5.0)) == newer
        assert len(world.provider.asked) == 2


async def test_a_401_for_an_older_token_is_answered_without_asking_the_owner() -> None:
    async with World() as world:
        credential = await world.filled()
        borrowed, owner = lent(world, credential)
        await world.now(credential.refresh(5.0))
        lease = borrowed.current()
        assert lease is not None
        assert await borrowed.reject(lease.generation - 1, 5.0) == lease
        assert owner.asked == 0


async def test_use_elsewhere_keeps_a_credential_that_renews_only_what_is_used() -> None:
    async with World(lifetime=60.0) as world:
        credential = world.credential(RenewalPolicy(idle=100.0))
        borrowed, _ = lent(world, credential)
        credential.start()
        await world.now(credential.acquire(5.0))
        for _ in range(40):
            await world.clock.advance(10.0)
            borrowed.current()
            credential.used(borrowed.used)
        assert borrowed.current() is not None
        used = len(world.provider.asked)
        await world.clock.advance(400.0)
        assert len(world.provider.asked) <= used + 3
        assert borrowed.current() is None
        await settle()
        assert len(world.provider.asked) <= used + 4


async def test_before_any_terms_there_is_nothing_to_lend() -> None:
    async with World() as world:
        credential = world.credential()
        borrowed = BorrowedCredential(Owner(credential), world.clock)
        world.provider.latency = 1000.0
        assert borrowed.current() is None
        with pytest.raises(CredentialUnavailable):
            await world.now(borrowed.acquire(0.0))
