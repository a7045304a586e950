"""How a connection to an upstream comes about: an address, perhaps a proxy's tunnel, then TLS.

The connect timeout covers all of it. What goes wrong is told of the hop where it went wrong.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TypeVar

from proxy.plane.dial import Resolve, dial
from proxy.plane.egress import tunnel
from proxy.plane.faults import explained
from proxy.plane.settings import Proxy, Upstream

P = TypeVar("P", bound=asyncio.BaseProtocol)


async def connect(upstream: Upstream, protocol: Callable[[], P], resolve: Resolve) -> P:
    """A protocol at work on a new connection to ``upstream``.

    Raises:
        UpstreamError: with what the client is told: 502, or 504 where it took too long.
    """
    loop, longest = asyncio.get_running_loop(), upstream.connect_timeout
    deadline, proxy = loop.time() + longest, upstream.proxy
    where, host = upstream.authority, upstream.host
    if proxy is not None:
        with explained(f"the proxy {proxy}", proxy.host, longest):
            async with asyncio.timeout_at(deadline):
                sock = await _through(proxy, upstream, resolve)
    else:
        with explained(where, host, longest):
            async with asyncio.timeout_at(deadline):
                sock = await dial(host, upstream.port, resolve)
    with explained(where, host, longest):
        async with asyncio.timeout_at(deadline):
            secure = upstream.tls is not None
            _, made = await loop.create_connection(
                protocol,
                sock=sock,
                ssl=upstream.tls,
                server_hostname=host if secure else None,
                ssl_handshake_timeout=longest if secure else None,
            )
    return made


async def _through(proxy: Proxy, upstream: Upstream, resolve: Resolve) -> socket.socket:
    sock = await dial(proxy.host, proxy.port, resolve)
    try:
        await tunnel(sock, upstream, proxy)
    except BaseException:
        sock.close()
        raise
    return sock
