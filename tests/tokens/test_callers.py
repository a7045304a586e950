"""Callers each with a token of their own: whose is whose, who is remembered, what is kept."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.secret import Secret
from proxy.tokens.callers import Caller, Callers
from proxy.tokens.event import Event
from proxy.tokens.remembered import Remembered
from tests.support.callers import Exchange, callers_on
from tests.support.clock import settle
from tests.support.provider import network, refused, slow
from tests.support.world import World


class Scene:
    def __init__(self, world: World, **options: float) -> None:
        self.world = world
        self.clock = world.clock
        self.events: list[Event] = []
        self.exchange = Exchange(world.clock)
        self.callers: Callers = callers_on(
            world.clock,
            self.exchange,
            self.events.append,
            **options,  # type: ignore[arg-type]
        )

    def __getitem__(self, bearer: str) -> Caller:
        return self.callers.of(Secret(bearer))

    async def value(self, bearer: str) -> bytes:
        return (await self.world.now(self[bearer].acquire(5.0))).value


@asynccontextmanager
async def scene(**options: float) -> AsyncIterator[Scene]:
    async with World() as world:
        made = Scene(world, **options)
        yield made
        await made.callers.close()


async def test_each_caller_has_a_token_of_its_own_and_keeps_it() -> None:
    async with scene() as here:
        for _ in range(3):
            assert await here.value("ann") == b"for-ann-1"
            assert await here.value("bob") == b"for-bob-1"
        lease = here["ann"].current()
        assert lease is not None
        assert lease.value == b"for-ann-1"
        assert here.exchange.asked == ["ann", "bob"]


async def test_nobody_is_remembered_and_nothing_asked_before_a_token_is_wanted() -> None:
    async with scene() as here:
        assert here["ann"].current() is None
        assert await here["ann"].reject(1, 5.0) is None
        assert here.callers.status().callers == 0
        assert here.exchange.asked == []


async def test_many_requests_of_one_caller_cost_one_exchange() -> None:
    async with scene() as here:
        here.exchange.latency = 1.0
        waiting = [here.world.task(here["ann"].acquire(5.0)) for _ in range(50)]
        other = here.world.task(here["bob"].acquire(5.0))
        await here.clock.advance(1.0)
        assert {one.result().value for one in waiting} == {b"for-ann-1"}
        assert other.result().value == b"for-bob-1"
        assert here.exchange.asked == ["ann", "bob"]


async def test_a_callers_refusal_is_its_own_and_tells_the_providers_error() -> None:
    async with scene() as here:
        here.exchange.answers["mallory"] = [refused("invalid_grant")]
        for _ in range(5):
            with pytest.raises(CredentialRefused, match="invalid_grant") as told:
                await here.value("mallory")
            assert told.value.credential == "api"
            assert await here.value("ann") == b"for-ann-1"
        assert here.exchange.asked.count("mallory") == 1
        assert here.callers.status().state == "valid"


async def test_one_callers_waiting_keeps_no_other_waiting() -> None:
    async with scene() as here:
        here.exchange.answers["slow"] = [network()] * 9
        waiting = here.world.task(here["slow"].acquire(5.0))
        assert await here.value("ann") == b"for-ann-1"
        await here.clock.advance(5.0)
        with pytest.raises(CredentialUnavailable, match="no connection"):
            waiting.result()


async def test_a_401_renews_the_token_of_that_caller_alone() -> None:
    async with scene() as here:
        await here.value("ann")
        await here.value("bob")
        lease = await here.world.now(here["ann"].reject(1, 5.0))
        assert lease is not None
        assert (lease.value, lease.generation) == (b"for-ann-2", 2)
        assert await here.world.now(here["ann"].reject(2, 5.0)) is None  # a storm
        assert await here.value("bob") == b"for-bob-1"
        assert here.callers.status().rejections == 1


async def test_a_token_in_use_is_renewed_before_its_end_and_an_unused_one_never() -> None:
    async with scene() as here:
        await here.value("ann")
        await here.value("bob")
        for _ in range(60):
            await here.clock.advance(10.0)
            assert here["ann"].current() is not None
            await settle()
        assert here.exchange.asked.count("ann") >= 3
        assert here.exchange.asked.count("bob") == 1
        assert await here.value("bob") == b"for-bob-2"


async def test_who_does_not_call_any_more_is_forgotten() -> None:
    async with scene(idle=60.0) as here:
        await here.value("ann")
        await here.clock.advance(40.0)
        await here.value("bob")
        await here.clock.advance(21.0)
        assert here.callers.status().callers == 1
        assert here["ann"].current() is None
        await here.clock.advance(120.0)
        assert here.callers.status().callers == 0
        assert here.clock.timers == 0


async def test_beyond_the_most_the_longest_unused_is_forgotten_and_closed() -> None:
    async with scene(most=3) as here:
        for bearer in ("ann", "bob", "cid"):
            await here.value(bearer)
        assert here["ann"].current() is not None
        await here.value("dan")
        assert here["bob"].current() is None
        for bearer in ("ann", "cid", "dan"):
            assert here[bearer].current() is not None
        assert here.callers.status().callers == 3
        assert await here.value("bob") == b"for-bob-2"


async def test_who_waits_is_not_forgotten_for_another() -> None:
    async with scene(most=2) as here:
        here.exchange.latency = 1.0
        first = [here.world.task(here[bearer].acquire(5.0)) for bearer in ("ann", "bob")]
        await settle()
        with pytest.raises(CredentialUnavailable, match="too many callers") as told:
            await here.world.now(here["cid"].acquire(5.0))
        assert told.value.retry_after == 1.0
        await here.clock.advance(1.0)
        assert [one.result().value for one in first] == [b"for-ann-1", b"for-bob-1"]
        assert (await here.world.within(1.0, here["cid"].acquire(5.0))).value == b"for-cid-1"


async def test_thousands_of_bearers_are_no_more_than_the_most() -> None:
    async with scene(most=20) as here:
        here.exchange.answers = {f"b{n}": [slow()] for n in range(0, 2000, 2)}
        for number in range(2000):
            waiting = here.world.task(here[f"b{number}"].acquire(5.0))
            await here.clock.advance(0.0)
            waiting.exception()
        here.world._tasks.clear()
        status = here.callers.status()
        assert status.callers == 20
        assert (status.token_requests, status.renewals) == (2000, 1000)
        assert status.failures == {"http_404": 1000}
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, Remembered)]
        assert len(kept) <= 21  # and the loop's own variable


async def test_at_rest_no_bearer_is_held() -> None:
    async with scene() as here:
        canary = "canary-5b1d"
        here.exchange.answers[canary + "-bad"] = [slow()]
        here.exchange.answers[canary + "-out"] = [network()] * 20
        await here.value(canary)
        await here.world.now(here[canary].reject(1, 5.0))
        await here.clock.advance(250.0)
        assert here[canary].current() is not None  # begins a renewal in the background
        await settle()
        assert here.exchange.asked.count(canary) == 3
        assert here[canary].current() is not None
        for bad in ("-bad", "-out"):
            waiting = here.world.task(here[canary + bad].acquire(3.0))
            await here.clock.advance(4.0)
            assert waiting.exception()
        here.world._tasks.clear()
        del waiting
        assert [one._bearer for one in here.callers._known] == [None] * 3
        assert canary not in repr(here.events) + repr(here.callers.status())
        assert canary not in repr([vars(here.callers), here[canary]])


async def test_between_two_tries_the_bearer_stays_while_somebody_waits() -> None:
    async with scene() as here:
        here.exchange.answers["ann"] = [network(), network()]
        lease = await here.world.within(6.0, here["ann"].acquire(10.0))
        assert lease.value == b"for-ann-3"


async def test_all_are_counted_and_told_of_under_one_name() -> None:
    async with scene() as here:
        assert here.callers.status().state == "empty"
        here.exchange.answers["bad"] = [refused("invalid_grant")]
        with pytest.raises(CredentialRefused):
            await here.value("bad")
        status = here.callers.status()
        assert (status.name, status.state) == ("api", "unavailable")
        assert (status.ready, status.required, status.callers) == (True, False, 1)
        assert status.last_error is not None
        assert status.last_error.reason == "invalid_grant"
        await here.value("ann")
        assert here.callers.status().state == "valid"
        assert {event.credential for event in here.events} == {"api"}


async def test_once_closed_nobody_is_served_and_nothing_is_left() -> None:
    async with scene() as here:
        here.exchange.latency = 1.0
        waiting = here.world.task(here["ann"].acquire(5.0))
        await settle()
        await here.callers.close()
        await settle()
        with pytest.raises(CredentialUnavailable):
            waiting.result()
        with pytest.raises(CredentialUnavailable, match="was replaced"):
            await here.world.now(here["bob"].acquire(5.0))
        assert here.clock.timers == 0
        assert here.callers.status().callers == 0


async def test_when_a_secret_changes_whom_the_provider_refused_is_asked_for_at_once() -> None:
    async with scene() as here:
        here.exchange.answers["bad"] = [refused("invalid_client")]
        await here.value("ann")
        with pytest.raises(CredentialRefused):
            await here.value("bad")
        here.callers.begin_anew()
        assert await here.value("bad") == b"for-bad-2"
        assert await here.value("ann") == b"for-ann-1"
