"""One server on sockets that are bound already: start accepting, stop accepting, be gone.

Knows neither routes nor configuration; binding, and what to say when it fails, is the
caller's, so that every address is known to be free before anything is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Sequence
from typing import Any, Final

from aiohttp.web_runner import BaseRunner, BaseSite, ServerRunner
from aiohttp.web_server import Server

from proxy.plane.certificates import GOODBYE, HANDSHAKE
from proxy.plane.server import PlaneServer

BACKLOG: Final = 1024
"""Connections the kernel queues: a burst of clients at a cold start is not turned away."""

LINGER: Final = 1.0
"""Seconds that connections get to go once everything is closed; draining came before."""


class BoundSite(BaseSite):
    """A site on a bound socket, TCP or Unix; uvloop wants to be told which of the two."""

    __slots__ = ("_sock",)

    def __init__(
        self, runner: BaseRunner, sock: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._sock = sock

    @property
    def name(self) -> str:
        """The address, as the kernel gives it."""
        return str(self._sock.getsockname())

    async def start(self) -> None:
        """Begin to accept connections."""
        await super().start()
        server = self._runner.server
        assert server is not None  # noqa: S101 - BaseSite's constructor saw to it
        loop = asyncio.get_running_loop()
        more: dict[str, Any] = {}
        if self._sock.family == getattr(socket, "AF_UNIX", None):
            create = loop.create_unix_server
            if sys.version_info >= (3, 13):  # whoever bound it removes its file
                more["cleanup_socket"] = False
        else:
            create = loop.create_server  # type: ignore[assignment] # same keywords, another socket
        tls = self._ssl_context
        self._server = await create(
            server,
            sock=self._sock,
            ssl=tls,
            backlog=self._backlog,
            ssl_handshake_timeout=HANDSHAKE if tls else None,
            ssl_shutdown_timeout=GOODBYE if tls else None,
            **more,
        )


class Hosted:
    """A server that answers on some sockets until it is told to stop."""

    def __init__(self, runner: BaseRunner, last: Sequence[socket.socket] = ()) -> None:
        self._runner = runner
        self._last = last

    @classmethod
    async def open(
        cls,
        server: Server | BaseRunner,
        sockets: Sequence[socket.socket],
        tls: ssl.SSLContext | None = None,
        *,
        goes_on: bool = False,
    ) -> Hosted:
        """Serve ``server`` (or an application's runner) on ``sockets`` from now on.

        ``goes_on``: somebody else holds them too, and serves who waits there after us.
        """
        if tls is None and isinstance(server, PlaneServer):
            tls = server.tls
        runner = (
            ServerRunner(server, shutdown_timeout=LINGER) if isinstance(server, Server) else server
        )
        await runner.setup()
        for sock in sockets:
            await BoundSite(runner, sock, tls).start()
        return cls(runner, () if goes_on else sockets)

    async def stop_accepting(self) -> None:
        """Close the listening sockets; open connections go on, those that just came too."""
        server = self._runner.server
        late = _queued(self._last) if isinstance(server, PlaneServer) else []
        for site in self._runner.sites:
            await site.stop()
        if isinstance(server, PlaneServer):
            await asyncio.gather(*(_serve(server, sock) for sock in late))

    async def leave(self) -> None:
        """Close it once what is under way has ended; a short answer gets a moment for it."""
        if isinstance(self._runner.server, PlaneServer):
            await self._runner.server.emptied()
        await self.close()

    async def close(self) -> None:
        """Close the listening sockets, then the connections."""
        await self._runner.cleanup()


def _queued(listening: Sequence[socket.socket]) -> list[socket.socket]:
    """The connections that nobody has accepted yet: with their listener they would be reset."""
    found: list[socket.socket] = []
    for sock in listening:
        if sock.fileno() < 0:
            continue
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # BlockingIOError: these were all
            while len(found) < BACKLOG:
                found.append(sock.accept()[0])
    for connection in found:
        connection.setblocking(False)
    return found


async def _serve(server: PlaneServer, connection: socket.socket) -> None:
    tls = server.tls
    try:
        await asyncio.get_running_loop().connect_accepted_socket(
            server,
            connection,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE if tls else None,
            ssl_shutdown_timeout=GOODBYE if tls else None,
        )
    except (OSError, ssl.SSLError):
        connection.close()  # the client left, or does not speak TLS
