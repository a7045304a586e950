"""The data plane as a whole: its doors, pools, budgets and totals, and the swap of all of them.

Everything that is shared between connections is here; nothing here touches a request.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.clock import Clock, Timer
from proxy.plane.buffer import ReadBuffer
from proxy.plane.dial import Resolve, look_up
from proxy.plane.door import Door
from proxy.plane.inbound import Inbound
from proxy.plane.outgoing import Budget
from proxy.plane.pool import Pool
from proxy.plane.prepare import NOBODY
from proxy.plane.routes import RouteTable
from proxy.plane.settings import Address, PlaneSettings, Route, Upstream
from proxy.plane.totals import AccessRecord, Observer, RouteTotals
from proxy.plane.tracing import Tracing
from proxy.plane.way_back import WayBack
from proxy.tokens.ports import CallerLenders, Lender

if TYPE_CHECKING:
    from proxy.plane.server import PlaneServer

SWEEP: Final = 1.0
"""Seconds between two looks at all deadlines: one coarse sweep costs less than timers."""
NEWCOMERS: Final = 0.25
"""Seconds in which who connected just before the end may still say what for."""


class Lane(NamedTuple):
    """What all requests of a route share, looked up once for each."""

    label: str
    pool: Pool
    totals: RouteTotals
    way_back: WayBack | None


class Plane:
    """Forwards requests and puts the credential on them.

    A route's credential is in ``credentials``, or in ``callers`` where each caller has its own.
    ``report`` is told of exceptions that are bugs; ``resolve`` looks up upstreams' names;
    ``tracing`` follows each request, None where nobody does.
    """

    def __init__(
        self,
        settings: PlaneSettings,
        credentials: Mapping[str, Lender],
        clock: Clock,
        observer: Observer,
        report: Callable[[BaseException], None],
        *,
        callers: Mapping[str, CallerLenders] = NOBODY,
        resolve: Resolve = look_up,
        tracing: Tracing | None = None,
    ) -> None:
        self._clock = clock
        self._observer = observer
        self.report = report
        self.tracing = tracing
        self._resolve = resolve
        self.now = clock.monotonic
        self.draining = False
        self.closing = False
        self.in_flight = 0
        self.inbounds: set[Inbound] = set()
        self.totals: dict[str, RouteTotals] = {}
        self.budget = Budget(settings.limits.replay_budget)
        self._buffer = ReadBuffer()
        self._pools: dict[Upstream, Pool] = {}
        # those whose upstream left the configuration, as long as a running request needs them
        self._retired: weakref.WeakSet[Pool] = weakref.WeakSet()
        self._doors: dict[Address, Door] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._timer: Timer | None = None
        self._furnish(settings, credentials, callers)

    # -- configuration

    def swap(
        self,
        settings: PlaneSettings,
        credentials: Mapping[str, Lender],
        callers: Mapping[str, CallerLenders] = NOBODY,
    ) -> None:
        """Serve by a new configuration from the next request on."""
        self._furnish(settings, credentials, callers)
        self._furnish_doors()
        wanted = {route.upstream for route in settings.routes}
        for upstream in [upstream for upstream in self._pools if upstream not in wanted]:
            pool = self._pools.pop(upstream)
            pool.retire()
            self._retired.add(pool)

    def _furnish_doors(self) -> None:
        stay = frozenset(self.listeners())
        for address in [address for address in self._doors if address not in stay]:
            self._doors.pop(address).retire()
        for door in self._doors.values():
            door.furnish()

    def _furnish(
        self,
        settings: PlaneSettings,
        credentials: Mapping[str, Lender],
        callers: Mapping[str, CallerLenders],
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.callers = callers
        self.table = RouteTable(settings.routes)
        self.lanes = {id(route): self._lane(route) for route in settings.routes}

    def _lane(self, route: Route) -> Lane:
        totals = self.totals.setdefault(route.label, RouteTotals())
        return Lane(route.label, self.pool(route.upstream), totals, WayBack.of(route))

    def lane(self, route: Route) -> Lane:
        """What the requests of ``route`` share, even where it left the configuration."""
        return self.lanes.get(id(route)) or self._lane(route)

    def listeners(self) -> tuple[Address, ...]:
        """Every address to listen on: the main ones and the routes' own."""
        own = (route.listener for route in self.settings.routes if route.listener)
        return tuple(dict.fromkeys((*self.settings.listeners, *own)))

    def door(self, listener: Address) -> Door:
        """The way in at ``listener``."""
        door = self._doors.get(listener) or Door(self, listener)
        self._doors[listener] = door
        return door

    def server(self, listener: Address) -> PlaneServer:
        """What aiohttp's runner hosts at ``listener``."""
        # A process that is handed its connections hosts nothing and stays 13 MB smaller.
        from proxy.plane.server import PlaneServer  # noqa: PLC0415

        return PlaneServer(self.door(listener))

    def pool(self, upstream: Upstream) -> Pool:
        """The connections to ``upstream``."""
        pool = self._pools.get(upstream)
        if pool is None:
            pool = Pool(upstream, self.settings.limits, self._buffer, self.now, self._resolve)
            self._pools[upstream] = pool
        return pool

    # -- exchanges

    def exchange_begun(self, lane: Lane) -> None:
        """A request is under way."""
        self.in_flight += 1
        lane.totals.in_flight += 1

    def exchange_over(self, lane: Lane, record: AccessRecord) -> None:
        """A request is done."""
        self.in_flight -= 1
        lane.totals.in_flight -= 1
        lane.totals.add(record)
        self._observer.finished(record)
        if self.closing:
            self.look_whether_finished()

    def refused(self, record: AccessRecord, reason: str) -> None:
        """A request was turned away before it got under way, by the rule that ``reason`` names."""
        totals = self.totals.setdefault(record.route or "", RouteTotals())
        totals.add(record)
        totals.refuse(reason)
        self._observer.finished(record)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- time

    def later(self, delay: float, act: Callable[[], None]) -> None:
        """Do something in ``delay`` seconds."""
        self._clock.call_later(delay, act)

    def start(self) -> None:
        """Begin to watch the deadlines; needs the running loop."""
        self._timer = self._clock.call_later(SWEEP, self._sweep)

    def _sweep(self) -> None:
        now = self.now()
        for inbound in list(self.inbounds):
            if inbound.deadline < now:
                inbound.expire()
            else:
                inbound.look()
        for pool in (*self._pools.values(), *self._retired):
            pool.sweep(now)
        self.start()

    # -- the end

    def drain(self) -> None:
        """From now on every answer closes its connection."""
        self.draining = True

    async def finished(self, grace: float) -> bool:
        """Wait until nothing is under way, at most ``grace`` seconds; whether that was so."""
        self.closing = True
        self._idle.clear()
        self._close_idle(new_too=False)
        if self.inbounds:
            self.later(min(NEWCOMERS, grace), self._close_idle)
        self.look_whether_finished()
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def _close_idle(self, *, new_too: bool = True) -> None:
        for inbound in list(self.inbounds):
            inbound.close_when_idle(new_too=new_too)

    def look_whether_finished(self) -> None:
        """An exchange or a connection has ended: was it the last?"""
        if self.closing and not self.in_flight and not self.inbounds:
            self._idle.set()

    async def close(self) -> None:
        """Close every connection, whatever it is doing."""
        if self._timer:
            self._timer.cancel()
        for inbound in list(self.inbounds):
            inbound.transport.abort()
        for pool in (*self._pools.values(), *self._retired):
            pool.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)
