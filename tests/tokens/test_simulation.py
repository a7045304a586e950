"""Whole lives of credentials with a moved clock: every lifetime from one second to ten hours."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import CredentialUnavailable
from proxy.tokens.credential import Credential
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token
from tests.support.provider import Answer, busy, network, refused, slow
from tests.support.world import World

HOLD = 10.0
LIVES = st.floats(min_value=0.0, max_value=math.log(36_000.0)).map(math.exp)
SEEDS = st.integers(min_value=0, max_value=2**32)
# A life of ten hours takes thousands of turns of the timer: few examples, each of them long.
WHOLE_LIVES = settings(max_examples=50, deadline=None)


class Life:
    """Programs that send requests through credentials of one world, and what they were given.

    It stands between the provider and the credentials to note when each token ends.
    """

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.unserved = 0
        self._tokens: dict[bytes, Token] = {}
        self._programs: list[asyncio.Task[None]] = []
        self._provider = world.provider
        world.source = self

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        token = await self._provider.obtain(held, keep)
        self._tokens[token.value.reveal().encode()] = token
        return token

    def check(self, lease: Lease) -> None:
        """A token is sent no later than halfway between ``last`` and its expiry."""
        token = self._tokens[lease.value]
        assert token.expires is not None
        assert token.lifetime is not None
        final = token.expires.later(-min(1.0, token.lifetime / 10) / 2)
        assert self.world.clock.now().until(final) > 0

    def begin(self, credential: Credential, pause: float) -> None:
        """Have a program send requests, ``pause`` seconds apart on average."""
        self._programs.append(self.world.task(self._program(credential, pause)))

    async def _program(self, credential: Credential, pause: float) -> None:
        while True:
            request = self.world.task(self.request(credential))
            if self.chance.random() < 0.1:
                await self.world.clock.sleep(self.chance.uniform(0.0, 1.0))
                request.cancel()
            await asyncio.wait({request})
            if not request.cancelled():
                request.result()
            await self.world.clock.sleep(self.chance.expovariate(1.0) * pause)

    async def request(self, credential: Credential) -> None:
        try:
            self.check(credential.current() or await credential.acquire(HOLD))
        except CredentialUnavailable:
            self.unserved += 1

    async def run(self, seconds: float) -> None:
        """Let time pass; what a program found wrong is raised here."""
        await self.world.clock.advance(seconds)
        for program in self._programs:
            if program.done():
                program.result()


@asynccontextmanager
async def lives(lifetime: float, seed: int) -> AsyncIterator[tuple[World, Life, random.Random]]:
    async with World(lifetime) as world:
        chance = random.Random(seed)
        yield world, Life(world, chance), chance


def drawn(chance: random.Random, most: float) -> Callable[[], float]:
    return lambda: chance.uniform(0.0, most)


@given(lifetime=LIVES, seed=SEEDS, processes=st.integers(1, 3), started=st.booleans())
@WHOLE_LIVES
def test_while_the_provider_answers_all_are_served_living_tokens_and_it_is_asked_rarely(
    lifetime: float, seed: int, processes: int, started: bool
) -> None:
    async def scenario() -> None:
        async with lives(lifetime, seed) as (world, life, chance):
            slowest = min(HOLD / 2, chance.choice([0.0, 0.1, 0.3, 3.0]) * lifetime)
            world.provider.latency = drawn(chance, slowest)
            for number in range(processes):
                credential = world.credential(seed=seed + number)
                if started:
                    credential.start()
                life.begin(credential, lifetime * chance.choice([0.01, 0.2, 2.0]))
            elapsed = max(4 * lifetime, 20.0)
            await life.run(elapsed)
            asked = len(world.provider.asked)
            await world.within(HOLD, life.request(credential))
            assert life.unserved == 0
            assert world.provider.busiest == 1
            assert asked <= elapsed / (0.6 * lifetime) + 2

    asyncio.run(scenario())


@given(lifetime=LIVES, seed=SEEDS)
@WHOLE_LIVES
def test_without_traffic_there_is_a_living_token_at_every_moment(
    lifetime: float, seed: int
) -> None:
    async def scenario() -> None:
        async with lives(lifetime, seed) as (world, life, chance):
            world.provider.latency = drawn(chance, lifetime / 10)
            credential = world.credential(seed=seed)
            credential.start()
            await world.clock.advance(lifetime / 10)
            for _ in range(80):
                assert credential.status().state in {"valid", "renewing"}
                await world.clock.advance(lifetime / 17)
            lease = credential.current()
            assert lease is not None
            life.check(lease)

    asyncio.run(scenario())


@given(lifetime=LIVES, seed=SEEDS)
@WHOLE_LIVES
def test_jumps_of_the_wall_clock_neither_let_an_expired_token_out_nor_cost_much(
    lifetime: float, seed: int
) -> None:
    async def scenario() -> None:
        async with lives(lifetime, seed) as (world, life, chance):
            world.provider.latency = drawn(chance, min(HOLD / 2, lifetime / 4))
            credential = world.credential(seed=seed)
            credential.start()
            life.begin(credential, lifetime * chance.choice([0.01, 0.2]))
            for _ in range(12):
                await life.run(lifetime / 3)
                world.clock.jump_wall(chance.uniform(-1.0, 1.0) * lifetime * 3)
            assert life.unserved == 0
            assert world.provider.busiest == 1
            assert len(world.provider.asked) <= 4 / 0.6 + 2 + 12

    asyncio.run(scenario())


LEAST_WAIT = {"network": 0.5, "http_404": 30.0, "http_429": 20.0, "invalid_client": 300.0}


@given(lifetime=LIVES, seed=SEEDS)
@WHOLE_LIVES
def test_through_outages_no_expired_token_goes_out_and_every_wait_is_kept(
    lifetime: float, seed: int
) -> None:
    async def scenario() -> None:
        async with lives(lifetime, seed) as (world, life, chance):

            def answer() -> Answer:
                kinds = [None, None, network(), network(), slow(), busy(20.0), refused()]
                return chance.choice(kinds)

            world.provider.otherwise = answer
            world.provider.latency = drawn(chance, min(12.0, lifetime))
            credential = world.credential(seed=seed)
            credential.start()
            life.begin(credential, max(0.5, lifetime * chance.choice([0.01, 0.5])))
            await life.run(max(4 * lifetime, 1200.0))
            provider = world.provider
            assert provider.busiest == 1
            for (ended, outcome), asked in zip(provider.ended, provider.asked[1:], strict=False):
                assert asked - ended >= LEAST_WAIT.get(outcome, 0.0) - 1e-6
                assert asked - ended <= 301.0 + lifetime

    asyncio.run(scenario())


@given(lifetime=LIVES, seed=SEEDS)
@WHOLE_LIVES
def test_a_storm_of_401s_costs_one_token_request_an_interval_besides_the_ordinary_ones(
    lifetime: float, seed: int
) -> None:
    async def scenario() -> None:
        async with lives(lifetime, seed) as (world, _, chance):
            world.provider.latency = drawn(chance, 0.5)
            credentials = [world.credential(seed=seed + number) for number in range(2)]
            for credential in credentials:
                credential.start()
            for _ in range(400):
                await world.clock.advance(chance.uniform(0.0, 0.5))
                credential = chance.choice(credentials)
                lease = credential.current()
                if lease is not None:
                    world.task(credential.reject(lease.generation, HOLD))
            elapsed = world.clock.monotonic() - 1000.0
            ordinary = elapsed / (0.6 * lifetime) + 2
            assert world.provider.busiest == 1
            assert len(world.provider.asked) <= ordinary + elapsed / 10.0 + 1

    asyncio.run(scenario())
