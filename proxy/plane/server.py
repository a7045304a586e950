"""Our protocol under aiohttp's runner: listening, TLS and graceful shutdown stay aiohttp's.

A server per listener; it hands out connections and closes them in good order.
"""

from __future__ import annotations

from typing import cast

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from proxy.plane.certificates import front
from proxy.plane.door import Door
from proxy.plane.inbound import Inbound


class PlaneServer(Server):
    """Gives each connection that a site accepts to the data plane.

    Attributes:
        tls: what the listening socket is to be opened with, None for plain HTTP.
    """

    def __init__(self, door: Door) -> None:
        super().__init__(_never)  # type: ignore[arg-type] # no request of aiohttp's is ever made
        self._door = door
        self.tls = None if door.certificate is None else front(lambda: door.certificate)

    def __call__(self) -> RequestHandler:
        """A protocol for one new connection."""
        return cast("RequestHandler", Inbound(self._door))

    async def emptied(self) -> None:
        """Wait until the last connection has gone, after the listener left the configuration."""
        await self._door.emptied()

    def pre_shutdown(self) -> None:
        """The listeners are closed: idle connections go now."""
        self._door.close_idle()

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Whoever is left has had its time (``Plane.finished`` gave it)."""
        self._door.close_all()


async def _never(_: object) -> None:
    """Stands where aiohttp expects a handler."""
