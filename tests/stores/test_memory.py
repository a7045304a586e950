from __future__ import annotations

import asyncio
import gc

from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import Entry

ENTRY = Entry(generation=3)


def nothing() -> None:
    """Told in vain."""


def nothing_either() -> None:
    """Told in vain as well."""


async def test_an_entry_goes_with_the_last_who_watched_it() -> None:
    store = MemoryStore()
    first, second = store.watch("a", nothing), store.watch("a", nothing_either)
    await store.save("a", ENTRY)
    first()
    assert await store.load("a") == ENTRY
    first()
    assert await store.load("a") == ENTRY
    second()
    assert await store.load("a") == Entry()
    again = store.watch("a", nothing)
    await store.save("a", ENTRY)
    second()
    assert await store.load("a") == ENTRY
    again()


async def test_what_nobody_watches_stays() -> None:
    store = MemoryStore()
    await store.save("a", ENTRY)
    store.watch("b", nothing)()
    assert await store.load("a") == ENTRY


async def test_a_thousand_identities_in_a_row_leave_nothing() -> None:
    store = MemoryStore()
    for number in range(1000):
        stop = store.watch(str(number), nothing)
        async with store.lock(str(number)):
            await store.save(str(number), ENTRY)
        stop()
    gc.collect()
    assert not store._entries
    assert not store._watching
    assert not store._locks


async def test_one_lock_orders_all_who_want_it() -> None:
    store, inside, most = MemoryStore(), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with store.lock("a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(10)))
    assert most == 1
