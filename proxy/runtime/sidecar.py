"""The composition root: the configuration's parts put together, changed as a whole, taken apart.

Decides the order in which things start, change and stop; what each does is its own business.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping

from aiohttp.web_runner import BaseRunner
from aiohttp.web_server import Server

from proxy.clock import Clock
from proxy.config.model import Config
from proxy.control import application
from proxy.control.guarding import own_origins
from proxy.control.snapshot import Snapshot
from proxy.plane.guard import Guard
from proxy.plane.plane import Plane
from proxy.plane.settings import Address
from proxy.runtime.access import AccessLog
from proxy.runtime.credentials import Credentials
from proxy.runtime.listeners import Listeners, Place, Serve
from proxy.runtime.log import Log
from proxy.runtime.own_directory import own_socket_ready
from proxy.runtime.places import DATA, METRICS, control_places, data_places
from proxy.runtime.prepared import Prepared, prepare
from proxy.runtime.tls import TlsContexts
from proxy.tokens.event import Event
from proxy.version import VERSION


class Sidecar:
    """Everything that runs, from ``start`` to ``close``.

    Args:
        config: the configuration to start with.
        environ: the environment variables.
        log: where events go.
        clock: where time comes from.

    Raises:
        ConfigurationError: a secret or a file that the configuration names can't be used.
    """

    def __init__(
        self, config: Config, *, environ: Mapping[str, str], log: Log, clock: Clock
    ) -> None:
        self._environ = environ
        self._log = log
        self._started = clock.wall()
        self._contexts = TlsContexts()
        self._access = AccessLog(log.write, clock)
        self._credentials = Credentials(
            environ=environ, clock=clock, contexts=self._contexts, log=self._told
        )
        self._listeners = Listeners()
        self._draining = False
        self._was_ready = False
        self._now = self._prepare(config)
        self._plane = Plane(
            self._now.settings,
            self._now.credentials,
            clock,
            self._access,
            functools.partial(log.unexpected, "plane_fault"),
        )

    def _prepare(self, config: Config) -> Prepared:
        return prepare(config, self._environ, self._contexts, self._credentials)

    async def start(self) -> None:
        """Listen on everything at once, then ask for the first tokens.

        Raises:
            StartError: an address can't be listened on; nothing listens then.
        """
        wanted = self._places(self._now)
        await self._listeners.change(wanted, self._listeners.bind(wanted))
        self._plane.start()
        await self._at_work()

    async def put_to_work(self, config: Config) -> None:
        """Change to another configuration; running requests keep what they began with.

        Raises:
            ConfigurationError: something that it names can't be used; nothing was changed.
            StartError: a new address can't be listened on; nothing was changed.
        """
        if self._draining:
            return
        prepared = self._prepare(config)
        wanted = self._places(prepared)
        bound = self._listeners.bind(wanted)
        self._now = prepared
        self._plane.swap(prepared.settings, prepared.credentials)
        await self._listeners.change(wanted, bound)
        await self._at_work()

    async def drain(self) -> None:
        """Unready at once; accepting for ``drain.delay``; then only finishing what runs."""
        drain = self._now.config.drain
        self._draining = True
        self._plane.drain()
        self._log.event("info", "drain", delay=drain.delay, grace=drain.grace)
        await asyncio.sleep(drain.delay)
        await self._listeners.stop_accepting(DATA)
        if not await self._plane.finished(drain.grace):
            self._log.event("warning", "cut", "what still ran after drain.grace was cut off")

    async def close(self) -> None:
        """Stop everything."""
        await self._listeners.close()
        await self._plane.close()
        await self._credentials.close()
        self._access.flush()

    def snapshot(self) -> Snapshot:
        """How everything is doing now."""
        return Snapshot(
            version=VERSION,
            config=str(self._now.config.path),
            started=self._started,
            draining=self._draining,
            warnings=self._now.warnings,
            credentials=self._credentials.statuses(),
            routes=self._plane.totals,
            in_flight=self._plane.in_flight,
            connections=len(self._plane.inbounds),
        )

    async def _at_work(self) -> None:
        config = self._now.config
        self._log.set(config.log.format, config.log.level)
        self._access.form = config.log.format
        self._access.enabled = config.log.access and self._log.shows("info")
        for place in self._listeners.places():
            self._log.event("debug", "listening", key=place.key, address=str(place.address))
        for warning in self._now.warnings:
            self._log.event("warning", "config_warning", warning)
        await self._credentials.adopt(self._now.held)

    def _places(self, prepared: Prepared) -> dict[Place, Serve]:
        own = own_socket_ready(prepared.config, self._environ, self._log)
        places = [*data_places(prepared.settings), *control_places(prepared.config, own)]
        return {place: functools.partial(self._server, place) for place in places}

    def _server(self, place: Place) -> Server | BaseRunner:
        if place.key in DATA:
            return self._plane.server(place.address)
        if place.key == METRICS:
            return application.metrics(self.snapshot, self._log.unexpected)
        guard = functools.partial(self._guard, place.address)
        return application.admin(self.snapshot, guard, self._log.unexpected)

    def _guard(self, address: Address) -> Guard:
        return Guard(address, hosts=self._now.config.hosts, origins=own_origins(address))

    def _told(self, event: Event) -> None:
        self._log.event(
            event.level,
            event.kind,
            event.message,
            credential=event.credential,
            **event.fields,
        )
        if not self._was_ready and not self.snapshot().waiting:
            self._was_ready = True
            self._log.event("info", "ready", "every required credential has a token")
