"""An upstream answers 401: what is rejected, what is replayed, and what a storm may cost."""

from __future__ import annotations

import pytest

from proxy.errors import CredentialUnavailable, TokenRequestError
from proxy.tokens.policy import RenewalPolicy
from tests.support.clock import settle
from tests.support.provider import busy, network, refused, slow
from tests.support.world import World


async def test_a_401_for_the_newest_token_renews_it_once_and_gives_the_new_one() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 1.0
        lease = await world.within(1.0, credential.reject(1, 10.0))
        assert lease is not None
        assert (lease.generation, lease.value) == (2, b"token-2")
        assert len(world.provider.asked) == 2


async def test_a_rejected_token_is_sent_to_nobody_while_the_next_is_fetched() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 1.0
        world.task(credential.reject(1, 10.0))
        await settle()
        assert credential.current() is None
        assert (await world.within(1.0, credential.acquire(10.0))).generation == 2


async def test_a_hundred_401s_for_one_token_cause_one_token_request() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 1.0
        answers = [world.task(credential.reject(1, 10.0)) for _ in range(100)]
        await world.clock.advance(1.0)
        late = [world.task(credential.reject(1, 10.0)) for _ in range(100)]
        await settle()
        leases = [task.result() for task in answers + late]
        assert {lease.generation for lease in leases if lease} == {2}
        assert None not in leases
        assert len(world.provider.asked) == 2
        assert credential.status().rejections == 1


async def test_a_401_for_an_older_token_is_replayed_with_the_current_one() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.now(credential.refresh(10.0))
        lease = await world.now(credential.reject(1, 10.0))
        assert lease is credential.current()
        assert len(world.provider.asked) == 2


async def test_a_401_for_an_older_token_waits_where_the_current_one_is_being_renewed() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.now(credential.refresh(10.0))
        world.provider.latency = 2.0
        world.task(credential.reject(2, 10.0))
        await settle()
        lease = await world.within(2.0, credential.reject(1, 10.0))
        assert lease is not None
        assert lease.generation == 3


async def test_a_401_for_an_older_token_passes_where_no_newer_comes() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.now(credential.refresh(10.0))
        world.provider.otherwise = refused()
        await world.now(credential.reject(2, 10.0))
        assert await world.now(credential.reject(1, 10.0)) is None
        assert len(world.provider.asked) == 3


async def test_within_the_interval_after_such_a_renewal_a_401_passes_and_rejects_nothing() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.now(credential.reject(1, 10.0))
        await world.clock.advance(9.9)
        assert await world.now(credential.reject(2, 10.0)) is None
        lease = credential.current()
        assert lease is not None
        assert lease.generation == 2
        assert credential.status().rejections == 1
        await world.clock.advance(0.2)
        replacement = await world.now(credential.reject(2, 10.0))
        assert replacement is not None
        assert replacement.generation == 3


async def test_a_storm_of_401s_causes_at_most_one_token_request_an_interval() -> None:
    async with World(lifetime=36_000.0) as world:
        credential = await world.filled(RenewalPolicy(min_interval=10.0))
        world.provider.latency = 0.3
        for _ in range(1200):
            lease = credential.current()
            if lease is not None:
                world.task(credential.reject(lease.generation, 10.0))
            await world.clock.advance(0.1)
        assert len(world.provider.asked) <= 1 + 120 / 10.0 + 1
        assert world.provider.busiest == 1


async def test_ordinary_renewals_are_not_held_up_by_a_storm() -> None:
    async with World(lifetime=5.0) as world:
        credential = await world.filled(RenewalPolicy(min_interval=60.0))
        await world.now(credential.reject(1, 10.0))
        credential.start()
        await world.clock.advance(30.0)
        assert credential.current() is not None
        assert len(world.provider.asked) >= 8


async def test_the_same_token_again_serves_and_its_401s_pass() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = world.provider.token("token-1")
        assert await world.now(credential.reject(1, 10.0)) is None
        assert await world.now(credential.reject(1, 10.0)) is None
        lease = credential.current()
        assert lease is not None
        assert (lease.generation, lease.value) == (1, b"token-1")
        assert len(world.provider.asked) == 2
        await world.clock.advance(10.1)
        assert await world.now(credential.reject(1, 10.0)) is None
        assert len(world.provider.asked) == 3


async def test_after_an_ordinary_renewal_brought_the_same_token_its_401s_pass_too() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.script = [world.provider.token("token-1")]
        await world.now(credential.refresh(10.0))
        assert await world.now(credential.reject(1, 10.0)) is None
        assert len(world.provider.asked) == 2
        assert credential.status().rejections == 0


async def test_when_the_renewal_fails_the_401_passes_and_the_token_stays_rejected() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.script = [network()]
        assert await world.now(credential.reject(1, 10.0)) is None
        assert credential.current() is None
        assert (await world.within(3.0, credential.acquire(10.0))).generation == 2


async def test_late_401s_for_a_token_whose_renewal_failed_ask_for_nothing_more() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = network()
        await world.now(credential.reject(1, 10.0))
        for _ in range(50):
            assert await world.now(credential.reject(1, 10.0)) is None
        assert len(world.provider.asked) == 2


async def test_a_401_while_a_passing_failure_backs_off_has_one_try_at_once() -> None:
    async with World() as world:
        credential = await world.filled()
        credential.start()
        world.provider.otherwise = network()
        await world.clock.advance(280.0)
        world.provider.otherwise = None
        lease = await world.within(0.5, credential.reject(1, 10.0))
        assert lease is not None
        assert lease.generation == 2


@pytest.mark.parametrize("error", [slow(), busy(250.0), refused()])
async def test_a_401_never_breaks_into_a_fixed_wait(error: TokenRequestError) -> None:
    async with World() as world:
        credential = await world.filled()
        credential.start()
        await world.clock.advance(150.0)
        world.provider.otherwise = error
        with pytest.raises(CredentialUnavailable):
            await world.now(credential.refresh(10.0))
        assert await world.now(credential.reject(1, 10.0)) is None
        assert credential.current() is None
        assert len(world.provider.asked) == 2


async def test_a_401_joins_a_renewal_that_is_in_flight_already() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 5.0
        await world.clock.advance(215.0)
        credential.current()
        await world.clock.advance(1.0)
        lease = await world.within(4.0, credential.reject(1, 10.0))
        assert lease is not None
        assert lease.generation == 2
        assert len(world.provider.asked) == 2


async def test_who_waits_for_last_does_not_get_a_token_rejected_meanwhile() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 20.0
        await world.clock.advance(291.0)
        waiting = world.task(credential.acquire(30.0))
        await world.clock.advance(1.0)
        world.task(credential.reject(1, 30.0))
        await world.clock.advance(10.0)
        assert not waiting.done()
        await world.clock.advance(10.0)
        assert waiting.result().generation == 2


async def test_a_401_waits_no_longer_than_hold() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 30.0
        assert await world.within(5.0, credential.reject(1, 5.0)) is None


async def test_a_401_for_a_generation_that_never_was_changes_nothing() -> None:
    async with World() as world:
        credential = await world.filled()
        assert await world.now(credential.reject(99, 10.0)) is None
        assert credential.current() is not None
        assert len(world.provider.asked) == 1
