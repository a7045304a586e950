"""Connections to one upstream: opened when needed, kept while they are known to be healthy.

Decides which connection a request gets; what travels on it is ``outbound``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.plane.buffer import ReadBuffer
from proxy.plane.connect import connect
from proxy.plane.dial import Resolve
from proxy.plane.outbound import Outbound
from proxy.plane.peek import silent
from proxy.plane.response import ResponsePreparer
from proxy.plane.settings import Limits, Upstream

LONGEST_IDLE: Final = 60.0
"""Seconds an unused connection is kept where the upstream names no time of its own."""
RESTED: Final = 0.02
"""Seconds after which a connection is looked at before its reuse: its end may be on the way."""


class Pool:
    """The connections of one upstream, TLS identity and egress proxy."""

    def __init__(
        self,
        upstream: Upstream,
        limits: Limits,
        buffer: ReadBuffer,
        now: Callable[[], float],
        resolve: Resolve,
    ) -> None:
        self.upstream = upstream
        self._resolve = resolve
        self.buffer = buffer
        self.now = now
        self.most_head = limits.head
        self.preparer = ResponsePreparer(limits.fields)
        self.connections: set[Outbound] = set()
        self._idle: list[Outbound] = []
        self._retired = False

    def take(self, now: float) -> Outbound | None:
        """The connection that was used last, if one is idle and healthy ``now``."""
        while self._idle:
            connection = self._idle.pop()
            if connection.deadline > now and connection.usable and _trusted(connection, now):
                return connection
            connection.drop()
        return None

    def put(self, connection: Outbound, idle: float | None) -> None:
        """Keep a connection for the next request, less long than the upstream will."""
        if self._retired:
            connection.drop()
            return
        keep = LONGEST_IDLE if idle is None else min(LONGEST_IDLE, idle - min(1.0, idle / 2))
        now = connection.rests_since = self.now()
        connection.deadline = now + keep
        self._idle.append(connection)

    async def connect(self) -> Outbound:
        """A new connection.

        Raises:
            UpstreamError: with what the client is told: 502, or 504 where it took too long.
        """
        return await connect(self.upstream, lambda: Outbound(self), self._resolve)

    def opened(self, connection: Outbound) -> None:
        """A connection stands."""
        self.connections.add(connection)

    def closed(self, connection: Outbound) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Tell the connections whose deadline has passed."""
        for connection in [c for c in self.connections if c.deadline < now]:
            connection.expire()

    def close(self) -> None:
        """Cut every connection."""
        for connection in list(self.connections):
            connection.drop()

    def retire(self) -> None:
        """No route needs this upstream any more: close what is idle, now and later."""
        self._retired = True
        for connection in list(self._idle):
            connection.drop()
        self._idle.clear()


def _trusted(connection: Outbound, now: float) -> bool:
    return now - connection.rests_since < RESTED or silent(connection.transport)
