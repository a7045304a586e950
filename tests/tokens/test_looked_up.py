"""A look into the store: what is there is told, and nothing of it is spent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.errors import StoreError, TokenRequestError
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.looked_up import LookedUp
from proxy.tokens.ports import Entry
from proxy.tokens.token import RefreshToken, Token
from tests.support.world import World


async def keep(_: RefreshToken | None) -> None:
    raise AssertionError("nothing is kept")


async def looked_up(world: World) -> Token:
    source = LookedUp(world.store, "api", world.source, 300.0, world.clock)
    return await world.now(source.obtain(None, keep))


def entry(world: World, *, ends: float | None = None) -> Entry:
    expires = None if ends is None else world.clock.now().later(ends)
    refresh = RefreshToken(Secret("refresh"), expires)
    return Entry(world.provider.token("stored"), 1, refresh)


async def test_what_serves_is_told_to_its_end() -> None:
    async with World() as world:
        await world.store.save("api", replace(entry(world), refresh=None))
        await world.clock.advance(298.0)
        assert (await looked_up(world)).value == Secret("stored")
        await world.clock.advance(1.5)
        assert (await looked_up(world)).value == Secret("token-2")


async def test_a_refresh_token_is_never_spent() -> None:
    async with World() as world:
        await world.store.save("api", entry(world))
        await world.clock.advance(400.0)
        with pytest.raises(TokenRequestError, match="left to the sidecar") as caught:
            await looked_up(world)
        assert caught.value.reason == "not_asked"
        assert world.provider.asked == []


async def test_one_that_has_ended_is_of_no_use_to_the_sidecar_either() -> None:
    async with World() as world:
        await world.store.save("api", entry(world, ends=350.0))
        await world.clock.advance(400.0)
        assert (await looked_up(world)).value == Secret("token-2")
        assert world.provider.held == [None]


async def test_a_rejected_token_is_none() -> None:
    async with World() as world:
        await world.store.save("api", replace(entry(world), refresh=None, rejected=1))
        assert (await looked_up(world)).value == Secret("token-2")


class Unreadable(MemoryStore):
    """A store that can't be read."""

    async def load(self, identity: str) -> Entry:
        raise StoreError(f"{identity}: the disk is gone")


async def test_a_store_that_can_not_be_read_is_told() -> None:
    async with World() as world:
        world.store = Unreadable()
        with pytest.raises(TokenRequestError, match="the disk is gone"):
            await looked_up(world)
