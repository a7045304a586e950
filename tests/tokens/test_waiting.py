"""Requests that need a token while none is there: who waits, how long, and what they are told."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable, TokenRequestError
from tests.support.clock import settle
from tests.support.provider import busy, network, refused, slow
from tests.support.world import World


async def test_two_hundred_cold_requests_cause_one_token_request() -> None:
    async with World() as world:
        world.provider.latency = 1.0
        credential = world.credential()
        waiting = [world.task(credential.acquire(10.0)) for _ in range(200)]
        await world.clock.advance(1.0)
        assert {task.result().value for task in waiting} == {b"token-1"}
        assert len(world.provider.asked) == 1


async def test_waiters_that_leave_disturb_neither_the_renewal_nor_the_others() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        credential = world.credential()
        waiting = [world.task(credential.acquire(10.0)) for _ in range(20)]
        await world.clock.advance(1.0)
        for task in waiting[:19]:
            task.cancel()
        await world.clock.advance(1.0)
        assert waiting[19].result().value == b"token-1"
        assert all(task.cancelled() for task in waiting[:19])
        assert len(world.provider.asked) == 1


async def test_the_renewal_goes_on_when_all_waiters_have_left() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        credential = world.credential()
        waiting = world.task(credential.acquire(10.0))
        await world.clock.advance(1.0)
        waiting.cancel()
        await world.clock.advance(1.0)
        lease = credential.current()
        assert lease is not None
        assert lease.value == b"token-1"


async def test_waiting_ends_after_hold_and_tells_when_to_come_again() -> None:
    async with World() as world:
        world.provider.latency = 60.0
        credential = world.credential()
        waiting = world.task(credential.acquire(10.0))
        await world.clock.advance(9.9)
        assert not waiting.done()
        await world.clock.advance(0.1)
        with pytest.raises(CredentialUnavailable) as told:
            await waiting
        assert not isinstance(told.value, CredentialRefused)
        assert told.value.retry_after == 1.0
        assert told.value.credential == "api"


async def test_a_waiting_request_brings_a_backed_off_try_forward() -> None:
    async with World() as world:
        credential = world.credential()
        world.provider.otherwise = network()
        credential.start()
        await world.clock.advance(600.0)
        while (credential.status().next_renewal_in_seconds or 0) < 20.0:
            await world.clock.advance(1.0)
        world.provider.otherwise = None
        before = len(world.provider.asked)
        await world.within(3.0, credential.acquire(10.0))
        assert len(world.provider.asked) == before + 1


async def test_steady_traffic_in_an_outage_never_asks_more_than_twice_a_second() -> None:
    async with World() as world:
        credential = world.credential()
        world.provider.otherwise = network()
        for _ in range(600):
            world.task(credential.acquire(10.0)).add_done_callback(lambda task: task.exception())
            await world.clock.advance(0.1)
        asked = world.provider.asked
        gaps = [later - earlier for earlier, later in pairwise(asked)]
        assert min(gaps) >= 0.5
        assert max(gaps) <= 3.01


async def test_a_request_that_waits_through_failures_is_served_when_the_provider_is_back() -> None:
    async with World() as world:
        world.provider.script = [network(), network()]
        lease = await world.within(6.0, world.credential().acquire(10.0))
        assert lease.value == b"token-1"


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [(slow(), 30.0, 60.0), (busy(40.0), 40.0, 40.0), (refused(), 300.0, 300.0)],
)
async def test_where_the_next_try_lies_beyond_hold_nobody_waits(
    error: TokenRequestError, least: float, most: float
) -> None:
    async with World() as world:
        world.provider.otherwise = error
        credential = world.credential()
        with pytest.raises(CredentialUnavailable):
            await world.now(credential.acquire(10.0))
        with pytest.raises(CredentialUnavailable) as told:
            await world.now(credential.acquire(10.0))
        assert told.value.retry_after is not None
        assert least <= told.value.retry_after <= most
        assert len(world.provider.asked) == 1


async def test_where_the_fixed_moment_lies_within_hold_requests_wait_for_it() -> None:
    async with World() as world:
        world.provider.script = [busy(4.0)]
        credential = world.credential()
        waiting = world.task(credential.acquire(10.0))
        await world.clock.advance(3.9)
        assert not waiting.done()
        await world.clock.advance(0.2)
        assert waiting.result().value == b"token-1"
        assert world.provider.asked[1] - world.provider.asked[0] == pytest.approx(4.0, abs=0.01)


async def test_a_refused_credential_is_told_apart_with_the_providers_error() -> None:
    async with World() as world:
        world.provider.otherwise = refused("invalid_client")
        with pytest.raises(CredentialRefused, match="invalid_client") as told:
            await world.now(world.credential().acquire(10.0))
        assert told.value.error == "invalid_client"
        assert told.value.credential == "api"


async def test_a_login_that_is_needed_is_no_refusal() -> None:
    async with World() as world:
        world.provider.otherwise = refused("login_needed")
        credential = world.credential()
        with pytest.raises(CredentialUnavailable) as told:
            await world.now(credential.acquire(10.0))
        assert not isinstance(told.value, CredentialRefused)
        assert credential.status().state == "unavailable"


async def test_with_no_patience_at_all_the_answer_comes_at_once() -> None:
    async with World() as world:
        with pytest.raises(CredentialUnavailable):
            await world.now(world.credential().acquire(0.0))


async def test_nothing_stays_behind_when_waiters_are_gone() -> None:
    async with World() as world:
        world.provider.latency = 1.0
        credential = world.credential()
        waiting = [world.task(credential.acquire(10.0)) for _ in range(50)]
        await world.clock.advance(0.5)
        for task in waiting[:25]:
            task.cancel()
        await world.clock.advance(20.0)
        await settle()
        assert world.clock.timers == 0
        assert len(asyncio.all_tasks()) == 1
