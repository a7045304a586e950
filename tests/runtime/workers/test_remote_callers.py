"""Callers over several workers, with everything that is said going through frames."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.runtime.workers.asking import Asking
from proxy.runtime.workers.frames import Frames, Said
from proxy.runtime.workers.lending import Lending
from proxy.runtime.workers.remote_callers import RemoteCallers
from proxy.secret import Secret
from proxy.tokens.borrowed import BorrowedCredential
from proxy.tokens.callers import Callers
from proxy.tokens.lease import Lease
from tests.support.callers import Exchange, callers_on
from tests.support.clock import settle
from tests.support.provider import network, refused
from tests.support.world import World


class Worker:
    """What a worker has of callers, joined to the supervisor without a socket."""

    def __init__(self, world: World, lending: Lending) -> None:
        self._world = world
        self._lending = lending
        self.sent = 0
        self._asking = Asking(self._ask)
        ((said, _),) = Frames().feed(lending.adoption())
        self._callers = RemoteCallers(said["callers"]["api"], self._asking, world.clock)

    def _ask(self, sent: bytes) -> None:
        self.sent += 1
        ((said, _),) = Frames().feed(sent)
        self._world.task(self._answer(said))

    async def _answer(self, said: Said) -> None:
        ((told, _),) = Frames().feed(await self._lending.answer(said))
        self._asking.answered(told)

    def __getitem__(self, bearer: str) -> BorrowedCredential:
        return self._callers.of(Secret(bearer))

    async def lease(self, lent: BorrowedCredential) -> Lease:
        return lent.current() or await self._world.now(lent.acquire(5.0))


class Scene:
    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = world.clock
        self.exchange = Exchange(world.clock)
        self.callers: Callers = callers_on(world.clock, self.exchange)
        self.lending = Lending(lambda _: None)
        self.lending.adopt({}, {"api": self.callers})
        self.workers = [Worker(world, self.lending) for _ in range(2)]


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with World() as world:
        made = Scene(world)
        yield made
        await settle()
        await made.callers.close()


async def test_a_caller_costs_one_exchange_over_all_workers() -> None:
    async with scene() as here:
        here.exchange.latency = 1.0
        lenders = [worker["ann"] for worker in here.workers]
        waiting = [here.world.task(lent.acquire(5.0)) for lent in lenders * 20]
        await here.clock.advance(1.0)
        assert {one.result().value for one in waiting} == {b"for-ann-1"}
        assert here.exchange.asked == ["ann"]


async def test_a_fresh_token_is_lent_without_a_question() -> None:
    async with scene() as here:
        worker, lent = here.workers[0], here.workers[0]["ann"]
        lease = await worker.lease(lent)
        asked = worker.sent
        for _ in range(10):
            assert worker["ann"].current() == lease
        assert worker.sent == asked
        assert worker["ann"] is lent


async def test_a_401_in_one_worker_is_good_for_all() -> None:
    async with scene() as here:
        one, other = (worker["ann"] for worker in here.workers)
        for worker, lent in zip(here.workers, (one, other), strict=True):
            await worker.lease(lent)
        renewed = await here.world.now(one.reject(1, 5.0))
        replayed = await here.world.now(other.reject(1, 5.0))
        for lease in (renewed, replayed, one.current(), other.current()):
            assert lease is not None
            assert lease.value == b"for-ann-2"
        assert await here.world.now(other.reject(2, 5.0)) is None
        assert here.exchange.asked == ["ann", "ann"]


async def test_steady_use_in_every_worker_sees_a_valid_token_for_ever() -> None:
    async with scene() as here:
        here.exchange.lifetime = 10.0
        lenders = [worker["ann"] for worker in here.workers]
        for _ in range(400):
            for worker, lent in zip(here.workers, lenders, strict=True):
                lease = await worker.lease(lent)
                number = int(lease.value.rpartition(b"-")[2])
                assert number >= len(here.exchange.asked) - 1
            await here.clock.advance(0.25)
        assert 10 <= len(here.exchange.asked) <= 100 / (0.6 * 10) + 2


async def test_who_calls_one_worker_only_is_not_forgotten_by_the_supervisor() -> None:
    async with scene() as here:
        here.exchange.lifetime = 36_000.0
        worker = here.workers[0]
        lent = worker["ann"]
        await worker.lease(lent)
        for _ in range(40):
            await here.clock.advance(100.0)
            assert lent.current() is not None
            await here.clock.advance(0.0)
        assert here.callers.status().callers == 1
        assert (await here.workers[1].lease(here.workers[1]["ann"])).value == b"for-ann-1"
        assert here.exchange.asked == ["ann"]


async def test_refusals_and_outages_reach_who_waits_and_nobody_else() -> None:
    async with scene() as here:
        here.exchange.answers = {"mal": [refused("invalid_grant")], "out": [network()] * 9}
        one, other = here.workers
        for worker in here.workers:
            with pytest.raises(CredentialRefused, match="invalid_grant"):
                await here.world.now(worker["mal"].acquire(5.0))
        waiting = here.world.task(one["out"].acquire(2.0))
        assert (await other.lease(other["ann"])).value == b"for-ann-1"
        await here.clock.advance(2.0)
        with pytest.raises(CredentialUnavailable):
            waiting.result()
        assert here.exchange.asked.count("mal") == 1


async def test_a_worker_keeps_nothing_of_a_caller_whose_head_is_forgotten() -> None:
    async with scene() as here:
        worker = here.workers[0]
        lent = worker["ann"]
        await worker.lease(lent)
        await settle()
        gc.disable()
        try:
            del lent
            assert len(worker._callers._lent) == 0
        finally:
            gc.enable()
        assert (await worker.lease(worker["ann"])).value == b"for-ann-1"
        assert here.exchange.asked == ["ann"]


async def test_callers_of_a_credential_that_was_replaced_are_not_mistaken() -> None:
    async with scene() as here:
        lent = here.workers[0]["ann"]
        await here.workers[0].lease(lent)
        exchange = Exchange(here.clock)
        here.lending.adopt({}, {"api": callers_on(here.clock, exchange)})
        assert await here.world.now(lent.reject(1, 5.0)) is None
        with pytest.raises(CredentialUnavailable, match="replaced"):
            await here.world.now(here.workers[0]["bob"].acquire(5.0))
        renewed = Worker(here.world, here.lending)
        assert (await renewed.lease(renewed["ann"])).value == b"for-ann-1"
        assert exchange.asked == ["ann"]
