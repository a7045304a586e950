"""A whole data plane on a free port, its credential, its clock and what it told its observer."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from proxy.plane.dial import Resolve, look_up
from proxy.plane.hosting import Hosted
from proxy.plane.plane import Plane
from proxy.plane.settings import Address, PlaneSettings, Route, Upstream
from proxy.plane.totals import AccessRecord
from proxy.secret import Secret
from proxy.stores.memory import MemoryStore
from proxy.tokens.callers import Callers
from proxy.tokens.credential import Credential
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import Keep
from proxy.tokens.session import Session
from proxy.tokens.token import RefreshToken, Token
from tests.support.callers import Exchange, callers_on
from tests.support.clock import FakeClock
from tests.support.wire import DEADLINE, Wire

NOWHERE = Upstream("127.0.0.1", 9, "nowhere.example")
"""For routes that are never used."""
SESSION = Session(
    frozenset({"sid", "part"}),
    frozenset({"https://sign.example/in", "http://upstream.example/login"}),
)
"""What the credentials of routes with ``session=True`` are."""


class HandClock(FakeClock):
    """Moved without waiting for the loop: what follows is seen on the wire."""

    def move(self, seconds: float) -> None:
        """Move both times, running what falls due on the way."""
        end = self._monotonic + seconds
        while due := [timer for at, _, timer in self._timers if at <= end and timer.callback]:
            timer = min(due, key=lambda timer: timer.due)
            self._monotonic = max(self._monotonic, timer.due)
            callback, timer.callback = timer.callback, None
            if callback:
                callback()
        self._monotonic = end


class Source:
    """Gives ``token-1``, ``token-2``, … at once, or when ``gate`` is set again, or an error.

    With a session: ``sid=token-1; part=b``, ….

    Attributes:
        asked: how many requests there were.
        errors: what the next requests raise instead.
    """

    def __init__(self, clock: FakeClock, name: str, session: Session | None = None) -> None:
        self._clock = clock
        self._name = name
        self._session = session
        self.lifetime = 3600.0
        self.asked = 0
        self.errors: list[BaseException] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:  # noqa: ARG002
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        now = self._clock.now()
        expires, value = now.later(self.lifetime), f"{self._name}-{number}"
        if self._session is not None:
            cookies = Secret(f"sid={value}; part=b")
            return Token(cookies, "cookie", now, expires, session=self._session)
        return Token(Secret(value), "access_token", now, expires)


class Served:
    """A plane that answers; what it reports as its own bugs fails the test."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.sources: dict[str, Source] = {}
        self.credentials: dict[str, Credential] = {}
        self.exchange = Exchange(self.clock)
        self.callers: dict[str, Callers] = {}
        self.records: asyncio.Queue[AccessRecord] = asyncio.Queue()
        self.bugs: list[BaseException] = []
        self.ports: dict[Address, int] = {}
        self.wires: list[Wire] = []
        self.hosted: list[Hosted] = []
        self.plane: Plane
        self.settings: PlaneSettings

    def finished(self, record: AccessRecord) -> None:
        """The plane's observer is this object."""
        self.records.put_nowait(record)

    async def record(self) -> AccessRecord:
        """The next exchange that ended."""
        async with asyncio.timeout(DEADLINE):
            return await self.records.get()

    @property
    def source(self) -> Source:
        """Where the tokens of the credential ``token`` come from."""
        return self.sources["token"]

    @property
    def credential(self) -> Credential:
        return self.credentials["token"]

    def make_credential(self, name: str, session: Session | None = None) -> None:
        self.sources[name] = source = Source(self.clock, name, session)
        self.credentials[name] = Credential(
            name,
            source=source,
            store=MemoryStore(),
            identity=name,
            renewal=RenewalPolicy(),
            clock=self.clock,
            random=random.Random(1),
        )

    async def connect(self, listener: Address | None = None, **options: Any) -> Wire:
        """A client's connection to the (first) listener."""
        port = self.ports[listener or self.settings.listeners[0]]
        wire = await Wire.connect(port, **options)
        self.wires.append(wire)
        return wire

    async def ask(self, *request: bytes) -> Wire:
        """A new connection on which this has been sent."""
        wire = await self.connect()
        wire.send(*request)
        return wire

    async def stop_accepting(self) -> None:
        for hosted in self.hosted:
            await hosted.stop_accepting()

    async def close(self) -> None:
        for wire in self.wires:
            wire.writer.transport.abort()
        for hosted in self.hosted:
            await hosted.close()
        await self.plane.close()
        for credential in self.credentials.values():
            await credential.close()
        for callers in self.callers.values():
            await callers.close()


