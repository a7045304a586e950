"""A credential that another replaces: who waits there is served, nobody else renews it."""

from __future__ import annotations

import pytest

from proxy.errors import CredentialUnavailable
from tests.support.world import World

PATIENCE = 30.0


async def test_who_waits_gets_what_they_wait_for() -> None:
    async with World() as world:
        world.provider.latency = 5.0
        credential = world.credential()
        credential.start()
        waiting = world.task(credential.acquire(10.0))
        await world.clock.advance(1.0)
        retiring = world.task(credential.retire(PATIENCE))
        await world.clock.advance(3.9)
        assert not waiting.done()
        await world.clock.advance(0.2)
        assert waiting.result().value == b"token-1"
        assert retiring.done()
        assert len(world.provider.asked) == 1


async def test_who_comes_a_moment_later_does_too() -> None:
    async with World() as world:
        world.provider.latency = 0.5
        credential = world.credential()
        retiring = world.task(credential.retire(PATIENCE))
        await world.clock.advance(1.5)
        waiting = world.task(credential.acquire(10.0))
        await world.clock.advance(0.5)
        assert waiting.result().value == b"token-1"
        await world.clock.advance(0.5)
        assert retiring.done()
        with pytest.raises(CredentialUnavailable):
            await world.within(10.0, world.credential().acquire(0.0))


async def test_nothing_is_renewed_for_nobody() -> None:
    async with World(lifetime=3.0) as world:
        credential = await world.filled()
        credential.start()
        await world.clock.advance(0)
        retiring = world.task(credential.retire(PATIENCE))
        await world.clock.advance(PATIENCE)
        assert retiring.done()
        assert len(world.provider.asked) == 1
        assert world.clock.timers == 0


async def test_patience_ends() -> None:
    async with World() as world:
        world.provider.latency = 100.0
        credential = world.credential()
        waiting = world.task(credential.acquire(90.0))
        await world.clock.advance(0)
        retiring = world.task(credential.retire(PATIENCE))
        await world.clock.advance(PATIENCE - 0.1)
        assert not retiring.done()
        await world.clock.advance(0.2)
        assert retiring.done()
        with pytest.raises(CredentialUnavailable):
            waiting.result()
