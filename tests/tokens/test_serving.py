"""Which token a request gets while the token ages, and how it is renewed meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from proxy.errors import CredentialUnavailable
from proxy.tokens.policy import RenewalPolicy
from tests.support.clock import settle
from tests.support.provider import network
from tests.support.world import World

# With a lifetime of 300 s: soft 100 (90 to 110) s, hard 10 s, last 1 s before expiry.


async def test_there_is_nothing_to_send_before_the_first_token() -> None:
    async with World() as world:
        assert world.credential().current() is None


async def test_the_first_request_fetches_the_token_and_waits_for_it() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        lease = await world.within(2.0, world.credential().acquire(10.0))
        assert (lease.generation, lease.value, lease.field) == (1, b"token-1", "access_token")


async def test_a_fresh_token_is_served_without_asking_again() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.clock.advance(189.0)
        assert credential.current() is credential.current()
        await settle()
        assert len(world.provider.asked) == 1


async def test_past_soft_the_old_token_is_served_while_the_new_one_is_fetched() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 5.0
        await world.clock.advance(215.0)
        during = [credential.current() for _ in range(3)]
        await world.clock.advance(6.0)
        after = credential.current()
    assert [lease.value for lease in during if lease] == [b"token-1"] * 3
    assert after is not None
    assert after.value == b"token-2"
    assert len(world.provider.asked) == 2


async def test_past_hard_a_request_waits_for_the_try_in_flight() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 5.0
        await world.clock.advance(291.0)
        assert credential.current() is None
        assert (await world.within(5.0, credential.acquire(10.0))).value == b"token-2"


async def test_at_last_who_waited_sends_the_old_token() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 30.0
        await world.clock.advance(291.0)
        waiting = world.task(credential.acquire(20.0))
        await world.clock.advance(7.9)
        assert not waiting.done()
        await world.clock.advance(0.2)
        assert waiting.result().value == b"token-1"


async def test_after_last_the_old_token_is_not_there() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 30.0
        await world.clock.advance(299.0)
        assert credential.current() is None
        with pytest.raises(CredentialUnavailable):
            await world.within(5.0, credential.acquire(5.0))


async def test_who_may_wait_no_longer_gets_the_old_token_while_it_lives() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 30.0
        await world.clock.advance(291.0)
        assert (await world.within(2.0, credential.acquire(2.0))).value == b"token-1"


async def test_between_tries_the_old_token_is_sent_at_once_until_last() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = network()
        await world.clock.advance(291.0)
        assert credential.current() is None  # the try begins with this question
        lease = await world.now(credential.acquire(10.0))
        assert lease.value == b"token-1"
        assert credential.current() is lease


async def test_a_failed_renewal_leaves_the_old_token_in_use() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = network()
        credential.start()
        await world.clock.advance(285.0)
        lease = credential.current()
        assert lease is not None
        assert lease.value == b"token-1"
        assert credential.status().state in {"valid", "renewing"}


async def test_a_token_without_expiry_is_fetched_once() -> None:
    async with World(lifetime=None) as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(100_000.0)
        assert credential.current() is not None
        assert len(world.provider.asked) == 1


async def test_a_token_is_renewed_without_any_traffic() -> None:
    async with World() as world:
        world.credential().start()
        await world.clock.advance(3000.0)
        assert 14 <= len(world.provider.asked) <= 17


async def test_nothing_is_fetched_by_itself_before_start() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.clock.advance(3000.0)
        assert len(world.provider.asked) == 1
        assert credential.status().state == "expired"


async def test_with_idle_nothing_is_fetched_before_the_first_use() -> None:
    async with World() as world:
        world.credential(RenewalPolicy(idle=1800.0)).start()
        await world.clock.advance(3000.0)
        assert world.provider.asked == []


async def test_with_idle_renewal_stops_when_the_last_use_is_long_ago() -> None:
    async with World() as world:
        credential = await world.filled(RenewalPolicy(idle=1800.0))
        credential.start()
        await world.clock.advance(1800.0)
        by_then = len(world.provider.asked)
        await world.clock.advance(36_000.0)
        assert by_then >= 8
        assert len(world.provider.asked) <= by_then + 1
        assert (await world.now(credential.acquire(1.0))).generation > by_then - 1


async def test_a_sleeping_machine_finds_the_token_gone_at_the_next_request() -> None:
    async with World() as world:
        credential = await world.filled()
        await world.clock.advance(10.0)
        world.clock.jump_wall(3600.0)
        assert credential.current() is None
        assert (await world.now(credential.acquire(10.0))).value == b"token-2"


async def test_after_a_sleep_the_token_is_renewed_within_seconds_without_traffic() -> None:
    async with World(lifetime=36_000.0) as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(60.0)
        world.clock.jump_wall(40_000.0)
        await world.clock.advance(15.0)
        assert len(world.provider.asked) == 2
        assert credential.current() is not None


async def test_a_wall_clock_set_back_does_not_lengthen_a_tokens_life() -> None:
    async with World() as world:
        credential = await world.filled()
        world.clock.jump_wall(-3600.0)
        world.provider.otherwise = network()
        await world.clock.advance(299.5)
        assert credential.current() is None


async def test_tokens_that_live_a_blink_do_not_make_the_provider_glow() -> None:
    async with World(lifetime=0.02) as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(60.0)
        assert len(world.provider.asked) <= 121
        assert world.provider.busiest == 1


async def test_a_token_that_came_too_late_to_be_sent_is_a_failure_that_passes() -> None:
    async with World() as world:
        world.provider.script = [world.provider.token(lifetime=-5.0)]
        credential = world.credential()
        lease = await world.within(3.0, credential.acquire(10.0))
        assert lease.value != b"token-1"
        assert credential.status().failures == {"no_token": 1}


async def test_close_ends_the_timer_the_try_and_the_waiting() -> None:
    async with World() as world:
        credential = world.credential()
        world.provider.latency = 60.0
        credential.start()
        waiting = world.task(credential.acquire(100.0))
        await world.clock.advance(1.0)
        await credential.close()
        with pytest.raises(CredentialUnavailable):
            await waiting
        assert world.clock.timers == 0
        assert len(asyncio.all_tasks()) == 1
        assert credential.current() is None
        await settle()
        assert len(world.provider.asked) == 1