def upstream_at(port: int, **options: Any) -> Upstream:
    """An upstream on this machine, called ``upstream.example`` on the wire."""
    return Upstream(
        "localhost" if options.get("tls") else "127.0.0.1", port, "upstream.example", **options
    )


def route_to(port: int, path: str = "/", upstream_path: str = "/", **options: Any) -> Route:
    """A route to ``upstream_at(port)`` with the credential ``token`` unless told otherwise."""
    upstream = options.pop("upstream", None) or upstream_at(port)
    return Route(path, upstream, upstream_path, options.pop("credential", "token"), **options)


@asynccontextmanager
async def serving(
    *routes: Route,
    filled: bool = True,
    tls: ssl.SSLContext | None = None,
    listeners: tuple[Address, ...] | None = None,
    resolve: Resolve = look_up,
    by_caller: bool = False,
    **settings: Any,
) -> AsyncIterator[Served]:
    """A plane with these routes, filled credentials, listeners with ``tls``.

    ``by_caller``: every caller has a credential of its own.
    """
    served = Served()
    sock, address = bound()
    sockets = {address: sock}
    routes, sockets = _listening(routes, sockets)
    for name in dict.fromkeys(route.credential for route in routes if route.credential):
        if by_caller:
            served.callers[name] = callers_on(served.clock, served.exchange, name=name)
            continue
        sessions = {route.credential for route in routes if route.session}
        served.make_credential(name, SESSION if name in sessions else None)
        if filled:
            await served.credentials[name].acquire(1.0)
    listeners = listeners or (address,)
    if tls is not None:
        own = (route.listener for route in routes if route.listener)
        settings["tls"] = dict.fromkeys((*listeners, *own), tls)
    served.settings = PlaneSettings(listeners, routes, **settings)
    served.plane = Plane(
        served.settings,
        served.credentials,
        served.clock,
        served,
        served.bugs.append,
        callers=served.callers,
        resolve=resolve,
    )
    served.plane.start()
    for listener in served.plane.listeners():
        if listener.path:
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(listener.path)
        else:
            sock = sockets[listener]
        served.ports[listener] = 0 if listener.path else listener.port
        served.hosted.append(await Hosted.open(served.plane.server(listener), [sock]))
    try:
        yield served
    finally:
        await served.close()
        for unused in sockets.values():
            unused.close()
    assert not served.bugs, served.bugs


def bound() -> tuple[socket.socket, Address]:
    """A socket on a free port, and the address it has."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, Address("127.0.0.1", sock.getsockname()[1])


def _listening(
    routes: tuple[Route, ...], sockets: dict[Address, socket.socket]
) -> tuple[tuple[Route, ...], dict[Address, socket.socket]]:
    """Give every port 0 among the routes' own listeners a real one."""
    given: dict[Address, Address] = {}
    for route in routes:
        if route.listener and not route.listener.path and route.listener not in given:
            sock, given[route.listener] = bound()
            sockets[given[route.listener]] = sock
    bound_routes = [
        replace(route, listener=given.get(route.listener, route.listener))
        if route.listener
        else route
        for route in routes
    ]
    return tuple(bound_routes), sockets


def settings_with(served: Served, **changes: Any) -> PlaneSettings:
    """The settings in use, with these changed."""
    return replace(served.settings, **changes)


async def round_trips(served: Served, count: int = 30) -> None:
    """Let the plane do other work: whatever would have moved meanwhile has moved."""
    other = await served.connect()
    for _ in range(count):
        other.send(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await other.response()).status == 204
