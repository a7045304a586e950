"""Connections to one upstream: opened when needed, kept while they are known to be healthy.

Decides which connection a request gets; what travels on it is ``outbound``'s.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from proxy.errors import SidecarError
from proxy.plane.answers import Problem
from proxy.plane.buffer import ReadBuffer
from proxy.plane.outbound import Outbound
from proxy.plane.response import ResponsePreparer
from proxy.plane.settings import Limits, Upstream

LONGEST_IDLE: Final = 60.0
"""Seconds an unused connection is kept where the upstream names no time of its own."""


class UpstreamError(SidecarError):
    """The upstream can't be had; ``problem`` is what the client is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Pool:
    """The connections of one upstream and TLS identity."""

    def __init__(
        self, upstream: Upstream, limits: Limits, buffer: ReadBuffer, now: Callable[[], float]
    ) -> None:
        self.upstream = upstream
        self.buffer = buffer
        self.now = now
        self.most_head = limits.head
        self.preparer = ResponsePreparer(limits.fields)
        self.connections: set[Outbound] = set()
        self._idle: list[Outbound] = []
        self._retired = False

    def take(self) -> Outbound | None:
        """The connection that was used last, if one is idle and healthy."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.deadline > self.now():
                return connection
            connection.drop()
        return None

    def put(self, connection: Outbound, idle: float | None) -> None:
        """Keep a connection for the next request, less long than the upstream will."""
        if self._retired:
            connection.drop()
            return
        keep = LONGEST_IDLE if idle is None else min(LONGEST_IDLE, idle - min(1.0, idle / 2))
        connection.deadline = self.now() + keep
        self._idle.append(connection)

    async def connect(self) -> Outbound:
        """A new connection.

        Raises:
            UpstreamError: with what the client is told: 502, or 504 where it took too long.
        """
        upstream = self.upstream
        try:
            async with asyncio.timeout(upstream.connect_timeout):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Outbound(self),
                    upstream.host,
                    upstream.port,
                    ssl=upstream.tls,
                    server_hostname=upstream.host if upstream.tls else None,
                )
        except (OSError, ssl.SSLError) as error:
            raise UpstreamError(_explain(error, upstream)) from None
        return connection

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


def _explain(error: Exception, upstream: Upstream) -> Problem:
    where = upstream.authority
    if isinstance(error, TimeoutError):
        text = f"Connecting to {where} took longer than {upstream.connect_timeout:g} s."
        return Problem(504, "connection_timeout", text)
    if isinstance(error, ssl.SSLCertVerificationError):
        text = (
            f"The certificate of {where} is not trusted: {error.verify_message}; see tls.ca_file."
        )
        return Problem(502, "tls_certificate_error", text)
    if isinstance(error, ssl.SSLError):
        return Problem(502, "tls_protocol_error", f"TLS with {where} failed ({error.reason}).")
    if isinstance(error, socket.gaierror):
        return Problem(502, "dns_error", f"The name {upstream.host} can't be resolved.")
    if isinstance(error, ConnectionRefusedError):
        return Problem(502, "connection_refused", f"{where} refuses connections.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "network error"
    return Problem(502, "destination_unavailable", f"{where} can't be reached ({reason}).")
