"""What follows a failed token request: how soon the next comes, and that there is a next."""

from __future__ import annotations

import asyncio
import errno
from itertools import pairwise

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.stores.memory import MemoryStore
from proxy.tokens.ports import Entry
from tests.support.provider import busy, network, refused, slow
from tests.support.world import World


def gaps(world: World) -> list[float]:
    return [later - earlier for earlier, later in pairwise(world.provider.asked)]


async def test_a_refusal_is_not_repeated_before_five_minutes_whatever_the_traffic() -> None:
    async with World() as world:
        world.provider.otherwise = refused()
        credential = world.credential()
        credential.start()
        for _ in range(300):
            with pytest.raises(CredentialRefused):
                await world.now(credential.acquire(0.5))
            await world.clock.advance(4.0)
        assert len(world.provider.asked) == 5
        assert min(gaps(world)) >= 300.0


async def test_a_refused_password_is_never_repeated_by_itself() -> None:
    async with World() as world:
        world.provider.otherwise = refused("invalid_grant", unattended=False)
        credential = world.credential()
        credential.start()
        for _ in range(100):
            await world.clock.advance(360.0)
            with pytest.raises(CredentialRefused) as told:
                await world.now(credential.acquire(10.0))
            assert told.value.retry_after is None
        assert len(world.provider.asked) == 1
        assert credential.status().next_renewal_in_seconds is None


async def test_a_401_does_not_repeat_a_refused_password_either() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = refused("invalid_grant", unattended=False)
        credential.start()
        await world.clock.advance(250.0)
        assert await world.now(credential.reject(1, 10.0)) is None
        assert len(world.provider.asked) == 2


async def test_someone_who_asks_has_even_a_refused_password_tried() -> None:
    async with World() as world:
        world.provider.script = [refused("invalid_grant", unattended=False)]
        credential = world.credential()
        with pytest.raises(CredentialRefused):
            await world.now(credential.acquire(10.0))
        assert (await world.now(credential.refresh(10.0))).value == b"token-1"


async def test_someone_who_asks_gets_a_new_token_though_the_old_one_lives() -> None:
    async with World() as world:
        credential = await world.filled()
        assert (await world.now(credential.refresh(10.0))).generation == 2


async def test_someone_who_asks_gets_the_providers_word_not_the_stores() -> None:
    async with World() as world:
        await world.filled()
        lease = await world.now(world.credential().refresh(10.0))
        assert lease.value == b"token-2"


async def test_someone_who_asks_during_a_renewal_joins_it() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        lease = await world.within(1.0, credential.refresh(10.0))
        await world.clock.advance(10.0)
        assert lease.value == b"token-1"
        assert len(world.provider.asked) == 1


async def test_someone_who_asks_is_told_of_the_failure_though_the_old_token_lives() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = refused()
        with pytest.raises(CredentialRefused):
            await world.now(credential.refresh(10.0))
        assert credential.current() is not None


async def test_someone_who_asks_waits_no_longer_than_they_want() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 30.0
        with pytest.raises(CredentialUnavailable):
            await world.within(5.0, credential.refresh(5.0))


async def test_retry_after_is_kept_even_when_someone_asks() -> None:
    async with World() as world:
        world.provider.otherwise = busy(120.0)
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        with pytest.raises(CredentialUnavailable) as told:
            await world.now(credential.refresh(10.0))
        assert told.value.retry_after == pytest.approx(119.0)
        await world.clock.advance(118.0)
        assert len(world.provider.asked) == 1
        await world.clock.advance(1.1)
        assert len(world.provider.asked) == 2


async def test_retry_after_is_kept_by_waiting_requests_and_capped_at_five_minutes() -> None:
    async with World() as world:
        world.provider.otherwise = busy(100_000.0)
        credential = world.credential()
        credential.start()
        for _ in range(700):
            with pytest.raises(CredentialUnavailable):
                await world.now(credential.acquire(0.1))
            await world.clock.advance(1.0)
        assert gaps(world) == pytest.approx([300.0, 300.0], abs=0.01)


async def test_a_slow_failure_is_repeated_after_half_a_minute_to_five() -> None:
    async with World() as world:
        world.provider.otherwise = slow()
        world.credential().start()
        await world.clock.advance(7200.0)
        assert min(gaps(world)) >= 30.0
        assert max(gaps(world)) <= 300.01
        assert max(gaps(world)) > 120.0


async def test_a_passing_failure_is_repeated_for_ever_within_a_minute() -> None:
    async with World() as world:
        world.provider.otherwise = network()
        world.credential().start()
        await world.clock.advance(7200.0)
        assert min(gaps(world)) >= 0.5
        assert max(gaps(world)) <= 60.01
        assert max(gaps(world)) > 20.0


async def test_a_wall_clock_set_forward_makes_no_try_come_early() -> None:
    async with World() as world:
        world.provider.otherwise = refused()
        credential = world.credential()
        credential.start()
        await world.clock.advance(10.0)
        world.clock.jump_wall(86_400.0)
        await world.clock.advance(280.0)
        assert len(world.provider.asked) == 1


