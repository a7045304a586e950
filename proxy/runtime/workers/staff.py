"""Keeps as many workers alive as there ought to be: starts, watches, replaces.

A first death is made good at once; one that keeps dying is waited for longer and longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from proxy.clock import Clock, Timer
from proxy.control.snapshot import Spans
from proxy.plane.totals import RouteTotals
from proxy.runtime.log import Log
from proxy.runtime.tracing.ports import together
from proxy.runtime.workers.frames import Said
from proxy.runtime.workers.member import Member, begin
from proxy.runtime.workers.sums import added, ended

SOON: Final = 10.0
"""Seconds; a worker that dies younger does so by a fault that may well come again."""
LONGEST: Final = 5.0
"""Seconds to the next start at most."""
LOOK: Final = 1.0
"""Seconds between two looks at who has said something; every worker does once a second."""
SILENCES: Final = 30
"""Looks without a word in between until a worker counts as stuck."""


class Staff:
    """The workers.

    Args:
        count: how many there ought to be.
        environ: their environment: ours.
        greet: told of each new one, before it can say anything.
        heard: told what one says.
        changed: told when one has died.

    Attributes:
        members: those alive.
        past: totals of those that are not any more.
        past_spans: and what became of their spans.
        deaths: how many ended unasked.
    """

    def __init__(
        self,
        count: int,
        *,
        environ: Mapping[str, str],
        log: Log,
        clock: Clock,
        greet: Callable[[Member], None],
        heard: Callable[[Member, Said], None],
        changed: Callable[[], None],
    ) -> None:
        self.count = count
        self.members: list[Member] = []
        self.past: dict[str, RouteTotals] = {}
        self.past_spans: Spans | None = None
        self.deaths = 0
        self._environ = environ
        self._log = log
        self._clock = clock
        self._greet = greet
        self._heard = heard
        self._changed = changed
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin; each is greeted as soon as its process runs."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep()) for _ in range(self.count)]
        self._timer = self._clock.call_later(LOOK, self._look)

    def dismiss(self) -> None:
        """Who dies from now on is not replaced."""
        self._closing = True

    async def close(self) -> None:
        """Have all of them end."""
        self.dismiss()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*(member.leave() for member in list(self.members)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self) -> None:
        """One place in the staff, filled again and again."""
        early = 0
        while not self._closing:
            begun = self._clock.monotonic()
            try:
                await self._one()
            except Exception as error:  # noqa: BLE001 - whatever it was: the place is filled again
                self._log.unexpected("worker_fault", error)
            early = early + 1 if self._clock.monotonic() - begun < SOON else 0
            await asyncio.sleep(pause(early))

    async def _one(self) -> None:
        """A worker's life."""
        try:
            process, sock = await begin(self._environ)
        except OSError as error:
            self._log.event("error", "worker", f"no worker can be started: {error.strerror}")
            return
        member = Member(process, sock, lambda said, _: self._heard(member, said))
        self.members.append(member)
        self._greet(member)
        try:
            code = await process.wait()
        finally:
            self._bury(member)
        if not self._closing:
            self.deaths += 1
            self._log.event(
                "error", "worker_died", "another takes its place", pid=process.pid, code=code
            )
            self._changed()

    def _bury(self, member: Member) -> None:
        member.bury()
        self.members.remove(member)
        self.past = added([self.past, ended(member.routes)])
        self.past_spans = together(self.past_spans, member.spans)

    def _look(self) -> None:
        for member in self.members:
            member.silent += 1
            if member.silent > SILENCES:
                self._log.event("error", "worker_stuck", "it is ended", pid=member.process.pid)
                member.kill()
        self._timer = self._clock.call_later(LOOK, self._look)


def pause(early: int) -> float:
    """Seconds until the next start after ``early`` workers in a row died young."""
    return 0.0 if early < 2 else min(LONGEST, 0.25 * 2.0 ** min(early, 16))
