"""What happens to a fleet in simulated time: an ordinary hour, a herd, and what can go away.

Each function makes a world of its own from a seed, so that it comes out the same every time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from bench.fleet.counting import between, peak
from bench.fleet.fleet import Fleet
from bench.fleet.provider import FullGrant, Limit, Provider, Rotating
from bench.fleet.stores import Stores
from tests.support.clock import FakeClock

SEED = 7
HOUR = 3600.0
LIFETIME = 300.0
"""Seconds that a token lives: what Keycloak gives a new realm."""
WARM = 600.0
"""Seconds until a fleet that started together goes its ways."""


@dataclass(frozen=True, slots=True)
class World:
    """One fleet, what it asks, and the clock."""

    clock: FakeClock
    provider: Provider
    stores: Stores
    fleet: Fleet


@asynccontextmanager
async def world(
    stores: Stores,
    count: int,
    *,
    lifetime: float = LIFETIME,
    limit: Limit | None = None,
    rotating: bool = False,
) -> AsyncIterator[World]:
    """Sidecars that nobody has started, with stores opened on ``stores``."""
    clock = FakeClock()
    provider = Provider(clock, Random(SEED), lifetime=lifetime, limit=limit)
    source = Rotating(provider) if rotating else FullGrant(provider)
    async with stores.at(clock, rotating=rotating):
        fleet = Fleet(clock, stores, source, count, alone=not rotating, seed=SEED)
        try:
            yield World(clock, provider, stores, fleet)
        finally:
            await fleet.close()


async def ordinary_hour(stores: Stores, count: int, lifetime: float = LIFETIME) -> tuple[int, int]:
    """Token requests in an hour long after the start, and commands at the store."""
    async with world(stores, count, lifetime=lifetime) as here:
        await here.fleet.start(within=lifetime)
        await here.clock.advance(max(WARM, 2 * lifetime))
        begin, commands = here.clock.monotonic(), stores.commands()
        await here.clock.advance(HOUR)
        return between(here.provider.asked, begin), stores.commands() - commands


@dataclass(frozen=True, slots=True)
class Start:
    """A herd: token requests until all were served, the most in a second, those refused."""

    requests: int
    peak: int
    refused: int
    seconds: float
    commands: int


async def herd(stores: Stores, count: int, limit: Limit | None = None) -> Start:
    """All start within the same second."""
    async with world(stores, count, limit=limit) as here:
        await here.fleet.start(within=1.0)
        seconds = await here.fleet.all_serving(most=900.0)
        asked = here.provider.asked
        refused = here.provider.answered["http_429"]
        return Start(len(asked), peak(asked), refused, seconds, stores.commands())


@dataclass(frozen=True, slots=True)
class Outage:
    """Token requests while the provider was away and after its return, each with its peak.

    Attributes:
        back: seconds from its return until all had a token.
    """

    during: int
    during_peak: int
    after: int
    after_peak: int
    back: float


async def outage(stores: Stores, count: int, seconds: float, limit: Limit | None = None) -> Outage:
    """The provider is away for longer than a token lives."""
    async with world(stores, count, limit=limit) as here:
        await here.fleet.start(within=1.0)
        await here.clock.advance(WARM)
        asked, gone = here.provider.asked, here.clock.monotonic()
        here.provider.away = True
        await here.clock.advance(seconds)
        here.provider.away = False
        returned = here.clock.monotonic()
        back = await here.fleet.all_serving(most=900.0)
        await here.clock.advance(60.0)
        return Outage(
            between(asked, gone, returned),
            peak(asked[: between(asked, 0, returned)], gone),
            between(asked, returned, returned + max(back, 60.0)),
            peak(asked, returned),
            back,
        )


@dataclass(frozen=True, slots=True)
class Failover:
    """The store is gone for a while.

    Attributes:
        unserved: how often a sidecar, asked once a second, had no token, of ``asked`` times.
        requests: token requests meanwhile; ``settled``: in as long a time afterwards.
        lost: the login was ended by a refresh token that came twice.
    """

    unserved: int
    asked: int
    requests: int
    peak: int
    settled: int
    lost: bool


async def failover(
    stores: Stores,
    count: int,
    *,
    lifetime: float,
    seconds: float,
    rotating: bool = False,
    limit: Limit | None = None,
) -> Failover:
    """The store goes away shortly before tokens are to be renewed, and comes back."""
    chosen = world(stores, count, lifetime=lifetime, rotating=rotating, limit=limit)
    async with chosen as here:
        await here.fleet.start(within=1.0)
        await here.clock.advance(2.5 * lifetime)
        asked, gone = here.provider.asked, here.clock.monotonic()
        back, settled = gone + seconds, gone + 2 * seconds
        stores.cut()
        here.clock.call_later(seconds, stores.mend)
        unserved = await here.fleet.unserved(2 * seconds)
        return Failover(
            unserved,
            2 * count * round(seconds),
            between(asked, gone, back),
            peak(asked[: between(asked, 0, settled)], gone),
            between(asked, back, settled),
            here.provider.family == "",
        )