@pytest.mark.parametrize("fault", [KeyError("token-1"), asyncio.CancelledError("token-1")])
async def test_a_bug_in_a_source_is_a_failure_that_passes(fault: BaseException) -> None:
    async with World() as world:
        world.provider.script = [fault]
        credential = world.credential()
        credential.start()
        await world.clock.advance(5.0)
        assert credential.current() is not None
        assert credential.status().failures == {"internal": 1}
        said = [event for event in world.events if event.kind == "token_failed"]
        assert type(fault).__name__ in said[0].message
        assert "token-1" not in said[0].message


class FullDisk:
    """A store that loses nothing and cannot write while it is full."""

    def __init__(self) -> None:
        self.full = True
        self.fault = None
        self._store = MemoryStore()
        self.load = self._store.load
        self.lock = self._store.lock
        self.watch = self._store.watch
        self.close = self._store.close

    async def save(self, identity: str, entry: Entry) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        await self._store.save(identity, entry)


async def test_a_token_that_could_not_be_persisted_is_not_used() -> None:
    async with World() as world:
        world.store = disk = FullDisk()
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.1)
        assert credential.current() is None
        assert credential.status().failures == {"internal": 1}
        disk.full = False
        await world.clock.advance(5.0)
        assert credential.current() is not None


async def test_the_status_tells_what_happened() -> None:
    async with World() as world:
        credential = world.credential()
        assert credential.status().state == "empty"
        assert not credential.status().ready
        world.provider.script = [network(), refused()]
        credential.start()
        await world.clock.advance(0.1)
        assert credential.status().state == "unavailable"
        await world.clock.advance(10.0)
        status = credential.status()
        assert status.state == "refused"
        assert status.last_error is not None
        assert status.last_error.reason == "invalid_client"
        assert status.last_error.at_wall == pytest.approx(world.clock.wall(), abs=11.0)
        assert (status.token_requests, status.renewals) == (2, 0)
        assert status.failures == {"network": 1, "invalid_client": 1}
        await world.clock.advance(300.0)
        status = credential.status()
        assert (status.state, status.ready, status.generation) == ("valid", True, 1)
        assert status.field == "access_token"
        assert status.lifetime_seconds == pytest.approx(300.0)
        assert status.expires_in_seconds == pytest.approx(300.0, abs=11.0)
        assert status.next_renewal_in_seconds == pytest.approx(200.0, abs=25.0)


async def test_the_status_tells_since_when_no_token_came() -> None:
    async with World() as world:
        credential = world.credential()
        world.provider.script = [network(), refused()]
        began = world.clock.wall()
        credential.start()
        await world.clock.advance(60.0)
        status = credential.status()
        assert status.failures == {"network": 1, "invalid_client": 1}
        assert status.failing_since == pytest.approx(began, abs=0.2)
        await world.clock.advance(300.0)
        assert credential.status().failing_since is None


async def test_a_changed_secret_has_what_was_refused_tried_at_once() -> None:
    async with World() as world:
        world.provider.otherwise = refused()
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        asked = len(world.provider.asked)
        credential.secret_changed(renew=False)
        await world.clock.advance(0.0)
        assert len(world.provider.asked) == asked + 1
        world.provider.otherwise = None
        credential.secret_changed(renew=False)
        await world.clock.advance(0.0)
        assert credential.current() is not None


async def test_a_changed_secret_has_even_a_refused_password_tried_once() -> None:
    async with World() as world:
        world.provider.otherwise = refused("invalid_grant", unattended=False)
        credential = world.credential()
        credential.start()
        await world.clock.advance(600.0)
        assert len(world.provider.asked) == 1
        credential.secret_changed(renew=False)
        await world.clock.advance(600.0)
        assert len(world.provider.asked) == 2


async def test_a_changed_secret_leaves_a_good_token_alone_unless_it_is_the_token() -> None:
    async with World() as world:
        credential = await world.filled()
        credential.start()
        credential.secret_changed(renew=False)
        await world.clock.advance(1.0)
        assert len(world.provider.asked) == 1
        credential.secret_changed(renew=True)
        await world.clock.advance(1.0)
        assert len(world.provider.asked) == 2


async def test_a_secret_that_changes_during_a_try_is_tried_after_it_if_that_fails() -> None:
    async with World() as world:
        world.provider.script.append(refused())
        world.provider.latency = 5.0
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        credential.secret_changed(renew=False)
        await world.clock.advance(10.0)
        assert len(world.provider.asked) == 2
        assert credential.current() is not None


async def test_a_moment_that_the_provider_named_is_kept_to_whatever_changes() -> None:
    async with World() as world:
        world.provider.otherwise = busy(60.0)
        credential = world.credential()
        credential.start()
        await world.clock.advance(1.0)
        credential.secret_changed(renew=False)
        await world.clock.advance(50.0)
        assert len(world.provider.asked) == 1
