"""A connection that is no HTTP any more: bytes both ways, each side's end passed on.

After a 101 both connections talk to this and not to the exchange (RFC 9110 section 7.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Tunnel:
    """Joins a client's and an upstream's transport; ``over`` is told the byte counts at the end."""

    def __init__(
        self,
        down: asyncio.Transport,
        up: asyncio.Transport,
        over: Callable[[int, int], None],
    ) -> None:
        self._down = down
        self._up = up
        self._over = over
        self._sent_up = 0
        self._sent_down = 0
        self._half_closed = False
        self._closed = False

    def from_client(self, data: bytes) -> None:
        """Bytes from the client."""
        self._sent_up += len(data)
        self._up.write(data)

    def from_upstream(self, data: bytes) -> None:
        """Bytes from the upstream."""
        self._sent_down += len(data)
        self._down.write(data)

    def client_ended(self) -> bool:
        """The client ends its side; True keeps the connection open for the other."""
        return self._pass_end(self._up)

    def upstream_ended(self) -> bool:
        """The upstream ends its side; True keeps the connection open for the other."""
        return self._pass_end(self._down)

    def _pass_end(self, to: asyncio.Transport) -> bool:
        """Pass one side's end on; once both have ended, or where TLS can't, all is closed."""
        if self._half_closed or not to.can_write_eof():
            return False
        self._half_closed = True
        to.write_eof()
        return True

    def client_slow(self, slow: bool) -> None:
        """Backpressure from the client's side."""
        _hold(self._up, slow)

    def upstream_slow(self, slow: bool) -> None:
        """Backpressure from the upstream's side."""
        _hold(self._down, slow)

    def lost(self) -> None:
        """One of the connections is gone, and so the other."""
        if not self._closed:
            self._closed = True
            self._down.close()
            self._up.close()
            self._over(self._sent_up, self._sent_down)


class End(Protocol):
    """A connection that can become one end of a tunnel."""

    transport: asyncio.Transport

    def join(self, tunnel: Tunnel) -> None:
        """Hand every further byte to ``tunnel``."""


def join(inbound: End, outbound: End, early: bytes, over: Callable[[int, int], None]) -> None:
    """Make a tunnel of two connections; ``early`` came from the upstream behind its head."""
    tunnel = Tunnel(inbound.transport, outbound.transport, over)
    outbound.join(tunnel)
    if early:
        tunnel.from_upstream(early)
    inbound.join(tunnel)


def _hold(transport: asyncio.Transport, slow: bool) -> None:
    if slow:
        transport.pause_reading()
    else:
        transport.resume_reading()
