"""The composition root: the configuration's parts put together, changed as a whole, taken apart.

Decides the order in which things start, change and stop; what each does is its own business.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp.web_runner import BaseRunner

from proxy.clock import Clock
from proxy.config.model import Config, SecretReference
from proxy.control import application
from proxy.control.guarding import own_origins
from proxy.control.lending import Lendables
from proxy.control.snapshot import Snapshot, Spans
from proxy.errors import StartError, StoreError
from proxy.net.contents import Contents, Digest
from proxy.plane.guard import Guard
from proxy.plane.settings import Address
from proxy.runtime.binding import Binding, Place, refuse_unused
from proxy.runtime.callers import CallerCredentials
from proxy.runtime.comparing import compare, files
from proxy.runtime.credentials import Credentials
from proxy.runtime.differences import Differences
from proxy.runtime.forwarding import Forwarding
from proxy.runtime.inherited import Inherited
from proxy.runtime.kept_secrets import KeptSecrets
from proxy.runtime.listeners import Listeners, Serve
from proxy.runtime.log import Log
from proxy.runtime.own_directory import own_socket_ready
from proxy.runtime.own_plane import OwnPlane
from proxy.runtime.places import METRICS, control_places, data_places
from proxy.runtime.preflight import tls_settings
from proxy.runtime.prepared import Prepared, prepare
from proxy.runtime.reload import Reloader
from proxy.runtime.tls import TlsContexts
from proxy.runtime.tracing.ports import UNFOLLOWED, Followed, together
from proxy.runtime.tracing.switch import turned_on
from proxy.secrets.references import Sources
from proxy.stores.opening import open_store
from proxy.tokens.event import Event
from proxy.tokens.ports import TokenStore
from proxy.version import VERSION


class Sidecar:
    """Everything that runs, from ``start`` to ``close``.

    Args:
        config: the configuration to start with.
        environ: the environment variables.
        log: where events go.
        clock: where time comes from.
        own_socket: whether commands can find it; not where it is one program's alone.
        end: ends the process in order; for who may ask for it (``quitquitquit``).
        inherited: listening sockets that a service manager opened.
        secrets: has read already what takes its time; None: nothing does, or it may block here.

    Attributes:
        reloader: what reads the configuration again; None where nothing does.

    Raises:
        ConfigurationError: a secret or a file that the configuration names can't be used.
        StartError: the store can't be opened.
    """

    def __init__(
        self,
        config: Config,
        *,
        environ: Mapping[str, str],
        log: Log,
        clock: Clock,
        own_socket: bool = True,
        end: Callable[[], None] | None = None,
        inherited: Sequence[Inherited] = (),
        secrets: KeptSecrets | None = None,
    ) -> None:
        self._environ = environ
        self._own_socket = own_socket
        self._end = end
        self._log = log
        self._clock = clock
        self._started = clock.wall()
        self._contexts = TlsContexts()
        self._secrets = secrets or KeptSecrets(environ, clock, self._contexts, log.event)
        self._secrets.changed = self._secret_changed
        self._followed = turned_on(config.tracing, environ, log)
        tracing = UNFOLLOWED if self._followed is None else self._followed.tokens
        self._credentials = Credentials(
            environ=environ,
            clock=clock,
            contexts=self._contexts,
            log=self._told,
            store=_store(config, environ, log, clock, self._secrets),
            secrets=self._secrets,
            tracing=tracing,
        )
        self._caller_credentials = CallerCredentials(
            environ=environ,
            clock=clock,
            contexts=self._contexts,
            log=self._told,
            lenders=lambda name: self._now.credentials[name],
            secrets=self._secrets,
            tracing=tracing,
        )
        self._binding = Binding(inherited)
        self._listeners = Listeners(self._binding)
        self._contents = Contents()
        self._draining = False
        self._changing = asyncio.Lock()
        self._was_ready = False
        self.reloader: Reloader | None = None
        self._now = self._prepare(config, starting=True)
        self._digests = self._digested(config)
        self._forwarding = _forwarding(
            self._now, self._binding, environ, log, clock, self._followed
        )

    def _prepare(self, config: Config, *, starting: bool = False) -> Prepared:
        return prepare(
            config,
            self._environ,
            self._contexts,
            self._credentials,
            self._caller_credentials,
            self._clock,
            self._secrets,
            starting=starting,
        )

    async def start(self) -> None:
        """Listen on everything at once, then ask for the first tokens.

        Raises:
            StartError: an address can't be listened on, or a socket was opened for us where we
                don't listen; nothing listens then.
        """
        places = _configured(self._now)
        refuse_unused(self._binding.assign(places), places)
        await self._change(self._now)

    def compare(self, config: Config) -> Differences:
        """What would change; nothing does, and nothing is asked for."""
        return self._compared(config, self._digested(config))

    async def put_to_work(self, config: Config) -> Differences:
        """Change to another configuration; running requests keep what they began with.

        Raises:
            ConfigurationError: something that it names can't be used; nothing was changed.
            StartError: a new address can't be listened on, or the process ends; nothing was
                changed.
        """
        self._refuse_late()
        await self._secrets.prefetch(config)
        prepared = self._prepare(config)
        for unused in self._binding.assign(_configured(prepared)):
            self._log.event("warning", "reload", f"nothing is served at the inherited {unused}")
        digests = self._digested(config)
        changes = self._compared(config, digests)
        await self._change(prepared)
        self._digests = digests
        self._contents.keep(digests)
        self._contexts.keep(tls_settings(config), config.certificates.values())
        for key in changes.after_restart:
            self._log.event("warning", "reload", f"`{key}` changes with the next start only")
        return changes

    def _digested(self, config: Config) -> dict[Path, Digest | None]:
        return {path: self._contents.of(path) for path in files(config)}

    def _compared(self, config: Config, digests: Mapping[Path, Digest | None]) -> Differences:
        before = self._digests
        touched = {
            path for path, digest in digests.items() if path in before and before[path] != digest
        }
        return compare(self._now.config, config, touched)

    async def _change(self, prepared: Prepared) -> None:
        await self._forwarding.propose(prepared)
        wanted = self._places(prepared)
        async with self._changing:
            try:
                self._refuse_late()
                bound = self._listeners.bind(wanted)
            except BaseException:
                self._forwarding.withdraw()
                raise
            self._now = prepared
            await self._forwarding.change()
            await self._listeners.change(wanted, bound)
        await self._at_work()

    def _refuse_late(self) -> None:
        if self._draining:
            raise StartError("the process is on its way out: nothing is reloaded any more")

    @property
    def longest_end(self) -> float:
        """Seconds that ``drain`` may take."""
        drain = self._now.config.drain
        return drain.delay + drain.grace

    async def drain(self) -> None:
        """Unready at once; accepting for ``drain.delay``; then only finishing what runs."""
        drain = self._now.config.drain
        self._draining = True
        self._forwarding.drain()
        self._log.event("info", "drain", delay=drain.delay, grace=drain.grace)
        await asyncio.sleep(drain.delay)
        async with self._changing:  # what a reload has begun to open is closed too
            await self._forwarding.stop_accepting()
        if not await self._forwarding.finished(drain.grace):
            self._log.event("warning", "cut", "what still ran after drain.grace was cut off")

    async def close(self) -> None:
        """Stop everything."""
        await self._listeners.close()
        await self._forwarding.close()
        await self._secrets.close()
        await self._caller_credentials.close()
        await self._credentials.close()
        if self._followed is not None:
            await asyncio.to_thread(self._followed.close)

    def snapshot(self) -> Snapshot:
        """How everything is doing now."""
        counts = self._forwarding.counts()
        return Snapshot(
            version=VERSION,
            config=str(self._now.config.path),
            started=self._started,
            draining=self._draining,
            warnings=self._now.warnings,
            credentials=self._credentials.statuses() + self._caller_credentials.statuses(),
            routes=counts.routes,
            in_flight=counts.in_flight,
            connections=counts.connections,
            serving=counts.serving,
            workers=counts.workers,
            deaths=counts.deaths,
            reloads=None if self.reloader is None else self.reloader.reloads,
            secrets=self._secrets.statuses(),
            most_in_flight=self._now.config.limits.in_flight,
            most_connections=self._now.config.limits.connections,
            spans=together(counts.spans, self._own_spans()),
        )

    def _own_spans(self) -> Spans | None:
        return None if self._followed is None else self._followed.spans()

    async def _at_work(self) -> None:
        config = self._now.config
        self._log.set(config.log.format, config.log.level)
        for place in self._listeners.places():
            self._log.event("debug", "listening", key=place.key, address=str(place.address))
        for warning in self._now.warnings:
            self._log.event("warning", "config_warning", warning)
        await self._credentials.adopt(self._now.held)
        await self._caller_credentials.adopt(self._now.held_callers)
        await self._secrets.keep(config)

    def _secret_changed(self, reference: SecretReference) -> None:
        self._credentials.secret_changed(reference)
        self._caller_credentials.secret_changed(reference)

    def _places(self, prepared: Prepared) -> dict[Place, Serve]:
        own = None
        if self._own_socket:
            own = own_socket_ready(prepared.config, self._environ, self._log)
        places = control_places(prepared.config, own)
        return {place: functools.partial(self._server, place) for place in places}

    def _server(self, place: Place) -> BaseRunner:
        if place.key == METRICS:
            return application.metrics(self.snapshot, self._forwarding.count, self._log.unexpected)
        guard = functools.partial(self._guard, place.address)
        return application.admin(
            self.snapshot,
            self._forwarding.count,
            guard,
            self._log.unexpected,
            self._lendings,
            lambda: self._end if self._now.config.quitquitquit else None,
            lambda: self.reloader,
        )

    def _guard(self, address: Address) -> Guard:
        return Guard(
            address,
            hosts=self._now.config.hosts,
            origins=own_origins(address),
            clients=self._now.settings.clients,
        )

    def _lendings(self) -> Lendables:
        return Lendables(self._credentials.lendable(), self._now.config.hold)

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


def _configured(prepared: Prepared) -> list[Place]:
    return [*data_places(prepared.settings), *control_places(prepared.config, None)]


def _store(
    config: Config, environ: Mapping[str, str], log: Log, clock: Clock, secrets: Sources
) -> TokenStore:
    try:
        return open_store(
            config.store,
            state_dir=config.state_dir,
            environ=environ,
            clock=clock,
            tell=functools.partial(log.event, "warning", "store"),
            secrets=secrets,
        )
    except StoreError as error:
        raise StartError(f"`store`: {error}") from None


def _forwarding(
    prepared: Prepared,
    binding: Binding,
    environ: Mapping[str, str],
    log: Log,
    clock: Clock,
    followed: Followed | None,
) -> Forwarding:
    workers = prepared.config.workers
    if workers == 1:
        tracing = None if followed is None else followed.requests
        return OwnPlane(prepared, binding, log=log, clock=clock, tracing=tracing)
    if sys.platform == "win32":
        raise StartError("`workers` above 1 needs Unix sockets that carry connections: set it to 1")
    from proxy.runtime.workers.crew import Crew  # noqa: PLC0415 - one is enough for most

    return Crew(workers, binding, environ=environ, log=log, clock=clock)
