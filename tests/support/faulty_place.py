"""One sidecar among everything that can fail: a route for each fault of an upstream.

Knows which server plays which fault, not what has to come of it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.faulty import BEHAVIOURS, Faulty, deaf, faulty, unheard
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.process import Sidecar, free_ports, running, until
from tests.support.wire import Wire

TOGETHER = ("healthy", "refuses", "closes-before-head", "garbage", "closes-inside-counted")
"""Faults of an upstream that come while the provider fails."""

PROVIDER_FAULTS: dict[str, Reply | None] = {
    "errs": Reply(status=500),
    "hangs": Reply(hang=True),
    "gone": None,
}
"""What every further token request gets; None is a provider that refuses connections."""

LIFETIME = 4.0
"""Seconds that a failing provider's tokens live."""


@dataclass
class Place:
    """The sidecar and everything that it might reach."""

    data: int
    sidecar: Sidecar
    plain: Faulty
    sound: Faulty
    failing: dict[str, IdentityProvider]
    numbers: Iterator[int] = field(default_factory=itertools.count)
    wires: list[Wire] = field(default_factory=list)

    def target(self, name: str) -> str:
        """One that was never asked for before."""
        return f"/{name}/{next(self.numbers)}"

    async def connect(self) -> Wire:
        self.wires.append(await Wire.connect(self.data))
        return self.wires[-1]

    def leave(self) -> None:
        """Cut every client."""
        for wire in self.wires:
            wire.writer.transport.abort()
        self.wires.clear()

    async def ask(self, target: str, client: Wire | None = None, body: bytes = b"") -> Wire:
        client = client or await self.connect()
        start = f"{'POST' if body else 'GET'} {target} HTTP/1.1\r\nHost: localhost\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        client.send(f"{start}{length}\r\n".encode(), body)
        return client

    async def check_lives_on(self, client: Wire | None) -> None:
        """``client``, unless it was cut, and everybody else are served by the same process."""
        for wire in (client, await self.connect()):
            if wire is not None:
                await self.ask(self.target("healthy"), wire)
                assert (await wire.response()).status == 200
        assert self.sidecar.process.returncode is None
        assert "Traceback" not in self.sidecar.err
        assert (await self.sidecar.ask("/healthz")).status == 200

    async def check_logged(self, name: str, error: str) -> None:
        """Wait until the access log has the fault's route with its error."""

        async def logged() -> bool:
            lines = self.sidecar.err.splitlines()
            return any(f"route=/{name}/ " in line and f"error={error}" in line for line in lines)

        await until(logged, what=f"{error} at {name}")


def credentials(**providers: IdentityProvider) -> str:
    """A credential for each of these providers."""
    entries = [
        f"""\
  {name}:
    token_url: {provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
"""
        for name, provider in providers.items()
    ]
    return "credentials:\n" + "".join(entries)


def route(name: str, port: int, ca_file: Path | None, credential: str = "api") -> str:
    """A fault's route; only where it waits for a timeout is that a short one."""
    slow = name.startswith(("stalls", "accepts", "takes", "vanishes"))
    behaviour = name.rpartition("/")[2]
    behaviour = behaviour if behaviour in BEHAVIOURS else "healthy"
    trusted = f"tls: {{ca_file: {ca_file}}}" if ca_file else ""
    host = "localhost" if ca_file or name == "by-name" else "127.0.0.1"
    return f"""\
  - path: /{name}/
    upstream: {"https" if ca_file else "http"}://{host}:{port}/{behaviour}/
    credential: {credential}
    {trusted}
    {"timeouts: {connect: 0.7s, head: 0.7s, idle: 0.7s}" if slow else ""}
"""


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that knows nothing of TLS."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


async def over_tls(stack: AsyncExitStack, home: Path) -> dict[str, int]:
    """The ports of the faults that TLS has; a name's authority is trusted, but for one."""
    ours, strange = Authority(home), Authority(Path(stack.enter_context(directory())))
    good = ours.server_context(ours.issue())
    contexts = {
        "expired": ours.server_context(ours.issue(ends=-dt.timedelta(days=1))),
        "wrong-name": ours.server_context(ours.issue("other.example", addresses=())),
        "unknown-authority": strange.server_context(strange.issue()),
        **{name: good for name in BEHAVIOURS if name.startswith("truncates")},
    }
    ports = {
        name: (await stack.enter_async_context(faulty(context))).port
        for name, context in contexts.items()
    }
    greeter = await asyncio.start_server(greet, "127.0.0.1", 0)
    stack.callback(greeter.close)
    ports["plain-instead-of-tls"] = greeter.sockets[0].getsockname()[1]
    ports["stalls-in-handshake"] = stack.enter_context(deaf(full=False))
    return ports


def directory() -> tempfile.TemporaryDirectory[str]:
    """One whose path is short enough for Unix sockets in it."""
    return tempfile.TemporaryDirectory(prefix="sidecar-")


@asynccontextmanager
async def faulty_place() -> AsyncIterator[Place]:
    """One sidecar with a route for each fault, until the block ends."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(directory()))
        plain, sound, provider = [
            await stack.enter_async_context(one) for one in (faulty(), faulty(), IdentityProvider())
        ]
        failing = {
            name: await stack.enter_async_context(IdentityProvider()) for name in PROVIDER_FAULTS
        }
        for one in failing.values():
            one.lifetime = LIFETIME
        tls = await over_tls(stack, home)
        ports = dict.fromkeys(BEHAVIOURS, plain.port) | {
            "healthy": sound.port,
            "by-name": sound.port,
            "healthy-before": plain.port,
            "refuses": stack.enter_context(unheard()),
            "accepts-nothing": stack.enter_context(deaf(full=True)),
        }
        routes = [
            route(name, port, home / "ca.pem" if name in tls else None)
            for name, port in (ports | tls).items()
        ]
        routes += [
            route(f"{name}/{fault}", ports[fault], None, name)
            for name in failing
            for fault in TOGETHER
        ]
        data, admin = free_ports(2)
        top = f"listen: 127.0.0.1:{data}\nadmin: 127.0.0.1:{admin}\nhold: 0.5s\n"
        config = top + credentials(api=provider, **failing) + "routes:\n" + "".join(routes)
        sidecar = await stack.enter_async_context(
            running(config, home, admin=f"127.0.0.1:{admin}", environ={"API_SECRET": CLIENT[1]})
        )
        await sidecar.ready()
        yield Place(data, sidecar, plain, sound, failing)
