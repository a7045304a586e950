"""What goes on around the soak's requests: providers fail, tokens are revoked, SIGHUP comes."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter

from bench.soak.orders import Program
from bench.soak.subject import BROKEN, Subject
from bench.soak.tally import Tally
from bench.soak.tokens import LIFETIME

TROUBLES = ("5xx", "hang", "refuse", "slow", "garbage", "429", "reset", "429 for long")
LONG = 13.0
"""Seconds of the last of them: longer than a request may be held."""
LINGER = 5.0
"""Seconds after a trouble in which the sidecar may not yet know that it is over."""


class Weather:
    """All of it, until cancelled; ``counts`` says how often each came."""

    def __init__(
        self, provider: Program, upstream: Program, subject: Subject, tally: Tally, seed: int
    ) -> None:
        self._provider = provider
        self._upstream = upstream
        self._subject = subject
        self._tally = tally
        self._chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.troubled = 0.0

    async def last(self) -> None:
        """Let it all happen side by side."""
        async with asyncio.TaskGroup() as group:
            for each in (self._provider_fails, self._tokens_are_revoked, self._door, self._reloads):
                group.create_task(each())

    async def _provider_fails(self) -> None:
        for mode in itertools.cycle(TROUBLES):
            await asyncio.sleep(self._chance.uniform(1, 3))
            seconds = LONG if mode == "429 for long" else self._chance.uniform(1, 4)
            self.counts[f"provider: {mode}"] += 1
            self.troubled += seconds
            self._tally.provoke("/shaky/", seconds, LINGER)
            await self._provider.ask("trouble", mode=mode, seconds=seconds)
            await asyncio.sleep(seconds)

    async def _tokens_are_revoked(self) -> None:
        for everybody in itertools.cycle((False, False, True)):
            await asyncio.sleep(self._chance.uniform(4, 14))
            self._tally.provoke("/revoked/", 1.0, LIFETIME + LINGER)
            if everybody:
                self.counts["401 for a second"] += 1
                await self._upstream.ask("refuse everybody", seconds=1.0)
            else:
                self.counts["tokens revoked"] += 1
                await self._upstream.ask("revoke")

    async def _door(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(2, 5))
            seconds = self._chance.uniform(0.3, 2)
            self.counts["upstream refuses"] += 1
            self._tally.provoke("/door/", seconds, LINGER)
            await self._upstream.ask("shut", seconds=seconds)
            await asyncio.sleep(seconds)

    async def _reloads(self) -> None:
        for each in itertools.count():
            await asyncio.sleep(self._chance.uniform(2, 5))
            broken = self._chance.choice(BROKEN) if each % 2 else ""
            self.counts["reloads, broken" if broken else "reloads"] += 1
            if not await self._subject.reload(broken):
                self._tally.wrong.append(f"a reload was not answered as it should ({broken!r})")
