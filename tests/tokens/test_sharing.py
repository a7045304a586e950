"""Several processes with one store: they renew once between them. And what is kept, when."""

from __future__ import annotations

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Entry
from proxy.tokens.token import RefreshToken
from tests.support.clock import settle
from tests.support.provider import network
from tests.support.world import World


def refresh_token(value: str) -> RefreshToken:
    return RefreshToken(Secret(value), None)


async def test_two_processes_that_start_together_ask_once() -> None:
    async with World() as world:
        world.provider.latency = 1.0
        both = [world.credential(seed=1), world.credential(seed=2)]
        for credential in both:
            credential.start()
        await world.clock.advance(1.0)
        leases = [credential.current() for credential in both]
        assert [lease.value for lease in leases if lease] == [b"token-1"] * 2
        assert len(world.provider.asked) == 1


async def test_many_processes_renew_as_often_as_one() -> None:
    async with World() as world:
        world.provider.latency = 1.0
        for seed in range(8):
            world.credential(seed=seed).start()
        await world.clock.advance(3000.0)
        assert len(world.provider.asked) <= 3000 / (0.6 * 300) + 2
        assert world.provider.busiest == 1


async def test_a_restarted_process_uses_what_the_store_has() -> None:
    async with World() as world:
        await (await world.filled()).close()
        second = world.credential()
        second.start()
        await settle()
        assert (await world.now(second.acquire(0.0))).value == b"token-1"
        assert len(world.provider.asked) == 1
        assert second.status().token_requests == 0
        assert [event.kind for event in world.events] == ["token_renewed", "token_adopted"]


async def test_who_asks_while_the_store_is_first_looked_at_gets_what_it_has() -> None:
    async with World() as world:
        await world.filled()

        async def at_once() -> Lease:
            later = world.credential()
            later.start()
            return await later.acquire(10.0)

        assert (await world.now(at_once())).generation == 1
        await settle()
        assert len(world.provider.asked) == 1


async def test_a_stored_token_past_soft_is_not_worth_adopting() -> None:
    async with World() as world:
        await world.filled()
        await world.clock.advance(250.0)
        lease = await world.now(world.credential().acquire(10.0))
        assert lease.generation == 2


async def test_a_401_finds_the_token_that_another_process_already_renewed() -> None:
    async with World() as world:
        one = await world.filled()
        other = world.credential()
        await world.now(other.acquire(10.0))
        await world.now(one.reject(1, 10.0))
        lease = await world.now(other.reject(1, 10.0))
        assert lease is not None
        assert lease.generation == 2
        assert len(world.provider.asked) == 2


async def test_the_storm_window_counts_for_all_processes_as_one() -> None:
    async with World() as world:
        one = await world.filled()
        other = world.credential()
        await world.now(other.acquire(10.0))
        await world.now(one.reject(1, 10.0))
        await world.now(other.reject(1, 10.0))
        assert await world.now(other.reject(2, 10.0)) is None
        assert await world.now(one.reject(2, 10.0)) is None
        assert len(world.provider.asked) == 2


async def test_another_process_learns_from_the_store_that_the_same_token_came_again() -> None:
    async with World() as world:
        one = await world.filled()
        other = world.credential()
        await world.now(other.acquire(10.0))
        world.provider.otherwise = world.provider.token("token-1")
        await world.now(one.reject(1, 10.0))
        assert await world.now(other.reject(1, 10.0)) is None
        assert other.current() is not None
        assert len(world.provider.asked) == 2
        await world.clock.advance(10.1)
        await world.now(other.reject(1, 10.0))
        assert len(world.provider.asked) == 3


async def test_a_rejection_is_in_the_store_before_the_provider_is_asked() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.latency = 5.0
        world.task(credential.reject(1, 10.0))
        await settle()
        assert (await world.store.load("api")).rejected == 1


async def test_a_rejected_token_is_not_adopted_after_a_restart() -> None:
    async with World() as world:
        credential = await world.filled()
        world.provider.otherwise = network()
        await world.now(credential.reject(1, 10.0))
        await credential.close()
        world.provider.otherwise = None
        lease = await world.now(world.credential().acquire(10.0))
        assert lease.value == b"token-2"


async def test_identities_share_nothing() -> None:
    async with World() as world:
        await world.filled()
        other = world.credential(identity="other")
        assert (await world.now(other.acquire(10.0))).value == b"token-2"


async def test_a_new_refresh_token_replaces_the_old_and_is_used_next() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: refresh_token(f"refresh-{number}")
        credential = await world.filled()
        await world.now(credential.refresh(10.0))
        await world.now(credential.refresh(10.0))
        assert world.provider.held == [None, "refresh-1", "refresh-2"]


async def test_an_answer_without_a_refresh_token_keeps_the_old_one() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: refresh_token("first") if number == 1 else None
        credential = await world.filled()
        await world.now(credential.refresh(10.0))
        await world.now(credential.refresh(10.0))
        assert world.provider.held == [None, "first", "first"]


async def test_what_an_answer_without_a_token_brought_is_kept_for_the_next_try() -> None:
    async with World() as world:
        world.provider.keeps = [refresh_token("kept")]
        world.provider.script = [network()]
        await world.within(3.0, world.credential().acquire(10.0))
        assert world.provider.held == [None, "kept"]


async def test_a_refresh_token_that_died_is_forgotten() -> None:
    async with World() as world:
        await world.store.save("api", Entry(refresh=refresh_token("dead")))
        world.provider.keeps = [None]
        world.provider.script = [network()]
        await world.within(3.0, world.credential().acquire(10.0))
        assert world.provider.held == ["dead", None]


class SlowDisk:
    """A store that takes a second to write."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self.fault = None
        self.load = world.store.load
        self.lock = world.store.lock
        self.watch = world.store.watch
        self.close = world.store.close

    async def save(self, identity: str, entry: Entry) -> None:
        await self._world.clock.sleep(1.0)
        await self._store.save(identity, entry)


async def test_a_token_is_used_only_after_its_refresh_token_is_persisted() -> None:
    async with World() as world:
        world.provider.refresh = lambda number: refresh_token(f"refresh-{number}")
        world.store = SlowDisk(world)
        credential = world.credential()
        credential.start()
        await world.clock.advance(0.9)
        assert credential.current() is None
        await world.clock.advance(0.2)
        assert credential.current() is not None
        kept = (await world.store.load("api")).refresh
        assert kept == refresh_token("refresh-1")


async def test_a_token_in_the_store_from_a_time_to_come_is_judged_by_the_earlier_clock() -> None:
    async with World() as world:
        token = world.provider.token("stale")
        expired = Moment(world.clock.monotonic() + 300.0, world.clock.wall() - 5.0)
        stale = type(token)(token.value, token.field, token.received, expired)
        await world.store.save("api", Entry(token=stale, generation=4))
        lease = await world.now(world.credential().acquire(10.0))
        assert (lease.generation, lease.value) == (5, b"token-2")
