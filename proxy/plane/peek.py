"""What the kernel knows of a connection and the event loop has not told yet.

A look costs a system call: it is for connections that have rested for a while, whose
peer may be closing them at this very moment, and for those that are not read from.
"""

from __future__ import annotations

import asyncio
import select


def silent(transport: asyncio.Transport) -> bool:
    """Whether nothing has come from the peer, its end included; True where nobody can tell."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):  # Windows has none
        return True
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def ended(transport: asyncio.Transport) -> bool:
    """Whether the peer has ended its side, read or not; False where nobody can tell."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "POLLRDHUP"):  # Linux has it
        return False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
