"""Sessions end when it pleases the application: what that teaches, and what a storm may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.credential import Credential
from proxy.tokens.learning import ENOUGH, LEAST, bounded, is_due, learned, lesson
from proxy.tokens.ports import Entry, Keep
from proxy.tokens.session import Session
from proxy.tokens.token import RefreshToken, Token
from tests.support.clock import settle
from tests.support.provider import ScriptedProvider
from tests.support.world import World

NOW = Moment(1000.0, 2000.0)
SESSION = Session(frozenset({"sid"}))
TOKEN = Token(Secret("sid=1"), "cookie", NOW, NOW.later(3600.0), session=SESSION)


class Application:
    """Gives sessions that say they live an hour."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        return replace(await self._provider.obtain(held, keep), session=SESSION)


async def filled(world: World) -> Credential:
    world.provider.lifetime = 3600.0
    world.source = Application(world.provider)
    return await world.filled()


async def entry(world: World) -> Entry:
    return await world.store.load("api")


async def test_the_age_of_a_session_that_has_ended_bounds_the_next_ones() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        lease = await world.now(credential.reject(1, 10.0))
        assert lease is not None
        assert lease.session == SESSION
        assert (await entry(world)).learned == 60.0
        assert credential.status().lifetime_seconds == 60.0


async def test_what_was_learned_renews_sessions_before_they_end() -> None:
    async with World() as world:
        credential = await filled(world)
        credential.start()
        await world.clock.advance(1800.0)
        await world.now(credential.reject(1, 10.0))
        for _ in range(360):
            await world.clock.advance(60.0)
            assert credential.current() is not None
            held = (await entry(world)).token
            assert held is not None
            assert held.received.until(world.clock.now()) < 1800.0
        assert credential.status().rejections == 1
        assert len(world.provider.asked) <= 2 + 360 * 60 / 1400 + 2


async def test_one_page_that_looked_like_a_sign_in_does_not_keep_sessions_short() -> None:
    async with World() as world:
        credential = await filled(world)
        credential.start()
        await world.clock.advance(3.0)
        await world.now(credential.reject(1, 10.0))
        assert (await entry(world)).learned == 3.0
        for _ in range(600):
            await world.clock.advance(30.0)
        assert (await entry(world)).learned == ENOUGH
        assert credential.status().lifetime_seconds == ENOUGH


async def test_sessions_that_do_end_so_soon_are_found_ended_now_and_then_only() -> None:
    async with World() as world:
        credential = await filled(world)
        credential.start()
        for _ in range(6000):
            await world.clock.advance(1.0)
            held = (await entry(world)).token
            lease = credential.current()
            assert held is not None
            assert lease is not None
            if held.received.until(world.clock.now()) >= 60.0:
                assert await world.now(credential.reject(lease.generation, 10.0)) is not None
        assert 50.0 < ((await entry(world)).learned or 0.0) < 120.0
        # Each try at a longer life takes five sessions of 45 s or more.
        assert 2 < credential.status().rejections <= 1 + 6000 / (5 * 45)


async def test_a_session_that_somebody_had_renewed_early_lets_none_live_longer() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        await world.now(credential.reject(1, 10.0))
        for _ in range(5):
            await world.clock.advance(5.0)
            await world.now(credential.refresh(10.0))
        assert (await entry(world)).learned == 60.0


async def test_the_shortest_life_counts() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        await world.now(credential.reject(1, 10.0))
        await world.clock.advance(40.0)
        await world.now(credential.reject(2, 10.0))
        assert (await entry(world)).learned == 40.0


async def test_a_session_past_half_of_its_learned_life_is_no_storm() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(8.0)
        await world.now(credential.reject(1, 10.0))
        await world.clock.advance(3.9)
        assert await world.now(credential.reject(2, 10.0)) is None
        await world.clock.advance(0.2)
        lease = await world.now(credential.reject(2, 10.0))
        assert lease is not None
        assert lease.generation == 3


async def test_a_storm_teaches_nothing() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        await world.now(credential.reject(1, 10.0))
        await world.clock.advance(5.0)
        await world.now(credential.reject(2, 10.0))
        assert (await entry(world)).learned == 60.0
        assert credential.status().rejections == 1


async def test_a_session_that_ends_at_once_is_renewed_but_teaches_nothing() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(1.0)
        assert await world.now(credential.reject(1, 10.0)) is not None
        assert (await entry(world)).learned is None


async def test_many_requests_that_find_the_session_ended_cause_one_login() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        world.provider.latency = 1.0
        tasks = [world.task(credential.reject(1, 10.0)) for _ in range(100)]
        await world.clock.advance(1.0)
        await settle()
        assert {lease.generation for task in tasks if (lease := task.result())} == {2}
        assert len(world.provider.asked) == 2


async def test_a_lesson_survives_a_login_that_fails() -> None:
    async with World() as world:
        credential = await filled(world)
        await world.clock.advance(60.0)
        world.provider.script = [RuntimeError("broken")]
        await world.now(credential.reject(1, 10.0))
        assert (await entry(world)).learned == 60.0


async def test_any_other_token_teaches_nothing() -> None:
    async with World(lifetime=3600.0) as world:
        credential = await world.filled()
        await world.clock.advance(60.0)
        await world.now(credential.reject(1, 10.0))
        assert (await entry(world)).learned is None
        assert credential.status().lifetime_seconds == 3600.0


@given(life=st.floats(0.0, 1e7), said=st.none() | st.floats(0.0, 1e7))
def test_a_bounded_session_never_lives_longer_than_either_says(
    life: float, said: float | None
) -> None:
    token = replace(TOKEN, expires=None if said is None else NOW.later(said))
    assert token.lifetime is None or token.lifetime == pytest.approx(said, abs=1e-6)
    ends = bounded(token, life).lifetime
    assert ends == pytest.approx(life if said is None else min(life, said), abs=1e-6)


@given(ages=st.lists(st.floats(0.0, 1e6), max_size=10))
def test_what_is_learned_only_shrinks(ages: list[float]) -> None:
    kept = Entry(TOKEN, 1)
    for age in ages:
        before = kept.learned
        kept = learned(kept, lesson(kept, NOW.later(age)))
        assert kept.learned is None or kept.learned >= LEAST
        assert before is None or (kept.learned or 0.0) <= before


def test_nothing_is_due_before_anything_was_learned() -> None:
    assert not is_due(Entry(TOKEN, 1), NOW.later(1e6))
    assert not is_due(Entry(), NOW)
    assert lesson(Entry(), NOW) is None
