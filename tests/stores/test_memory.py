"""The store in this process's memory."""

from __future__ import annotations

from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import Entry, TokenStore
from tests.support.clock import FakeClock, settle
from tests.support.world import World


async def test_an_unknown_identity_has_an_empty_entry() -> None:
    assert await MemoryStore().load("nobody") == Entry()


async def test_what_was_saved_is_loaded_and_others_are_not_touched() -> None:
    store: TokenStore = MemoryStore()
    entry = Entry(generation=7, rejected=6)
    await store.save("one", entry)
    assert await store.load("one") == entry
    assert await store.load("other") == Entry()


async def test_one_at_a_time_holds_the_lock_of_an_identity() -> None:
    store, order = MemoryStore(), list[str]()

    async def hold(name: str, clock: FakeClock) -> None:
        async with store.lock("one"):
            order.append(f"{name} in")
            await clock.sleep(5.0)
            order.append(f"{name} out")

    async with World() as world:
        for name in ("first", "second"):
            world.task(hold(name, world.clock))
        await world.clock.advance(20.0)
    assert order == ["first in", "first out", "second in", "second out"]


async def test_identities_do_not_wait_for_each_other() -> None:
    store, inside = MemoryStore(), list[str]()

    async def hold(identity: str) -> None:
        async with store.lock(identity):
            inside.append(identity)
            await world.clock.sleep(5.0)

    async with World() as world:
        for identity in ("one", "two"):
            world.task(hold(identity))
        await settle()
        assert inside == ["one", "two"]


async def test_a_holder_that_is_cancelled_lets_the_next_one_in() -> None:
    store, inside = MemoryStore(), list[str]()

    async def hold(name: str) -> None:
        async with store.lock("one"):
            inside.append(name)
            await world.clock.sleep(5.0)

    async with World() as world:
        first = world.task(hold("first"))
        world.task(hold("second"))
        await settle()
        first.cancel()
        await settle()
        assert inside == ["first", "second"]
