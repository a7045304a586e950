"""What others put into the store is worked with at once; what comes at the end is not lost."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from proxy.errors import CredentialUnavailable, StoreError
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Entry
from proxy.tokens.token import RefreshToken
from tests.support.clock import settle
from tests.support.provider import network, refused
from tests.support.world import World


async def written(world: World, entry: Entry) -> None:
    """Somebody else changes the entry."""

    async def write() -> None:
        async with world.store.lock("api"):
            await world.store.save("api", entry)

    await world.now(write())


async def logged_in(world: World, generation: int) -> None:
    """A person logged in, by another process."""
    token = world.provider.token(f"login-{generation}")
    refresh = RefreshToken(Secret(f"refresh-{generation}"))
    await written(world, Entry(token=token, generation=generation, refresh=refresh))


def sent(credential: Credential) -> bytes | None:
    lease = credential.current()
    return None if lease is None else lease.value


async def test_what_is_forgotten_takes_its_refresh_token_along() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
        credential = await world.filled()
        assert await world.now(credential.forget()) is True
        assert sent(credential) is None
        assert await world.now(credential.forget()) is False
        await world.within(1.0, credential.acquire(10.0))
        assert world.provider.held == [None, None]


async def test_what_another_process_renewed_is_sent_at_once() -> None:
    async with World() as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.0)
        await logged_in(world, 2)
        assert sent(credential) == b"login-2"
        assert len(world.provider.asked) == 1
        assert [event.kind for event in world.events] == ["token_renewed", "token_adopted"]


async def test_a_login_ends_a_refusal_and_lets_those_who_wait_go() -> None:
    async with World() as world:
        world.provider.otherwise = refused("login_needed", unattended=False)
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        with pytest.raises(CredentialUnavailable):
            await world.now(credential.acquire(10.0))
        await logged_in(world, 1)
        assert (await world.now(credential.acquire(0.0))).value == b"login-1"
        assert credential.status().state == "valid"
        assert credential.status().next_renewal_in_seconds is not None
        assert len(world.provider.asked) == 1


async def test_one_who_waits_for_a_try_that_hangs_gets_the_token_of_another_process() -> None:
    async with World() as world:
        world.provider.latency = 9.0
        credential = world.credential()
        credential.start()
        waiting = world.task(credential.acquire(20.0))
        await world.clock.advance(1.0)
        await world.store.save("api", Entry(token=world.provider.token("other"), generation=1))
        await settle()
        assert waiting.done()
        assert waiting.result().value == b"other"


async def test_a_login_whose_token_has_ended_is_refreshed_at_once() -> None:
    async with World() as world:
        world.provider.script = [refused("login_needed", unattended=False)]
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        old = world.provider.token("old", lifetime=-5.0)
        entry = Entry(token=old, generation=1, refresh=RefreshToken(Secret("refresh-1")))
        await written(world, entry)
        await world.clock.advance(1.0)
        assert world.provider.held == [None, "refresh-1"]
        assert credential.current() is not None


async def test_a_logout_takes_the_token_away() -> None:
    async with World() as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.0)
        world.provider.otherwise = refused("login_needed", unattended=False)
        await written(world, Entry(generation=2))
        assert sent(credential) is None
        assert "token_forgotten" in [event.kind for event in world.events]
        await world.clock.advance(1.0)
        await logged_in(world, 3)
        assert sent(credential) == b"login-3"


async def test_an_older_or_the_same_entry_changes_nothing() -> None:
    async with World() as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.0)
        await logged_in(world, 5)
        told = len(world.events)
        entry = await world.store.load("api")
        await written(world, entry)
        await written(world, replace(entry, generation=4, token=world.provider.token("older")))
        assert sent(credential) == b"login-5"
        assert len(world.events) == told


async def test_a_generation_that_a_401_rejected_is_not_taken_again() -> None:
    async with World() as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.0)
        entry = await world.store.load("api")
        world.provider.otherwise = network()
        await world.now(credential.reject(1, 1.0))
        await written(world, entry)
        assert sent(credential) is None


async def test_a_token_in_the_store_past_soft_serves_while_a_new_one_is_fetched() -> None:
    async with World() as world:
        await (await world.filled()).close()
        await world.clock.advance(250.0)
        world.provider.latency = 5.0
        second = world.credential()
        second.start()
        await settle()
        assert sent(second) == b"token-1"
        await world.clock.advance(6.0)
        assert sent(second) == b"token-2"


async def test_what_is_left_of_a_login_that_can_not_be_renewed_serves_after_a_restart() -> None:
    async with World() as world:
        await logged_in(world, 1)
        entry = await world.store.load("api")
        await written(world, replace(entry, refresh=None))
        await world.clock.advance(250.0)
        world.provider.otherwise = refused("login_needed", unattended=False)
        credential = world.credential()
        credential.start()
        await settle()
        assert (await world.now(credential.acquire(0.0))).value == b"login-1"
        assert credential.status().state == "valid"
        await world.clock.advance(45.0)
        assert sent(credential) == b"login-1"
        await world.clock.advance(5.0)
        assert sent(credential) is None


async def test_after_close_nothing_is_heard() -> None:
    async with World() as world:
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.0)
        await credential.close()
        await logged_in(world, 2)
        assert sent(credential) == b"token-1"
        assert len(asyncio.all_tasks()) == 1


async def test_an_answer_to_a_refresh_that_comes_while_all_ends_is_kept() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
        credential = await world.filled()
        world.provider.latency = 5.0
        world.task(credential.refresh(10.0))
        await settle()
        closing = world.task(credential.close())
        await world.clock.advance(4.0)
        assert not closing.done()
        await world.clock.advance(1.0)
        assert closing.done()
        assert (await world.store.load("api")).refresh == RefreshToken(Secret("refresh-2"))


async def test_an_answer_that_does_not_come_is_waited_for_ten_seconds() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
        credential = await world.filled()
        world.provider.latency = 60.0
        world.task(credential.refresh(100.0))
        await settle()
        closing = world.task(credential.close())
        await world.clock.advance(9.9)
        assert not closing.done()
        await world.clock.advance(0.1)
        assert closing.done()
        assert (await world.store.load("api")).refresh == RefreshToken(Secret("refresh-1"))


async def test_what_spends_a_refresh_token_of_its_own_is_waited_for_too() -> None:
    async with World() as world:
        world.provider.latency = 5.0
        credential = Credential(
            "api",
            source=world.source,
            store=world.store,
            identity="api",
            renewal=RenewalPolicy(),
            clock=world.clock,
            random=random.Random(1),
            spends=True,
        )
        credential.start()
        await world.clock.advance(0.0)
        closing = world.task(credential.close())
        await world.clock.advance(5.0)
        assert closing.done()
        assert (await world.store.load("api")).generation == 1


class Broken:
    """A store that can't be used."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self.broken = True
        self.save = self._store.save
        self.watch = self._store.watch
        self.close = self._store.close

    @property
    def fault(self) -> str | None:
        return "x.entry is open to others" if self.broken else None

    async def load(self, identity: str) -> Entry:
        if self.broken:
            raise StoreError("x.entry is open to others; chmod 600 x.entry")
        return await self._store.load(identity)

    def lock(self, identity: str) -> AbstractAsyncContextManager[None]:
        return self._store.lock(identity)


async def test_a_store_that_cannot_be_used_is_told_of_and_tried_again() -> None:
    async with World() as world:
        world.store = store = Broken()
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.1)
        with pytest.raises(CredentialUnavailable, match=r"chmod 600 x\.entry"):
            await world.now(credential.acquire(0.0))
        assert set(credential.status().failures) == {"store"}
        store.broken = False
        assert (await world.within(3.0, credential.acquire(3.0))).value == b"token-1"
