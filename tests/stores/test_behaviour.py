"""What every store does, whichever kind it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from proxy.tokens.ports import Entry, TokenStore
from tests.support.clock import FakeClock
from tests.support.redis_server import PatientClock, RedisServer, redis_server
from tests.support.stores import full_entry, opener

Open = Callable[[], TokenStore]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "file", "polled file", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock(kind: str) -> FakeClock:
    return PatientClock() if kind == "redis" else FakeClock()


@pytest.fixture
async def opened(
    kind: str, redis: RedisServer, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Open]:
    """Opens the store once more, as another process would."""
    once_more, made = opener(kind, tmp_path, clock, redis.place), list[TokenStore]()
    redis.ask("FLUSHALL")

    def open_it() -> TokenStore:
        made.append(once_more())
        return made[-1]

    yield open_it
    for store in made:
        await store.close()


async def seen(clock: FakeClock, changes: list[str], count: int) -> None:
    """Wait until so many changes were heard of: the kernel's word takes the loop's own time."""
    async with asyncio.timeout(60):
        while len(changes) < count:
            await clock.advance(0.1)
            await asyncio.sleep(0.001)


async def test_an_unknown_identity_has_an_empty_entry(opened: Open) -> None:
    assert await opened().load("nobody") == Entry()


async def test_what_was_saved_is_loaded_whole_by_all(opened: Open, clock: FakeClock) -> None:
    one, other, entry = opened(), opened(), full_entry(clock)
    async with one.lock("one"):
        await one.save("one", entry)
    assert await one.load("one") == entry
    assert await other.load("one") == entry
    assert await other.load("other") == Entry()


async def test_an_empty_entry_replaces_a_full_one(opened: Open, clock: FakeClock) -> None:
    store = opened()
    async with store.lock("one"):
        await store.save("one", full_entry(clock))
        await store.save("one", Entry(generation=8))
    assert await store.load("one") == Entry(generation=8)


async def test_one_at_a_time_holds_the_lock_over_all_that_share(
    opened: Open, clock: FakeClock
) -> None:
    order = list[str]()

    async def hold(name: str, store: TokenStore) -> None:
        async with store.lock("one"):
            order.append(f"{name} in")
            await clock.sleep(5.0)
            order.append(f"{name} out")

    same = opened()
    async with asyncio.TaskGroup() as group:
        for name, store in (("a", same), ("b", opened()), ("c", same)):
            group.create_task(hold(name, store))
        await clock.advance(20.0)
    assert [word.partition(" ")[2] for word in order] == ["in", "out"] * 3
    assert [word[0] for word in order[::2]] == [word[0] for word in order[1::2]]
    assert {word[0] for word in order} == {"a", "b", "c"}


async def test_identities_do_not_wait_for_each_other(opened: Open) -> None:
    one, other = opened(), opened()
    async with one.lock("one"), one.lock("two"), other.lock("three"):
        pass


async def test_a_holder_that_is_cancelled_lets_the_next_one_in(
    opened: Open, clock: FakeClock
) -> None:
    inside = list[str]()

    async def hold(name: str, store: TokenStore) -> None:
        async with store.lock("one"):
            inside.append(name)
            await clock.sleep(5.0)

    first = asyncio.create_task(hold("first", opened()))
    await clock.advance(0.1)
    second = asyncio.create_task(hold("second", opened()))
    await clock.advance(0.1)
    first.cancel()
    await clock.advance(1.0)
    assert inside == ["first", "second"]
    await clock.advance(5.0)
    await second


async def test_one_who_waits_for_the_lock_may_leave(opened: Open, clock: FakeClock) -> None:
    one, other = opened(), opened()

    async def wait() -> None:
        async with other.lock("one"):
            raise AssertionError("it was held")

    async with one.lock("one"):
        waiting = asyncio.create_task(wait())
        await clock.advance(1.0)
        waiting.cancel()
        await clock.advance(1.0)
    async with other.lock("one"):
        assert waiting.cancelled()


async def test_an_error_inside_lets_the_lock_go(opened: Open) -> None:
    store = opened()
    with pytest.raises(ZeroDivisionError):
        async with store.lock("one"):
            raise ZeroDivisionError
    async with opened().lock("one"):
        pass


async def test_who_watches_hears_of_others_changes(opened: Open, clock: FakeClock) -> None:
    one, other, heard = opened(), opened(), list[str]()
    stops = [other.watch(name, lambda name=name: heard.append(name)) for name in ("one", "two")]  # type: ignore[misc]
    await clock.advance(2.0)  # whoever begins to listen may be told at once
    heard.clear()
    async with one.lock("one"):
        await one.save("one", full_entry(clock))
    await seen(clock, heard, 1)
    assert set(heard) == {"one"}
    for stop in stops:
        stop()
        stop()
    heard.clear()
    async with one.lock("one"):
        await one.save("one", full_entry(clock, 8))
    await clock.advance(0.2)
    assert heard == []


async def test_two_who_watch_the_same_are_both_told(opened: Open, clock: FakeClock) -> None:
    one, other, heard = opened(), opened(), list[str]()
    stops = [other.watch("one", lambda name=name: heard.append(name)) for name in ("a", "b")]  # type: ignore[misc]
    await clock.advance(2.0)  # whoever begins to listen may be told at once
    heard.clear()
    async with one.lock("one"):
        await one.save("one", full_entry(clock))
    await seen(clock, heard, 2)
    assert set(heard) == {"a", "b"}
    for stop in stops:
        stop()
