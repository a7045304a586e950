"""The control plane's two applications: the whole of it, and the three that anybody may read.

Puts handlers, guard and errors together; knows no sockets and no configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from proxy.clock import Clock, SystemClock
from proxy.control.counting import counting
from proxy.control.guarding import guarding
from proxy.control.lending import Lendings, lending
from proxy.control.live import Live, events
from proxy.control.probes import probes
from proxy.control.problem import Unexpected, plain_fields, problems
from proxy.control.quitting import Ending, quitting
from proxy.control.reloading import Current, reloading
from proxy.control.scrape import scrape
from proxy.control.snapshot import Count, Read
from proxy.control.status import status
from proxy.control.status_page import status_page
from proxy.plane.guard import Guard

CLOSING: Final = 1.0
"""Seconds that answers under way get when the process ends; they are all short."""


def admin(
    read: Read,
    count: Count,
    guard: Callable[[], Guard],
    unexpected: Unexpected,
    lendings: Lendings,
    ending: Ending = lambda: None,
    reloads: Current = lambda: None,
    clock: Clock = SystemClock(),  # noqa: B008 - has no state
) -> web.AppRunner:
    """Everything, for callers on this machine that the guard lets in."""
    middlewares = (problems(unexpected), guarding(guard), counting(count))
    routes = [
        *probes(read),
        *scrape(read),
        *status(read),
        *lending(lendings, guard),
        *quitting(ending),
        *reloading(reloads, guard),
    ]
    live = Live(read, count, clock, unexpected)
    routes += [*status_page(read), *events(live)]
    return _runner(middlewares, routes, live)


def metrics(read: Read, count: Count, unexpected: Unexpected) -> web.AppRunner:
    """``/healthz``, ``/readyz`` and ``/metrics`` for anybody who reaches the address."""
    middlewares = (problems(unexpected), counting(count))
    return _runner(middlewares, [*probes(read), *scrape(read)])


def _runner(
    middlewares: Iterable[Middleware],
    routes: Iterable[web.RouteDef],
    live: Live | None = None,
) -> web.AppRunner:
    application = web.Application(middlewares=middlewares)
    application.add_routes(routes)
    application.on_response_prepare.append(plain_fields)
    if live is not None:
        application.on_shutdown.append(live.close)
    return web.AppRunner(application, access_log=None, shutdown_timeout=CLOSING)
