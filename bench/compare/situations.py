"""What is tried, and what came of it in a word; each function is one situation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bench.compare.world import PLAIN, World

LIFETIME: Final = 5.0
"""Seconds that tokens live, but where they are counted."""

Situation = Callable[[World], Awaitable[str]]


async def first(world: World) -> str:
    return str(await world.ask(PLAIN))


async def twenty(world: World) -> str:
    for _ in range(20):
        await world.ask(PLAIN)
    return str(world.provider.asked)


async def idle(world: World) -> str:
    await world.ask(PLAIN)
    before = world.provider.asked
    await asyncio.sleep(3 * LIFETIME)
    return "yes" if world.provider.asked - before >= 2 else "no"


async def revoked(world: World) -> str:
    await world.ask(PLAIN)
    world.refuse = 1
    return str(await world.ask(PLAIN))


async def outage(world: World) -> str:
    await world.ask(PLAIN)
    await world.provider.stop()
    await asyncio.sleep(LIFETIME + 1.5)
    status = await world.ask(PLAIN)
    return f"{status}, {'an' if world.stale else 'no'} expired token sent"


async def rebound(world: World) -> str:
    await world.ask(PLAIN)
    return str(await world.ask({"Host": "evil.example"}))


async def page(world: World) -> str:
    await world.ask(PLAIN)
    return str(await world.ask({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}))


SITUATIONS: Final = {
    "a program without a browser calls": first,
    "token requests for 20 calls in a row": twenty,
    "renewed before the end, without any call": idle,
    "the API refuses a token once, before its end": revoked,
    "the provider is away, the token has ended": outage,
    "a call to `Host: evil.example` (a name bound anew to this machine)": rebound,
    "a call by a page of another site (`Origin`, `Sec-Fetch-Site`)": page,
}
MEANINGLESS: Final = {("oauth2-proxy", one) for one in SITUATIONS.values() if one is not first} | {
    ("script", rebound),
    ("script", page),
}
