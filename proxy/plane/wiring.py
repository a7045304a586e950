"""How a connection of either side is set up: no hidden buffers, no delay of small writes."""

from __future__ import annotations

import asyncio
import socket
from typing import cast


def wired(transport: asyncio.BaseTransport) -> tuple[asyncio.Transport, socket.socket | None]:
    """The transport, ready for use, and its socket where it has one."""
    ready = cast("asyncio.Transport", transport)
    # low=0 with high=1: told at once that bytes are left; high=0 hangs uvloop's TLS
    ready.set_write_buffer_limits(high=1, low=0)
    sock: socket.socket | None = ready.get_extra_info("socket")
    if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ready, sock
