"""One right to renew: taken, prolonged while it is used, let go.

It ends by itself if its owner dies. Whether it was lost is Redis's word at the next save, not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from random import Random
from typing import Final

from proxy.clock import Clock
from proxy.errors import StoreError
from proxy.stores.pausing import pause
from proxy.stores.redis.names import Names
from proxy.stores.redis.server import LEASE, Server

PATIENCE: Final = 30.0
"""Seconds to wait for somebody else's renewal: two requests of 10 s, or a dead owner's lease."""
_PROLONGED: Final = LEASE / 4
"""Seconds between two prolongings: several may fail before the lease ends."""
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.25


class Lease:
    """Held from ``taken`` to ``release``.

    Attributes:
        names: of the entry.
        owner: a random name that nobody else has.
        fence: higher than that of every lease before.
    """

    def __init__(self, server: Server, names: Names, owner: str, fence: int, clock: Clock) -> None:
        self.names = names
        self.owner = owner
        self.fence = fence
        self._server = server
        self._clock = clock
        self._task = asyncio.get_running_loop().create_task(self._prolong(), name="store lease")

    async def release(self) -> None:
        """Let it go; one that can't be told ends by itself."""
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            await self._server.release(self.names, self.owner)
        except StoreError:
            return

    async def _prolong(self) -> None:
        while True:
            await pause(_PROLONGED, self._clock)
            try:
                if not await self._server.prolong(self.names, self.owner, self.fence):
                    return
            except StoreError:
                continue


async def taken(server: Server, names: Names, clock: Clock, random: Random) -> Lease:
    """The lease, as soon as nobody else has it.

    Raises:
        StoreError: it was not to be had within ``PATIENCE``, or Redis does not answer.
    """
    owner = secrets.token_hex(16)
    try:
        fence = await _asked(server, names, owner, clock, random)
    except BaseException:
        await _give_up(server, names, owner)
        raise
    return Lease(server, names, owner, fence, clock)


async def _asked(server: Server, names: Names, owner: str, clock: Clock, random: Random) -> int:
    end, wait = clock.monotonic() + PATIENCE, _FIRST_PAUSE
    while not (fence := await server.take(names, owner)):
        if clock.monotonic() >= end:
            raise StoreError(
                f"{server.place}: {names.lease} has been held by others for {PATIENCE:g} s;"
                " their provider may hang"
            )
        # Apart from each other: a herd that comes together need not stay together.
        await pause(random.uniform(wait / 2, wait), clock)
        wait = min(2 * wait, _LONGEST_PAUSE)
    return fence


async def _give_up(server: Server, names: Names, owner: str) -> None:
    """The answer to a last asking may have been lost: then it would be ours and unused."""
    await server.settled()
    with contextlib.suppress(StoreError):
        await server.release(names, owner)
