"""Which of a name's addresses a connection goes to: both families are tried, the quicker one wins.

Follows RFC 8305 (happy eyeballs). The name is looked up anew for every connection, so that
changes of DNS are followed. Knows nothing of TLS or HTTP.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohappyeyeballs import start_connection

ATTEMPT_DELAY: Final = 0.25
"""Seconds until the next address is tried beside one that is silent (RFC 8305 section 5)."""

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
"""One address, as ``getaddrinfo`` gives it."""
Resolve = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]
"""Looks up a host (no brackets) and port; raises ``socket.gaierror``."""


async def look_up(host: str, port: int) -> Sequence[AddressInfo]:
    """The machine's own way; an IP address is its own answer.

    Raises:
        socket.gaierror: the name has no address.
    """
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value] # typeshed keeps IPv6-less builds' (int, bytes)
    if version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]


async def dial(host: str, port: int, resolve: Resolve) -> socket.socket:
    """A connected socket that does not block.

    Raises:
        OSError: the name can't be resolved, or none of its addresses can be reached.
    """
    found = await resolve(host, port)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    try:
        return await start_connection(found, happy_eyeballs_delay=ATTEMPT_DELAY)
    except RuntimeError as error:  # uvloop raises it where asyncio has an OSError
        raise OSError(str(error)) from None
