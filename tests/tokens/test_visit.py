"""A program that asks and ends, at a store that others share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from proxy.errors import (
    CredentialRefused,
    CredentialUnavailable,
    SecretError,
    StoreError,
    TokenRequestError,
)
from proxy.secret import Secret
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.token import RefreshToken
from proxy.tokens.visit import Visit
from tests.support.clock import settle
from tests.support.provider import refused, slow
from tests.support.world import World


def unlocked() -> None:
    """Every secret is there."""


def visit(
    world: World, told: list[str] | None = None, ready: Callable[[], None] = unlocked
) -> Visit:
    return Visit(
        "api",
        source=world.source,
        store=world.store,
        identity="api",
        policy=RenewalPolicy(),
        clock=world.clock,
        spends=False,
        ready=ready,
        tell=(told if told is not None else []).append,
    )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(lifetime=300.0) as made:
        yield made


async def test_what_the_store_has_is_not_asked_for(world: World) -> None:
    first = await world.now(visit(world).entry())
    assert await world.now(visit(world).entry()) == first
    assert len(world.provider.asked) == 1


async def test_two_together_ask_once(world: World) -> None:
    world.provider.latency = 1.0
    tasks = [world.task(visit(world).entry()) for _ in range(2)]
    await settle()
    await world.clock.advance(1.0)
    assert tasks[0].result() == tasks[1].result()
    assert len(world.provider.asked) == 1


async def test_who_wants_it_for_longer_than_is_left_gets_another(world: World) -> None:
    await world.now(visit(world).entry())
    await world.clock.advance(100)
    assert (await world.now(visit(world).entry(199.0))).generation == 1
    assert (await world.now(visit(world).entry(201.0))).generation == 2


async def test_none_is_asked_for_that_would_be_too_short_again(world: World) -> None:
    await world.now(visit(world).entry())
    assert (await world.now(visit(world).entry(3600.0))).generation == 1


async def test_past_soft_it_is_renewed_and_past_a_failure_it_serves(world: World) -> None:
    told: list[str] = []
    first = await world.now(visit(world).entry())
    await world.clock.advance(250)
    world.provider.script.append(slow())
    assert await world.now(visit(world, told).entry()) == first
    assert len(told) == 1
    assert "what is left of the old token serves" in told[0]
    assert (await world.now(visit(world).entry())).generation == 2


async def test_a_failure_is_no_answer_to_who_wants_it_for_longer(world: World) -> None:
    await world.now(visit(world).entry())
    await world.clock.advance(100)
    world.provider.script.append(slow())
    with pytest.raises(TokenRequestError):
        await world.now(visit(world).entry(250.0))


async def test_one_that_a_401_rejected_is_not_given(world: World) -> None:
    credential = await world.filled()
    world.provider.script.append(slow())
    await world.within(10.0, credential.reject(1, 10.0))
    assert (await world.now(visit(world).entry())).generation == 2


async def test_a_secret_is_wanted_only_where_the_provider_is_asked(world: World) -> None:
    def missing() -> None:
        raise SecretError("environment variable API_SECRET is not set")

    with pytest.raises(SecretError):
        await world.now(visit(world, ready=missing).entry())
    await world.now(visit(world).entry())
    assert (await world.now(visit(world, ready=missing).entry())).generation == 1
    await world.clock.advance(250)
    assert (await world.now(visit(world, ready=missing).entry())).generation == 1


async def test_who_gives_up_does_not_lose_the_answer_that_replaces_a_refresh_token(
    world: World,
) -> None:
    world.provider.refresh = lambda number: RefreshToken(Secret(f"refresh-{number}"))
    await world.now(visit(world).entry())
    await world.clock.advance(250)
    world.provider.latency = 5.0
    waiting = world.task(visit(world).entry())
    await settle()
    waiting.cancel()
    await settle()
    await world.clock.advance(5.0)
    await settle()
    assert waiting.cancelled()
    assert (await world.store.load("api")).generation == 2


async def test_as_a_lender_it_says_why_there_is_none(world: World) -> None:
    assert (await world.now(visit(world).acquire(10.0))).generation == 1
    for answer, error in [(refused(), CredentialRefused), (slow(), CredentialUnavailable)]:
        world.provider.script.append(answer)
        await world.clock.advance(1000)
        with pytest.raises(error):
            await world.now(visit(world).acquire(10.0))


async def test_what_is_forgotten_is_asked_for_again(world: World) -> None:
    await world.now(visit(world).entry())
    assert await world.now(visit(world).forget()) is True
    assert await world.now(visit(world).forget()) is False
    assert (await world.now(visit(world).entry())).generation == 2


async def test_a_store_that_fails_is_told_as_such(world: World) -> None:
    class Broken:
        """A store whose lock is not to be had."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def lock(self, identity: str) -> object:
            raise StoreError(f"can't lock {identity}")

    broken = visit(world)
    broken._renewal._store = Broken()  # type: ignore[assignment]
    with pytest.raises(StoreError, match="can't lock"):
        await world.now(broken.entry())
